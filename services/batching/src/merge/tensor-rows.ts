import type { Datatype, ScanFailure } from '@headrace/proto';
import { datatypeBytes } from '@headrace/proto';
import type { CutElement } from './tensor-bytes.js';
import { describeMismatch, findBytesMismatch, skipElements } from './tensor-bytes.js';

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
 * A tensor's bytes cut by rows, as views on `data`: `rows` of each part, whose sum must be the first dim. Fixed-size
 * elements by arithmetic, BYTES by walking the lengths, each checked against the end.
 */
export function splitTensorRows(tensor: TensorRows, rows: readonly number[]): SplitRows {
  const { datatype, shape } = tensor;
  const total = rows.reduce((sum, count) => sum + count, 0);
  const [first] = shape;
  if ((first ?? 1) !== total) return { ok: false, message: `shape: expected ${total} rows as first dimension, got [${shape.join()}]` };
  const perRow = elementsPerRow(shape);
  if (perRow === undefined) return { ok: false, message: tooManyElements(shape) };
  return datatype === 'BYTES' ? splitStrings(tensor, perRow, rows) : splitFixed(tensor, perRow, total, rows);
}

function splitFixed({ datatype, shape, data }: TensorRows, perRow: number, total: number, rows: readonly number[]): SplitRows {
  const wrong = findBytesMismatch(datatype, total * perRow, data);
  if (wrong !== undefined) return { ok: false, message: describeMismatch(wrong, datatype, shape) };
  const rowBytes = perRow * datatypeBytes[datatype];
  const parts: Uint8Array[] = [];
  let start = 0;
  for (const count of rows) {
    parts.push(data.subarray(start, start + count * rowBytes));
    start += count * rowBytes;
  }
  return { ok: true, parts };
}

function splitStrings({ datatype, shape, data }: TensorRows, perRow: number, rows: readonly number[]): SplitRows {
  const parts: Uint8Array[] = [];
  let start = 0;
  let elements = 0;
  for (const count of rows) {
    const end = skipElements(data, start, data.length, count * perRow);
    if (typeof end !== 'number') return { ok: false, message: describeMismatch(movedBy(end, elements, start), datatype, shape) };
    parts.push(data.subarray(start, end));
    start = end;
    elements += count * perRow;
  }
  const leftBytes = data.length - start;
  if (leftBytes === 0) return { ok: true, parts };
  return { ok: false, message: describeMismatch({ kind: 'left-over', elements, usedBytes: start, leftBytes }, datatype, shape) };
}

/** An element of a part, as the element of the whole tensor that it is. */
function movedBy(cut: CutElement, elements: number, bytes: number): CutElement {
  const element = cut.element + elements;
  return cut.kind === 'length-cut' ? { ...cut, element, atByte: cut.atByte + bytes } : { ...cut, element };
}

function tooManyElements(shape: readonly number[]): string {
  return `shape: expected fewer than 2^53 elements, got [${shape.join()}]`;
}
