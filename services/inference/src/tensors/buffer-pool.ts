/**
 * ArrayBuffers for the inputs of a run, reused after they came back from the worker. One list per power of two:
 *
 *     class   256 B   512 B   1 KiB  ...  64 MiB
 *     idle    [..]    [.]     []          []        sum of idle bytes <= maxIdleBytes
 *
 * What does not fit the bound is left to the garbage collector, so the pool can never hold more than a burst's worth.
 */
export class BufferPool {
  readonly #idle = new Map<number, ArrayBuffer[]>();
  readonly #maxIdleBytes: number;
  #idleBytes = 0;

  constructor(maxIdleBytes = 64 * 1024 * 1024) {
    this.#maxIdleBytes = maxIdleBytes;
  }

  /** At least `byteLength` bytes, old contents included: the caller overwrites all it uses. */
  acquire(byteLength: number): ArrayBuffer {
    const size = sizeClass(byteLength);
    const buffer = this.#idle.get(size)?.pop();
    if (buffer === undefined) return new ArrayBuffer(size);
    this.#idleBytes -= size;
    return buffer;
  }

  /** Buffers of sizes this pool never made (none of a class, or detached) are ignored. */
  release(buffer: ArrayBuffer): void {
    const size = buffer.byteLength;
    if (size === 0 || sizeClass(size) !== size || size > maxClassBytes || this.#idleBytes + size > this.#maxIdleBytes) return;
    const list = this.#idle.get(size);
    if (list === undefined) this.#idle.set(size, [buffer]);
    else list.push(buffer);
    this.#idleBytes += size;
  }

  get idleBytes(): number {
    return this.#idleBytes;
  }
}

const minClassBytes = 256;
const maxClassBytes = 64 * 1024 * 1024;

/** The next power of two; above the largest class the exact size, which is not kept. */
function sizeClass(byteLength: number): number {
  if (byteLength > maxClassBytes) return byteLength;
  let size = minClassBytes;
  while (size < byteLength) size *= 2;
  return size;
}
