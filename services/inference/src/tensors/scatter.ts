import type { TensorInTransit } from '../instance/protocol.js';
import type { TensorSignature } from './signature.js';

/** One member's part of one output, as views of the run's buffer. */
export interface TensorPart {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export type ScatterResult = { readonly ok: true; readonly parts: readonly (readonly TensorPart[])[] } | { readonly ok: false; readonly message: string };

/**
 * Cuts the outputs of a run back into the members' rows: parts[member][output]. An output whose first dimension is not
 * the sum of rows cannot be cut; the message names it.
 */
export function scatter(outputs: readonly TensorInTransit[], declared: readonly TensorSignature[], rows: readonly number[]): ScatterResult {
  const total = rows.reduce((sum, count) => sum + count, 0);
  const parts: TensorPart[][] = rows.map(() => []);
  for (const [index, output] of outputs.entries()) {
    if (rows.length === 1) {
      parts[0]?.push({ shape: output.shape, data: new Uint8Array(output.buffer, 0, output.byteLength) });
      continue;
    }
    const name = declared[index]?.name ?? String(index);
    if (output.shape[0] !== total) {
      return { ok: false, message: `output ${JSON.stringify(name)} has shape [${output.shape.join(',')}], expected ${total} rows first` };
    }
    const ends = declared[index]?.datatype === 'BYTES' ? bytesRowEnds(output, total) : evenRowEnds(output, total);
    let row = 0;
    for (const [member, count] of rows.entries()) {
      const start = row === 0 ? 0 : (ends[row - 1] ?? 0);
      row += count;
      const end = row === 0 ? 0 : (ends[row - 1] ?? 0);
      parts[member]?.push({ shape: [count, ...output.shape.slice(1)], data: new Uint8Array(output.buffer, start, end - start) });
    }
  }
  return { ok: true, parts };
}

function evenRowEnds(output: TensorInTransit, rows: number): number[] {
  const rowBytes = output.byteLength / rows;
  return Array.from({ length: rows }, (_, row) => (row + 1) * rowBytes);
}

/** BYTES rows have no fixed size: their ends are found by walking the elements' lengths. */
function bytesRowEnds(output: TensorInTransit, rows: number): number[] {
  const view = new DataView(output.buffer, 0, output.byteLength);
  const elementsPerRow = output.shape.slice(1).reduce((product, dim) => product * dim, 1);
  const ends: number[] = [];
  let offset = 0;
  for (let row = 0; row < rows; row++) {
    for (let element = 0; element < elementsPerRow; element++) offset += 4 + view.getUint32(offset, true);
    ends.push(offset);
  }
  return ends;
}
