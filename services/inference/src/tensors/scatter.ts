import { splitTensorRows } from '@headrace/batching';
import type { TensorInTransit } from '../instance/protocol.js';
import type { TensorSignature } from './signature.js';

/** One member's part of one output, as views of the run's buffer. */
export interface TensorPart {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export type ScatterResult =
  | { readonly ok: true; readonly parts: readonly (readonly TensorPart[])[] }
  | { readonly ok: false; readonly message: string };

/**
 * Cuts the outputs of a run back into the members' rows: parts[member][output]. An output whose first dimension is not
 * the sum of rows cannot be cut; the message names it. A member that ran alone gets its outputs whole.
 */
export function scatter(outputs: readonly TensorInTransit[], declared: readonly TensorSignature[], rows: readonly number[]): ScatterResult {
  const parts: TensorPart[][] = rows.map(() => []);
  for (const [index, output] of outputs.entries()) {
    const data = new Uint8Array(output.buffer, 0, output.byteLength);
    if (rows.length === 1) {
      parts[0]?.push({ shape: output.shape, data });
      continue;
    }
    const { name, datatype } = declared[index] ?? { name: String(index), datatype: 'UINT8' as const };
    // A scalar has no first dimension at all.
    const cut =
      output.shape.length === 0
        ? { ok: false as const, message: 'is a scalar, expected rows' }
        : splitTensorRows({ datatype, shape: output.shape, data }, rows);
    if (!cut.ok) return { ok: false, message: `output ${JSON.stringify(name)}: ${cut.message}` };
    const rest = output.shape.slice(1);
    cut.parts.forEach((part, member) => parts[member]?.push({ shape: [rows[member] ?? 0, ...rest], data: part }));
  }
  return { ok: true, parts };
}
