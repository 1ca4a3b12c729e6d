import { codeLengths, codes } from './huffman-code.js';
import { notLatin1 } from './latin1.js';

/** Octets the text takes in the Huffman code; a TypeError if it is not latin1. About 1 ns a character: cheaper than encoding in vain. */
export function huffmanBytes(text: string): number {
  let bits = 0;
  let seen = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    seen |= code;
    bits += codeLengths[code & 0xff] as number;
  }
  // One look at the union of all characters instead of a branch in the loop.
  if (seen > 0xff) throw notLatin1(text);
  return (bits + 7) >>> 3;
}

/** Writes the text, which is latin1, and the padding of ones (RFC 7541 5.2). Returns the position after it. */
export function writeHuffman(target: Uint8Array, start: number, text: string): number {
  let at = start;
  // The last `pendingBits` (0-7 between characters) bits of `pending` wait for company; above them lies what was written already.
  let pending = 0;
  let pendingBits = 0;
  for (let each = 0; each < text.length; each += 1) {
    const symbol = text.charCodeAt(each);
    let code = codes[symbol] as number;
    let length = codeLengths[symbol] as number;
    if (length > 24) {
      // 7 waiting bits and a code of up to 30 do not fit into 32: its first bits (at most 22) go ahead.
      pending = (pending << (length - 8)) | (code >>> 8);
      pendingBits += length - 8;
      while (pendingBits >= 8) {
        pendingBits -= 8;
        target[at] = pending >>> pendingBits;
        at += 1;
      }
      code &= 0xff;
      length = 8;
    }
    pending = (pending << length) | code;
    pendingBits += length;
    while (pendingBits >= 8) {
      pendingBits -= 8;
      target[at] = pending >>> pendingBits;
      at += 1;
    }
  }
  if (pendingBits > 0) {
    target[at] = (pending << (8 - pendingBits)) | (0xff >>> pendingBits);
    at += 1;
  }
  return at;
}
