import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { fromBrain, fromHalf, toBrain, toHalf } from './half.js';

const kinds = [
  { name: 'FP16', to: toHalf, from: fromHalf, infinity: 0x7c00 },
  { name: 'BF16', to: toBrain, from: fromBrain, infinity: 0x7f80 },
];

describe.each(kinds)('$name', ({ to, from, infinity }) => {
  test('every bit pattern survives the way to a number and back', () => {
    const lost: number[] = [];
    for (let bits = 0; bits < 65_536; bits += 1) {
      const value = from(bits);
      if (!Number.isNaN(value) && to(value) !== bits) lost.push(bits);
    }
    expect(lost).toEqual([]);
  });

  test('any number goes to the nearest of its neighbours, ties to the even one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: infinity - 2 }), fc.double({ min: 0, max: 1, noNaN: true }), (bits, share) => {
        const low = from(bits);
        const high = from(bits + 1);
        const value = low + (high - low) * share;
        const below = value - low;
        const above = high - value;
        const expected = below < above ? bits : below > above ? bits + 1 : bits + (bits % 2);
        return to(value) === expected && to(-value) === (expected | 0x8000);
      }),
    );
  });

  test('NaN stays NaN, infinities stay infinite', () => {
    expect(from(to(Number.NaN))).toBeNaN();
    expect(to(Infinity)).toBe(infinity);
    expect(to(-Infinity)).toBe(infinity | 0x8000);
  });
});

test.each([
  [1, 0x3c00],
  [65_504, 0x7bff],
  [65_519.9, 0x7bff],
  [65_520, 0x7c00],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [-0, 0x8000],
])('FP16 of %d', (value, bits) => {
  expect(toHalf(value)).toBe(bits);
});
