import type { Datatype, ScanFailure } from '@headrace/proto';
import { datatypeBytes } from '@headrace/proto';

/** The bytes of one tensor: raw little-endian elements, BYTES as 4-byte length and that many bytes each. */
export interface TensorRows {
  readonly datatype: Datatype;
  /** First dim = rows. */
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export type SplitRows = { readonly ok: true; readonly parts: readonly Uint8Array[] } | ScanFailure;

/** Elements of one row: the product of all dims but the first; undefined past 2^53. */
export function elementsPerRow(shape: readonly number[]): number | undefined {
  let elements = 1;
  for (const dim of shape.slice(1)) {
    // 0 wins over anything that would overflow.
    if (dim === 0) return 0;
    elements *= dim;
  }
  return Number.isSafeInteger(elements) ? elements : undefined;
}

/**
 * Checks that a tensor's bytes are exactly what its shape says; answers undefined, or what is wrong. Without this a
 * member with a byte too many would shift the rows of all members after it.
 */
export function checkTensorBytes(tensor: TensorRows): string | undefined {
  const [rows = 1] = tensor.shape;
  const split = splitTensorRows(tensor, [rows]);
  return split.ok ? undefined : split.message;
}

/**
 * A tensor's bytes cut by rows, as views on `data`: `rows` of each part, whose sum must be the first dim. Fixed-size
 * elements by arithmetic, BYTES by walking the lengths, each checked against the end.
 */
export function splitTensorRows(tensor: TensorRows, rows: readonly number[]): SplitRows {
  const { datatype, shape, data } = tensor;
  const total = rows.reduce((sum, count) => sum + count, 0);
  const [first] = shape;
  if ((first ?? 1) !== total) return { ok: false, message: `shape: expected ${total} rows as first dimension, got [${shape.join()}]` };
  const perRow = elementsPerRow(shape);
  if (perRow === undefined) return { ok: false, message: `shape: expected fewer than 2^53 elements, got [${shape.join()}]` };
  return datatype === 'BYTES' ? splitStrings(data, perRow, rows) : splitFixed(tensor, perRow * datatypeBytes[datatype], rows);
}

function splitFixed({ datatype, shape, data }: TensorRows, rowBytes: number, rows: readonly number[]): SplitRows {
  const total = rows.reduce((sum, count) => sum + count, 0);
  if (data.length !== total * rowBytes) {
    return { ok: false, message: `expected ${total * rowBytes} bytes for ${datatype} [${shape.join()}], got ${data.length}` };
  }
  const parts: Uint8Array[] = [];
  let start = 0;
  for (const count of rows) {
    parts.push(data.subarray(start, start + count * rowBytes));
    start += count * rowBytes;
  }
  return { ok: true, parts };
}

function splitStrings(data: Uint8Array, perRow: number, rows: readonly number[]): SplitRows {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const parts: Uint8Array[] = [];
  let at = 0;
  let element = 0;
  for (const count of rows) {
    const start = at;
    for (let left = count * perRow; left > 0; left--, element++) {
      if (at + 4 > data.length) return { ok: false, message: `expected the length of BYTES element ${element} at byte ${at}, got the end` };
      const length = view.getUint32(at, true);
      at += 4 + length;
      if (at > data.length)
        return { ok: false, message: `expected ${length} bytes of BYTES element ${element}, got ${data.length - (at - length)}` };
    }
    parts.push(data.subarray(start, at));
  }
  if (at !== data.length)
    return { ok: false, message: `expected ${element} BYTES elements in ${at} bytes, got ${data.length - at} bytes more` };
  return { ok: true, parts };
}

/**
 * Tensors of one name put one after the other along the first dim, each copied once into `into` (given the bytes
 * needed, e.g. memory of a pool). Datatype and other dims must agree; that is what one lane guarantees.
 */
export function concatTensorRows(
  tensors: readonly TensorRows[],
  into: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): { readonly ok: true; readonly tensor: TensorRows } | ScanFailure {
  const [first] = tensors;
  if (first === undefined) return { ok: false, message: 'expected at least one tensor to concatenate, got none' };
  const inner = first.shape.slice(1).join();
  let rows = 0;
  let bytes = 0;
  for (const { datatype, shape, data } of tensors) {
    if (datatype !== first.datatype || shape.length === 0 || shape.length !== first.shape.length || shape.slice(1).join() !== inner) {
      return {
        ok: false,
        message: `expected ${first.datatype} [*,${inner}] as in the first request of the batch, got ${datatype} [${shape.join()}]`,
      };
    }
    rows += shape[0] ?? 0;
    bytes += data.length;
  }
  const data = into(bytes);
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, at);
    at += tensor.data.length;
  }
  return { ok: true, tensor: { datatype: first.datatype, shape: [rows, ...first.shape.slice(1)], data } };
}
