/** Compressed-Flag and Message-Length in front of every message (grpc/doc/PROTOCOL-HTTP2: Length-Prefixed-Message). */
export const messagePrefixBytes = 5;

const maxLength = 0xff_ff_ff_ff;

/**
 * Writes the prefix of a message of `length` bytes; `out` must have 5 bytes from `at` on. Answers where the message goes.
 * Throws a RangeError on a length that 32 bits cannot say.
 *
 *   +------+---------------------------+----------
 *   | 0, 1 | length, 4 bytes, big end  | message
 *   +------+---------------------------+----------
 */
export function writePrefix(out: Buffer, at: number, length: number, compressed: boolean): number {
  if (length > maxLength) throw new RangeError(`a message of ${length} bytes does not fit a 32-bit length prefix`);
  out[at] = compressed ? 1 : 0;
  // Typed arrays keep the low 8 bits of what is stored.
  out[at + 1] = length >>> 24;
  out[at + 2] = length >>> 16;
  out[at + 3] = length >>> 8;
  out[at + 4] = length;
  return at + messagePrefixBytes;
}

const prefix = Buffer.alloc(messagePrefixBytes);

/** The five bytes before a message, in a buffer that the next call overwrites. */
export function messagePrefix(length: number, compressed: boolean): Buffer {
  writePrefix(prefix, 0, length, compressed);
  return prefix;
}
