import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HpackError } from './errors.js';
import { codeLengths, codes, endOfString } from './huffman-code.js';
import { decodeHuffman } from './huffman-decode.js';
import { huffmanBytes, writeHuffman } from './huffman-encode.js';

describe('the Huffman code of RFC 7541 Appendix B', () => {
  it.each([
    ['0', 0x0, 5],
    ['t', 0x9, 5],
    [' ', 0x14, 6],
    ['&', 0xf8, 8],
    ['!', 0x3f8, 10],
    ['\\', 0x7fff0, 19],
    ['\x00', 0x1ff8, 13],
    ['\xff', 0x3ffffee, 26],
    ['\n', 0x3ffffffc, 30],
    ['\x16', 0x3ffffffe, 30],
  ])('writes %j as %i in %i bits', (text, code, bits) => {
    const symbol = text.charCodeAt(0);
    expect([codes[symbol], codeLengths[symbol]]).toEqual([code, bits]);
  });

  it('is all of Appendix B: the digest of its 257 codes as bits, one a line', () => {
    const bits = Array.from(codes, (code, symbol) => code.toString(2).padStart(codeLengths[symbol] ?? 0, '0'));
    expect(createHash('sha256').update(bits.join('\n')).digest('hex')).toBe(
      'd88e9b31655724206f12c52c51043eb497f32851381fcaa37b495f507e0b62ee',
    );
  });

  it('is a full tree: Kraft’s sum is 1, and the end of the string is thirty ones', () => {
    expect(codeLengths.reduce((sum, bits) => sum + 2 ** -bits, 0)).toBe(1);
    expect([codes[endOfString], codeLengths[endOfString]]).toEqual([0x3fff_ffff, 30]);
  });

  it('round-trips each pair of octets', () => {
    for (let first = 0; first < 256; first += 1) {
      const text = Array.from({ length: 256 }, (_, second) => String.fromCharCode(first, second)).join('');
      expect(decoded(encoded(text))).toBe(text);
    }
  });

  it('round-trips any latin1 text in exactly the octets it foretold', () => {
    const text = fc.uint8Array({ maxLength: 300, size: 'max' }).map((bytes) => Buffer.from(bytes).toString('latin1'));
    fc.assert(
      fc.property(text, (each) => {
        const bytes = encoded(each);
        expect(bytes).toHaveLength(huffmanBytes(each));
        expect(decoded(bytes)).toBe(each);
      }),
    );
  });

  it('takes texts longer than the scratch space, and the next one after it', () => {
    const long = 'a'.repeat(20_000);
    expect(decoded(encoded(long))).toBe(long);
    expect(decoded(encoded('bc'))).toBe('bc');
  });

  it.each([
    { name: 'eight bits of padding', hex: 'ff', problem: /padding/ },
    { name: 'a symbol and a whole octet of padding', hex: '1fff', problem: /padding/ },
    { name: 'padding of zeros', hex: '18', problem: /padding/ },
    { name: 'a code that breaks off', hex: 'fffffc', problem: /padding/ },
    { name: 'the end of the string', hex: 'ffffffff', problem: /end-of-string/ },
    { name: 'the end of the string in the middle', hex: '1fffffffff18ff', problem: /end-of-string/ },
  ])('refuses $name', ({ hex, problem }) => {
    expect(() => decoded(Buffer.from(hex, 'hex'))).toThrow(HpackError);
    expect(() => decoded(Buffer.from(hex, 'hex'))).toThrow(problem);
  });

  it('refuses a character beyond latin1 without showing the text', () => {
    expect(() => huffmanBytes('secret\u0141')).toThrow(new TypeError('a header text has U+0141 at 6: expected latin1, up to U+00FF'));
  });
});

function encoded(text: string): Buffer {
  const target = Buffer.alloc(4 * text.length);
  return target.subarray(0, writeHuffman(target, 0, text));
}

function decoded(bytes: Buffer): string {
  return decodeHuffman(bytes, 0, bytes.length);
}
