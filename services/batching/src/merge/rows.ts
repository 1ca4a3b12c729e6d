import type { InferRequestView, ScanFailure } from '@headrace/proto';

export type Rows = { readonly ok: true; readonly rows: number } | ScanFailure;

/** Rows of a request of a model with a batch axis: the first dim, on which all inputs must agree. Looks at shapes only. */
export function rowsOf(view: InferRequestView): Rows {
  const [first] = view.inputs;
  if (first === undefined) return { ok: false, message: 'inputs: expected at least one, got none' };
  const [rows] = first.shape;
  for (const { name, shape } of view.inputs) {
    if (shape[0] === undefined) return { ok: false, message: `input '${name}': expected a batch dimension, got the shape []` };
    if (shape[0] !== rows) {
      return { ok: false, message: `input '${name}': expected ${rows} rows as input '${first.name}' has, got [${shape.join()}]` };
    }
  }
  return { ok: true, rows: rows ?? 1 };
}
