import { describe, expect, it } from 'vitest';
import { HpackDecoder } from './decoder.js';
import { HpackEncoder } from './encoder.js';

const roomy = { maxTableBytes: 65_536, maxListBytes: 1_000_000, maxFields: 10_000 };

describe('HpackEncoder', () => {
  it.each([
    { name: 'a static field by its index', fields: [':method', 'POST'], first: '83', again: '83' },
    { name: 'a static name with a value of its own', fields: [':path', '/a'], first: /^44/, again: 'be' },
    { name: 'a name of its own', fields: ['x-tenant', 'a'], first: /^40/, again: 'be' },
    { name: 'the second value of a name under its index', fields: ['x', '1', 'x', '2'], first: /^40.*7e/, again: 'bfbe' },
    { name: 'content-length, not inserted', fields: ['content-length', '7'], first: '0f0d0137', again: '0f0d0137' },
    { name: 'a long value, not inserted', fields: ['x', 'a'.repeat(257)], first: /^00/, again: /^00/ },
    { name: 'a value of the longest that is inserted', fields: ['x', 'a'.repeat(256)], first: /^40/, again: 'be' },
    { name: 'authorization, never to be inserted', fields: ['authorization', 'Bearer x'], first: /^1f08/, again: /^1f08/ },
    { name: 'an empty secret, still marked', fields: ['cookie', ''], first: '1f1100', again: '1f1100' },
    { name: 'a secret without a static name', fields: ['x-api-key', 'k'], first: /^10/, again: /^10/ },
    { name: 'a text that Huffman would lengthen, plain', fields: ['x', '{|}'], first: '400178037b7c7d', again: 'be' },
    { name: 'no field', fields: [], first: '', again: '' },
  ])('writes $name', ({ fields, first, again }) => {
    const encoder = new HpackEncoder();
    const blocks = [encoder.encode(fields).toString('hex'), encoder.encode([...fields]).toString('hex')];
    for (const [at, expected] of [first, again].entries()) {
      expect(blocks[at]).toMatch(typeof expected === 'string' ? new RegExp(`^${expected}$`) : expected);
    }
  });

  it.each(['grpc-timeout', 'traceparent', 'x-request-id', 'grpc-message', 'grpc-status-details-bin', 'x-of-ours-bin'])(
    'inserts %s once for its name, and no value after the first; short values are plain',
    (name) => {
      const encoder = new HpackEncoder();
      expect(encoder.encode([name, '11111111']).toString('hex')).toMatch(/^40/);
      // 0f 2f: not inserted, the name of index 62; 08: eight octets, not in the Huffman code.
      expect(encoder.encode([name, '00000000']).toString('hex')).toBe('0f2f083030303030303030');
      expect(encoder.encode([name, '22222222']).toString('hex')).toBe('0f2f083232323232323232');
      expect(encoder.encode([name, '0'.repeat(80)]).toString('hex')).toBe(`0f2fb2${'00'.repeat(50)}`);
    },
  );

  it('stops inserting values of a name that varies, so that what repeats stays', () => {
    const encoder = new HpackEncoder();
    const steady = [':path', '/a', 'x-tenant', 'b'];
    encoder.encode(steady);
    for (let each = 0; each < 1000; each += 1) encoder.encode(['x-user', `someone-${each}`]);
    // Eight insertions came after the two.
    expect(encoder.encode([...steady]).toString('hex')).toBe('c7c6');
  });

  describe('recent blocks', () => {
    const fields = [':path', '/a', 'x-tenant', 'b'];

    it('are written the same from the cache, and anew after the table changed', () => {
      const encoder = new HpackEncoder();
      encoder.encode(fields);
      expect(encoder.encode(fields).toString('hex')).toBe('bfbe');
      expect(encoder.encode(fields).toString('hex')).toBe('bfbe');
      encoder.encode(['x-other', 'c']);
      expect(encoder.encode(fields).toString('hex')).toBe('c0bf');
    });

    it('hold more lists than there are slots without mixing them up', () => {
      const encoder = new HpackEncoder();
      const lists = Array.from({ length: 40 }, (_, each) => [':path', `/${each}`, ':method', each % 2 === 0 ? 'GET' : 'POST']);
      const decoder = new HpackDecoder(roomy);
      for (let round = 0; round < 5; round += 1) for (const list of lists) expect(passed(encoder, decoder, list)).toEqual(list);
    });

    it('do not answer where a table size is to be announced', () => {
      const encoder = new HpackEncoder();
      const list = [':method', 'GET'];
      encoder.encode(list);
      encoder.encode(list);
      encoder.setPeerTableBytes(100);
      expect(encoder.encode(list).toString('hex')).toBe('3f4582');
      expect(encoder.encode(list).toString('hex')).toBe('82');
    });
  });

  describe('the peer’s table size', () => {
    it.each([
      { name: 'nothing while it allows what is used', sizes: [65_536, 4096], hex: '82' },
      { name: 'a reduction', sizes: [64], hex: '3f2182' },
      { name: 'a reduction to nothing', sizes: [0], hex: '2082' },
      { name: 'the smallest, then the last', sizes: [64, 0, 100], hex: '203f4582' },
      { name: 'the smallest once if it is the last', sizes: [100, 0], hex: '2082' },
      { name: 'a dip and a return to what it was', sizes: [0, 4096], hex: '203fe11f82' },
    ])('is announced as $name', ({ sizes, hex }) => {
      const encoder = new HpackEncoder();
      for (const bytes of sizes) encoder.setPeerTableBytes(bytes);
      expect(encoder.encode([':method', 'GET']).toString('hex')).toBe(hex);
      expect(encoder.encode([':method', 'GET']).toString('hex')).toBe('82');
    });

    it('is used up to our own bound, which the first block announces if it is not 4,096', () => {
      const small = new HpackEncoder({ maxTableBytes: 64 });
      expect(small.encode([':method', 'GET']).toString('hex')).toBe('3f2182');
      small.setPeerTableBytes(4096);
      expect(small.encode([':method', 'GET']).toString('hex')).toBe('82');
      const large = new HpackEncoder({ maxTableBytes: 65_536 });
      expect(large.encode([':method', 'GET']).toString('hex')).toBe('82');
      large.setPeerTableBytes(1_000_000);
      expect(large.encode([':method', 'GET']).toString('hex')).toBe('3fe1ff0382');
    });

    it('of 0 inserts nothing', () => {
      const encoder = new HpackEncoder();
      encoder.setPeerTableBytes(0);
      expect(encoder.encode(['x', '1']).toString('hex')).toBe('200001780131');
      expect(encoder.encode(['x', '1']).toString('hex')).toBe('0001780131');
    });
  });

  describe('texts that cannot be sent', () => {
    it.each([
      { name: 'a value beyond latin1', fields: ['x', '\u0141'], problem: /U\+0141 at 0/ },
      { name: 'a name beyond latin1', fields: ['x\u2028', 'a'], problem: /U\+2028 at 1/ },
      { name: 'a plain value beyond latin1', fields: ['content-length', 'a\u010a'], problem: /U\+010A at 1/ },
      { name: 'a long value beyond latin1', fields: ['content-length', `${'a'.repeat(70)}\u010a`], problem: /U\+010A at 70/ },
      {
        name: 'a plain value of medium length beyond latin1',
        fields: ['content-length', `${'a'.repeat(40)}\u010a`],
        problem: /U\+010A at 40/,
      },
      { name: 'a name without a value', fields: ['x'], problem: /1 texts/ },
    ])('are refused: $name', ({ fields, problem }) => {
      expect(() => new HpackEncoder().encode(fields)).toThrow(TypeError);
      expect(() => new HpackEncoder().encode(fields)).toThrow(problem);
    });

    it('leave both sides with the same table: the next block starts it over', () => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder(roomy);
      const list = ['x', '1'];
      expect(passed(encoder, decoder, list)).toEqual(list);
      expect(() => encoder.encode(['y', '2', 'z', '\u0141'])).toThrow(TypeError);
      for (const each of [list, ['y', '2'], list]) expect(passed(encoder, decoder, each)).toEqual(each);
    });

    it('do not lose a reduction of the table that they were to announce', () => {
      const encoder = new HpackEncoder();
      encoder.encode(['x', '1']);
      encoder.setPeerTableBytes(0);
      expect(() => encoder.encode(['z', '\u0141'])).toThrow(TypeError);
      expect(encoder.encode([':method', 'GET']).toString('hex')).toBe('2082');
    });
  });

  it('grows for a large block and gives correct ones after it', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder(roomy);
    const large = Array.from({ length: 200 }, (_, each) => [`x-${each}`, '~'.repeat(300)]).flat();
    const small = [':path', '/a', 'x-tenant', 'b'];
    for (const each of [small, large, small, large, large, small]) expect(passed(encoder, decoder, each)).toEqual(each);
  });
});

function passed(encoder: HpackEncoder, decoder: HpackDecoder, fields: readonly string[]): readonly string[] {
  const block = encoder.encode(fields);
  return decoder.decode(block, 0, block.length).fields;
}
