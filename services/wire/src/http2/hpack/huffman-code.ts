/**
 * The Huffman code of RFC 7541 Appendix B. It is canonical: among codes of one length, a larger symbol has a larger code, and a longer
 * code goes on where the shorter ones ended. So the lengths are the whole table, e.g. '0' is the first of length 5 = 00000, '1' = 00001,
 * ..., and the first of length 6, the space, is one past 't' (01001) with a zero appended = 010100.
 *
 * Each length is one digit of base 36, from 5 to u = 30: '0' to '2' have 5 bits, '3' to '9' have 6, and ':' has 7.
 */
const lengthDigits = [
  'dnsssssssoussussssssssusssssssss', // 0x00
  '6aacd68baa8b8666555666666678f6ca', // 0x20: space ! " ...
  'd67777777777777777777777878djde6', // 0x40: @ A B ...
  'f56565666577666567655677777fbeds', // 0x60: ` a b ...
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnno', // 0x80
  'mlkmmnnlnmmolmnnllmlnmnnkmmmnmmn', // 0xa0
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrr', // 0xc0
  'koklmllnmmppooqnqrqqrrrrrsrrrrrq', // 0xe0
  'u', // the end of the string, which no text contains
].join('');

export const endOfString = 256;
export const shortestCodeBits = 5;
export const codeLengths: Uint8Array = Uint8Array.from(lengthDigits, (digit) => Number.parseInt(digit, 36));
export const codes: Uint32Array = canonicalCodes(codeLengths);

function canonicalCodes(lengths: Uint8Array): Uint32Array {
  const found = new Uint32Array(lengths.length);
  const longest = Math.max(...lengths);
  let next = 0;
  for (let length = shortestCodeBits; length <= longest; length += 1) {
    for (const [symbol, its] of lengths.entries()) {
      if (its !== length) continue;
      found[symbol] = next;
      next += 1;
    }
    // 31 bits at the most, after the last code of 30: within an int32 as an unsigned number.
    next *= 2;
  }
  return found;
}
