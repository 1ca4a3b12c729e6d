import { describe, expect, it } from 'vitest';
import type { DecodedBlock } from './decoded-blocks.js';
import { HpackDecoder } from './decoder.js';
import type { HpackDecoderOptions } from './decoder.js';
import { HpackError } from './errors.js';

const roomy = { maxTableBytes: 4096, maxListBytes: 65_536, maxFields: 1000 };
/** A literal that is inserted: `a: b`. */
const insertAb = '4001610162';

describe('HpackDecoder', () => {
  it.each([
    { name: 'index 0', hex: '80', problem: /index is 0/ },
    { name: 'an index past an empty table', hex: 'be', problem: /index is 62: expected 1 to 61/ },
    { name: 'an index past the last entry', hex: `${insertAb}bf`, problem: /index is 63: expected 1 to 62/ },
    { name: 'a name index past the last entry', hex: '7e0162', problem: /index is 62/ },
    { name: 'a name index past the last entry in a literal that is not inserted', hex: '0f2f0162', problem: /index is 62/ },
    // 33 octets of table: `a: b` fits not, so nothing is in it.
    { name: 'an index after a field larger than the table', hex: `3f02${insertAb}be`, problem: /index is 62: expected 1 to 61/ },
    { name: 'an index that was evicted by a size update', hex: `20${insertAb}be`, problem: /index is 62/ },
    { name: 'an integer over 2^31-1', hex: 'ff81ffffff07', problem: /integer is 2147483648: expected at most 2147483647/ },
    { name: 'an index of 2^31-1', hex: 'ff80ffffff07', problem: /index is 2147483647/ },
    { name: 'an integer of seven octets', hex: 'ff808080808000', problem: /more than 6 octets/ },
    { name: 'an integer that breaks off', hex: 'ff80', problem: /ends inside/ },
    { name: 'a prefix that breaks off', hex: 'ff', problem: /ends inside/ },
    { name: 'a literal without its name', hex: '40', problem: /ends inside/ },
    { name: 'a name that breaks off', hex: '400361', problem: /ends inside/ },
    { name: 'a literal without its value', hex: '400161', problem: /ends inside/ },
    { name: 'a value that breaks off', hex: '4001610261', problem: /ends inside/ },
    { name: 'a length of 2^31-1', hex: '40017f7f80ffffff07', problem: /ends inside/ },
    { name: 'Huffman padding of eight bits', hex: '04821fff', problem: /padding/ },
    { name: 'Huffman padding of zeros', hex: '048118', problem: /padding/ },
    { name: 'the end of the string in a Huffman text', hex: '0484ffffffff', problem: /end-of-string/ },
    { name: 'the end of the string in a Huffman name', hex: '0084ffffffff0162', problem: /end-of-string/ },
    { name: 'a size update after an indexed field', hex: '8220', problem: /after a field/ },
    { name: 'a size update after a literal', hex: '000161016220', problem: /after a field/ },
    { name: 'a third size update', hex: '202020', problem: /more than 2/ },
    { name: 'a size update above what was announced', hex: '3fe21f', problem: /update to 4097: expected at most 4096/ },
    { name: 'a size update that breaks off', hex: '3f', problem: /ends inside/ },
  ])('refuses $name', ({ hex, problem }) => {
    expect(() => decodeHex(new HpackDecoder(roomy), hex)).toThrow(HpackError);
    expect(() => decodeHex(new HpackDecoder(roomy), hex)).toThrow(problem);
  });

  it.each([
    { name: 'no field', hex: '', fields: [] },
    { name: 'size updates alone', hex: '203fe11f', fields: [] },
    { name: 'a size update to what was announced', hex: '3fe11f82', fields: [':method', 'GET'] },
    { name: 'a literal under a static name', hex: '040161', fields: [':path', 'a'] },
    { name: 'empty texts', hex: '000000', fields: ['', ''] },
    { name: 'an empty Huffman text', hex: '0480', fields: [':path', ''] },
    { name: 'Huffman padding of seven bits', hex: '0482fe3f', fields: [':path', '!'] },
    { name: 'octets beyond ASCII', hex: '0401ff', fields: [':path', '\xff'] },
    { name: 'an index of two octets with needless zeros', hex: `${insertAb}0faf80000163`, fields: ['a', 'b', 'a', 'c'] },
  ])('reads $name', ({ hex, fields }) => {
    expect(decodeHex(new HpackDecoder(roomy), hex)).toEqual({ fields, tooLarge: false });
  });

  it('reads a block in the midst of other bytes and leaves them alone', () => {
    const bytes = Buffer.from(`ffff8287ffff`, 'hex');
    expect(new HpackDecoder(roomy).decode(bytes, 2, 4).fields).toEqual([':method', 'GET', ':scheme', 'https']);
    expect(() => new HpackDecoder(roomy).decode(bytes, 2, 7)).toThrow(RangeError);
  });

  it('does not end at a break inside a block that goes on in the buffer', () => {
    const bytes = Buffer.from('0403616263', 'hex');
    expect(() => new HpackDecoder(roomy).decode(bytes, 0, 4)).toThrow(/ends inside/);
  });

  it('starts with 4,096 octets although less was announced, until the peer confirms', () => {
    const decoder = new HpackDecoder({ ...roomy, maxTableBytes: 0 });
    expect(decodeHex(decoder, `${insertAb}be`).fields).toEqual(['a', 'b', 'a', 'b']);
    expect(decodeHex(decoder, `20${insertAb}`).fields).toEqual(['a', 'b']);
    expect(() => decodeHex(decoder, 'be')).toThrow(HpackError);
  });

  describe('a list over its bounds', () => {
    // `a: b` is 34 octets in a list.
    it.each([
      { name: 'fits exactly', options: { maxListBytes: 68 }, fields: ['a', 'b', 'a', 'b'], tooLarge: false },
      { name: 'is one octet too large', options: { maxListBytes: 67 }, fields: ['a', 'b'], tooLarge: true },
      { name: 'has exactly the fields allowed', options: { maxFields: 2 }, fields: ['a', 'b', 'a', 'b'], tooLarge: false },
      { name: 'has one field too many', options: { maxFields: 1 }, fields: ['a', 'b'], tooLarge: true },
    ])('$name', ({ options, fields, tooLarge }) => {
      expect(decodeHex(decoderWith(options), `${insertAb}be`)).toEqual({ fields, tooLarge });
    });

    it('says how long it is, at most as long as allowed', () => {
      const bytes = Buffer.from(`${insertAb}be`, 'hex');
      expect(decoderWith({ maxListBytes: 68 }).decode(bytes, 0, bytes.length).listBytes).toBe(68);
      expect(decoderWith({ maxListBytes: 67 }).decode(bytes, 0, bytes.length).listBytes).toBe(67);
    });

    it('is still read to its end: what it inserts is in the table', () => {
      const decoder = decoderWith({ maxFields: 1 });
      expect(decodeHex(decoder, `8287${insertAb}`)).toEqual({ fields: [':method', 'GET'], tooLarge: true });
      expect(decodeHex(decoder, 'be')).toEqual({ fields: ['a', 'b'], tooLarge: false });
      expect(() => decodeHex(decoder, '828780')).toThrow(HpackError);
    });

    it('takes no field after the first that did not fit, however small', () => {
      const large = `00016164${'62'.repeat(100)}`;
      expect(decodeHex(decoderWith({ maxListBytes: 120 }), `82${large}83`)).toEqual({ fields: [':method', 'GET'], tooLarge: true });
    });

    it('costs a bomb no memory: one entry of 4 KiB named by 16,000 octets', () => {
      const decoder = decoderWith({ maxListBytes: 16_384 });
      const entry = Buffer.concat([Buffer.from('4001617fd11e', 'hex'), Buffer.alloc(4048, 'x')]);
      expect(decoder.decode(entry, 0, entry.length).fields[1]).toHaveLength(4048);
      const bomb = Buffer.alloc(16_384, 0xbe);
      const block = decoder.decode(bomb, 0, bomb.length);
      // 4 x (1 + 4,048 + 32) = 16,324 octets fit, not 66 MB.
      expect([block.tooLarge, block.fields.length]).toEqual([true, 8]);
      expect(new Set(block.fields).size).toBe(2);
    });
  });

  describe('recent blocks', () => {
    it('come back as the very same list while the table is the same', () => {
      const decoder = new HpackDecoder(roomy);
      const first = blockOf(decoder, '838682');
      expect(blockOf(decoder, '838682')).toBe(first);
      expect(blockOf(decoder, '838683')).not.toBe(first);
      expect(blockOf(decoder, '8386')).not.toBe(first);
    });

    it('may hold literals that are not indexed, and none that is inserted or must never be indexed', () => {
      const decoder = new HpackDecoder(roomy);
      const repeats = (hex: string): boolean => blockOf(decoder, hex) === blockOf(decoder, hex);
      // x: y as 0000 (without indexing), 0001 (never indexed) and 01 (with it).
      expect(['8300017801' + '79', '8310017801' + '79', '8340017801' + '79'].map(repeats)).toEqual([true, false, false]);
    });

    it('are not used once an index means another field', () => {
      const decoder = new HpackDecoder(roomy);
      decodeHex(decoder, insertAb);
      expect(decodeHex(decoder, 'be').fields).toEqual(['a', 'b']);
      decodeHex(decoder, '4001630164');
      expect(decodeHex(decoder, 'be').fields).toEqual(['c', 'd']);
      decodeHex(decoder, '20');
      expect(() => decodeHex(decoder, 'be')).toThrow(HpackError);
    });

    it('are not used for a block that inserts, though it is the same again', () => {
      const decoder = new HpackDecoder(roomy);
      for (let each = 0; each < 3; each += 1) decodeHex(decoder, insertAb);
      expect(decodeHex(decoder, 'bebfc0').fields).toHaveLength(6);
    });

    it('never answer for another block, whatever their hashes', () => {
      const decoder = new HpackDecoder(roomy);
      const blocks = Array.from({ length: 61 * 61 }, (_, each) => Buffer.from([0x81 + (each % 61), 0x81 + Math.floor(each / 61)]));
      const fresh = (block: Buffer): readonly string[] => new HpackDecoder(roomy).decode(block, 0, 2).fields;
      for (const block of blocks) {
        expect(decoder.decode(block, 0, 2).fields).toEqual(fresh(block));
        expect(decoder.decode(block, 0, 2).fields).toEqual(fresh(block));
      }
    });

    it('answer also for what was too large', () => {
      const decoder = decoderWith({ maxFields: 1 });
      expect(decodeHex(decoder, '8283')).toEqual(decodeHex(decoder, '8283'));
    });
  });
});

function decoderWith(options: Partial<HpackDecoderOptions>): HpackDecoder {
  return new HpackDecoder({ ...roomy, ...options });
}

function decodeHex(decoder: HpackDecoder, hex: string): Pick<DecodedBlock, 'fields' | 'tooLarge'> {
  const { fields, tooLarge } = blockOf(decoder, hex);
  return { fields, tooLarge };
}

function blockOf(decoder: HpackDecoder, hex: string): DecodedBlock {
  const bytes = Buffer.from(hex, 'hex');
  return decoder.decode(bytes, 0, bytes.length);
}
