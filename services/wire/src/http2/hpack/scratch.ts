const initialBytes = 512;
/** A block larger than this is rare; its buffer is let go with the next one. */
const maxKeptBytes = 16_384;
/** Most blocks are shorter; a view of each length is made once, as making one costs more than encoding a steady block. */
const maxKeptView = 128;

/** The buffer in which an encoder writes block after block, from its beginning. */
export class Scratch {
  bytes = Buffer.allocUnsafeSlow(initialBytes);
  #views: Buffer[] = [];

  /** Begins a new block: what was handed out is no longer valid. */
  reset(): void {
    if (this.bytes.length > maxKeptBytes) this.#replace(Buffer.allocUnsafeSlow(initialBytes));
  }

  /** Room for `more` octets after the first `used`, which are kept. */
  reserve(used: number, more: number): void {
    if (used + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, used + more));
    this.bytes.copy(larger, 0, 0, used);
    this.#replace(larger);
  }

  view(length: number): Buffer {
    if (length >= maxKeptView) return this.bytes.subarray(0, length);
    return (this.#views[length] ??= this.bytes.subarray(0, length));
  }

  #replace(bytes: Buffer<ArrayBuffer>): void {
    this.bytes = bytes;
    this.#views = [];
  }
}
