import type { InferRequestView, InputView, ScanFailure } from '@headrace/proto';
import { decodeContents, isDatatype } from '@headrace/proto';
import type { TensorRows } from './tensor-rows.js';
import { checkTensorBytes } from './tensor-rows.js';

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

export type MemberInputs = { readonly ok: true; readonly rows: number; readonly raw: readonly Uint8Array[] } | ScanFailure;

/**
 * All that must hold before a request may join a batch: rows agree and each input's bytes are exactly what its shape
 * says. Answers the inputs' raw bytes in the order of `view.inputs`: views on the message, or decoded typed contents.
 */
export function readMember(view: InferRequestView): MemberInputs {
  const rows = rowsOf(view);
  if (!rows.ok) return rows;
  const raw: Uint8Array[] = [];
  for (const input of view.inputs) {
    const tensor = inputRows(view, input);
    if ('message' in tensor) return { ok: false, message: `input '${input.name}': ${tensor.message}` };
    const wrong = checkTensorBytes(tensor);
    if (wrong !== undefined) return { ok: false, message: `input '${input.name}': ${wrong}` };
    raw.push(tensor.data);
  }
  return { ok: true, rows: rows.rows, raw };
}

function inputRows(view: InferRequestView, input: InputView): TensorRows | ScanFailure {
  const { datatype, shape } = input;
  if (!isDatatype(datatype)) return { ok: false, message: `expected a datatype of the protocol, got '${datatype}'` };
  if (input.raw !== undefined) {
    if (input.contents.length > 0) return { ok: false, message: 'expected raw or typed contents, got both' };
    return { datatype, shape, data: view.bytes.subarray(input.raw.start, input.raw.end) };
  }
  const decoded = decodeContents(view.bytes, input.contents, datatype);
  return decoded.ok ? { datatype, shape, data: decoded.raw } : decoded;
}
