/** Up to this length a character-by-character loop is cheaper than a call into the runtime. */
const shortText = 32;

/** Writing protobuf's wire format into a buffer of exactly the right size: sizes first, then bytes. */
export class WireWriter {
  readonly bytes: Buffer;
  position = 0;

  constructor(size: number) {
    // Every byte gets written; `finish` checks it.
    this.bytes = Buffer.allocUnsafe(size);
  }

  /** An unsigned integer up to 2^53 - 1. */
  varint(value: number): void {
    let rest = value;
    // Bit operations work on 32 bits.
    while (rest > 0x7fff_ffff) {
      this.bytes[this.position++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest > 0x7f) {
      this.bytes[this.position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.position++] = rest;
  }

  /** 64 bits; negative values as two's complement, in ten bytes. */
  varint64(value: bigint): void {
    // Small values, which almost all are, without arithmetic on big integers.
    const small = Number(value);
    if (small >= 0 && small <= Number.MAX_SAFE_INTEGER) return this.varint(small);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.bytes[this.position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.position++] = Number(rest);
  }

  double(value: number): void {
    this.position = this.bytes.writeDoubleLE(value, this.position);
  }

  /** A length-delimited string; `size` is its length in UTF-8. */
  string(tag: number, text: string, size: number): void {
    this.varint(tag);
    this.varint(size);
    // As many bytes as UTF-16 units: ASCII.
    if (size === text.length && size <= shortText) {
      for (let index = 0; index < size; index++) this.bytes[this.position++] = text.charCodeAt(index);
    } else {
      this.position += this.bytes.write(text, this.position, size, 'utf8');
    }
  }

  raw(data: Uint8Array): void {
    this.bytes.set(data, this.position);
    this.position += data.byteLength;
  }

  finish(): Buffer {
    if (this.position !== this.bytes.length) {
      throw new Error(`wrote ${this.position} bytes of a message measured at ${this.bytes.length}`);
    }
    return this.bytes;
  }
}

/** Length of a text in UTF-8. */
export function textSize(text: string): number {
  if (text.length > shortText) return Buffer.byteLength(text);
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return Buffer.byteLength(text);
  }
  return text.length;
}

/** Bytes that `varint` takes. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  let size = 2;
  for (let limit = 0x4000; value >= limit; limit *= 0x80) size++;
  return size;
}

/** Bytes that `varint64` takes. */
export function varint64Size(value: bigint): number {
  const small = Number(value);
  if (small < 0) return 10;
  if (small <= Number.MAX_SAFE_INTEGER) return varintSize(small);
  // From 2^53 on: 8 bytes hold 56 bits, 9 hold 63.
  if (value < 1n << 56n) return 8;
  return value < 1n << 63n ? 9 : 10;
}

/** A payload of `size` bytes with its length prefix and a tag of one byte. */
export function delimitedSize(size: number): number {
  return 1 + varintSize(size) + size;
}

/** As delimitedSize; a string field that is empty is not written at all. */
export function stringFieldSize(text: string): number {
  return text === '' ? 0 : delimitedSize(textSize(text));
}
