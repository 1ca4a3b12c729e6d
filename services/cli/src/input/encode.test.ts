import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import type { Datatype } from '@headrace/proto';
import { decodeElements } from './decode.js';
import { encodeLeaves } from './encode.js';
import type { JsonValue } from './nested.js';

const leaves: Record<Datatype, fc.Arbitrary<JsonValue>> = {
  BOOL: fc.boolean(),
  UINT8: fc.integer({ min: 0, max: 255 }),
  UINT16: fc.integer({ min: 0, max: 65_535 }),
  UINT32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  UINT64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(spell),
  INT8: fc.integer({ min: -128, max: 127 }),
  INT16: fc.integer({ min: -32_768, max: 32_767 }),
  INT32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  INT64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(spell),
  FP16: fc.constantFrom(0.5, -2, 65_504, 'NaN', 'Infinity'),
  BF16: fc.constantFrom(0.5, -2, 'NaN', '-Infinity'),
  FP32: fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  FP64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  BYTES: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant({ b64: '/w==' })),
};

function spell(value: bigint): JsonValue {
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

describe('encode and decode', () => {
  test.each(Object.keys(leaves) as Datatype[])('%s comes back as it went', (datatype) => {
    fc.assert(
      fc.property(fc.array(leaves[datatype], { maxLength: 20 }), (values) => {
        const back = decodeElements(encodeLeaves(values, datatype, [values.length], 'x'), datatype);
        // Equal up to the shortest spelling of a float32, which reads back as the same one.
        expect(back.map((leaf) => (typeof leaf === 'number' && datatype === 'FP32' ? Math.fround(leaf) : leaf))).toEqual(values);
      }),
    );
  });

  test('the layout is little-endian', () => {
    expect([...encodeLeaves([258], 'INT32', [1], 'x')]).toEqual([2, 1, 0, 0]);
    expect([...encodeLeaves([1], 'FP32', [1], 'x')]).toEqual([0, 0, 0x80, 0x3f]);
    expect([...encodeLeaves(['é', ''], 'BYTES', [2], 'x')]).toEqual([2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]);
  });

  test.each<[string, JsonValue, Datatype, string]>([
    ['a fraction is no integer', 1.5, 'INT64', 'x[0][1]: expected an integer (INT64), got 1.5'],
    ['a number too large for the type', 300, 'UINT8', 'x[0][1]: expected an integer in 0..255 (UINT8), got 300'],
    ['a negative number in an unsigned type', -1, 'UINT64', 'expected an integer in 0..18446744073709551615'],
    ['an integer that JSON has rounded', 2 ** 53, 'INT64', 'in quotes'],
    ['text in a float', 'high', 'FP32', 'x[0][1]: expected a number, "NaN", "Infinity" or "-Infinity" (FP32), got "high"'],
    ['a number in text', 5, 'BYTES', 'x[0][1]: expected text or {"b64": "..."} (BYTES), got 5'],
    ['base64 that is none', { b64: 'a b' }, 'BYTES', 'got an object'],
    ['null', null, 'BOOL', 'x[0][1]: expected true or false (BOOL), got null'],
  ])('%s is refused with its place', (_, bad, datatype, message) => {
    const good: JsonValue = datatype === 'BYTES' ? 'a' : datatype === 'BOOL' ? true : 1;
    expect(() => encodeLeaves([good, bad], datatype, [1, 2], 'x')).toThrow(message);
  });

  test('bytes that end inside an element are refused', () => {
    expect(() => decodeElements(Buffer.from([5, 0, 0, 0, 1]), 'BYTES')).toThrow('element 0 runs past the end');
    expect(() => decodeElements(Buffer.from([1, 2, 3]), 'INT32')).toThrow('3 bytes are not a multiple of 4');
  });
});
