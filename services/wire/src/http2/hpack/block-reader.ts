import { HpackError } from './errors.js';
import { decodeHuffman } from './huffman-decode.js';
import { maxInteger, maxIntegerBytes } from './integer.js';
import { latin1Text } from './latin1.js';

const nothing = Buffer.alloc(0);

/** A cursor over one header block. Each decoder has one and points it at block after block, so that reading allocates nothing but texts. */
export class BlockReader {
  position = 0;
  #bytes: Buffer = nothing;
  #end = 0;

  open(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.position = start;
    this.#end = end;
  }

  /** Lets go of the bytes: a chunk of 64 KiB must not live as long as an idle connection. */
  close(): void {
    this.#bytes = nothing;
    this.position = 0;
    this.#end = 0;
  }

  octet(): number {
    if (this.position >= this.#end) throw truncated();
    const octet = this.#bytes[this.position] as number;
    this.position += 1;
    return octet;
  }

  /** The integer that began in `first` (RFC 7541 5.1), whose prefix is `mask`. */
  integer(first: number, mask: number): number {
    const prefix = first & mask;
    return prefix < mask ? prefix : this.#longInteger(mask);
  }

  #longInteger(mask: number): number {
    let value = mask;
    let weight = 1;
    for (let count = 1; count < maxIntegerBytes; count += 1) {
      const octet = this.octet();
      // No shift: the last octet's weight is 2^28, and 127 * 2^28 is past an int32.
      value += (octet & 0x7f) * weight;
      weight *= 0x80;
      if (octet < 0x80) {
        if (value > maxInteger) throw new HpackError(`an integer is ${value}: expected at most ${maxInteger}`);
        return value;
      }
    }
    throw new HpackError(`an integer takes more than ${maxIntegerBytes} octets`);
  }

  /** A string literal (RFC 7541 5.2), plain or Huffman. */
  text(): string {
    const first = this.octet();
    const length = this.integer(first, 0x7f);
    const start = this.position;
    if (length > this.#end - start) throw truncated();
    this.position = start + length;
    return first >= 0x80 ? decodeHuffman(this.#bytes, start, this.position) : latin1Text(this.#bytes, start, this.position);
  }
}

function truncated(): HpackError {
  return new HpackError('the header block ends inside a field');
}
