import type { TensorInTransit } from '../instance/protocol.js';
import type { BufferPool } from './buffer-pool.js';
import type { CheckedTensor } from './check-request.js';

/**
 * Lays the members' tensors one after the other, input by input: the one copy between the message and the model.
 *
 *     input 0:  | member 0 rows | member 1 rows | ... |     shape [sum of rows, ...rest]
 *
 * Row-major order makes concatenation along the first dimension a concatenation of bytes, BYTES elements included.
 */
export function gather(members: readonly { readonly tensors: readonly CheckedTensor[] }[], pool: BufferPool): TensorInTransit[] {
  const first = members[0];
  if (first === undefined) return [];
  return first.tensors.map((tensor, input) => {
    const parts = members.map((member) => member.tensors[input] ?? tensor);
    const byteLength = parts.reduce((sum, part) => sum + part.data.length, 0);
    const buffer = pool.acquire(byteLength);
    const target = new Uint8Array(buffer);
    let offset = 0;
    for (const part of parts) {
      target.set(part.data, offset);
      offset += part.data.length;
    }
    const shape =
      members.length === 1 ? tensor.shape : [parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0), ...tensor.shape.slice(1)];
    return { buffer, byteLength, shape };
  });
}

/** The members' tensors again, as views of buffers that came back from a failed run; order and sizes as gathered. */
export function ungather(
  members: readonly { readonly tensors: readonly CheckedTensor[] }[],
  returned: readonly ArrayBuffer[],
): CheckedTensor[][] {
  const offsets = returned.map(() => 0);
  return members.map((member) =>
    member.tensors.map((tensor, input) => {
      const start = offsets[input] ?? 0;
      offsets[input] = start + tensor.data.length;
      return { shape: tensor.shape, data: Buffer.from(returned[input] ?? new ArrayBuffer(0), start, tensor.data.length) };
    }),
  );
}
