/**
 * Writes an integer of RFC 7541 5.1 whose first octet shares its place with `flags`; `mask` is the prefix full of ones (0x7f for 7 bits).
 * E.g. 1337 under 0x1f: 31, then 1306 = 10 * 128 + 26 => 1f 9a 0a. Returns the position after it, at most `maxIntegerBytes` on.
 */
export function writeInteger(target: Uint8Array, start: number, flags: number, mask: number, value: number): number {
  if (value < mask) {
    target[start] = flags | value;
    return start + 1;
  }
  target[start] = flags | mask;
  let at = start + 1;
  let rest = value - mask;
  while (rest >= 0x80) {
    target[at] = 0x80 | (rest & 0x7f);
    at += 1;
    rest >>>= 7;
  }
  target[at] = rest;
  return at + 1;
}

/** The first octet and five of seven bits each: 35 bits, enough for 2^31-1 and all that may be read. */
export const maxIntegerBytes = 6;
/** Nothing in a header block is legitimately larger; it also keeps all sums below within a double's exact integers. */
export const maxInteger = 0x7fff_ffff;
