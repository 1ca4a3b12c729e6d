import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTimeout, parseTimeout } from './timeout.js';

describe('parseTimeout', () => {
  it.each([
    ['hours', '2H', 7_200_000],
    ['minutes', '3M', 180_000],
    ['seconds', '4S', 4_000],
    ['milliseconds', '250m', 250],
    ['microseconds, with a fraction', '1500u', 1.5],
    ['nine microseconds exactly', '9u', 0.009],
    ['nanoseconds', '100n', 0.0001],
    ['eight digits', '99999999S', 99_999_999_000],
    ['zeros in front', '00000007m', 7],
    ['zero, a deadline that has passed', '0S', 0],
  ])('reads %s', (_name, text, ms) => {
    expect(parseTimeout(text)).toBe(ms);
  });

  it.each([
    ['nothing', ''],
    ['a unit alone', 'S'],
    ['a number alone', '12'],
    ['nine digits', '123456789m'],
    ['an unknown unit', '5s'],
    ['a sign', '-5S'],
    ['a fraction', '1.5S'],
    ['a space between', '5 S'],
    ['something behind', '5Sx'],
    ['something in front', 'x5S'],
    ['a hexadecimal digit', '1AS'],
  ])('refuses %s', (_name, text) => {
    expect(parseTimeout(text)).toBeUndefined();
  });

  it('reads or refuses any text', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Array.from('0189HMSmun-. x'), '\u00e9'), { maxLength: 10 }), (characters) => {
        const text = characters.join('');
        const ms = parseTimeout(text);
        expect(ms === undefined).toBe(!/^[0-9]{1,8}[HMSmun]$/.test(text));
        expect(ms ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('formatTimeout', () => {
  it.each([
    ['a deadline that has passed', -5, '1n'],
    ['no time left', 0, '1n'],
    ['not a number', Number.NaN, '1n'],
    ['less than a nanosecond, rounded up', 1e-9, '1n'],
    ['the longest in nanoseconds', 99.999999, '99999999n'],
    ['a fraction of a microsecond, rounded up', 100.0001, '100001u'],
    ['30 seconds', 30_000, '30000000u'],
    ['100 seconds', 100_000, '100000m'],
    ['the longest in milliseconds, and a little', 99_999_999.5, '100000S'],
    ['a thousand days', 86_400_000_000, '86400000S'],
    ['a thousand years', 3.1536e13, '8760000H'],
    ['for ever', Infinity, '99999999H'],
  ])('writes %s', (_name, ms, text) => {
    expect(formatTimeout(ms)).toBe(text);
  });

  it('never shortens a timeout, and lengthens it by less than a unit', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 3e14, noNaN: true }), (ms) => {
        const text = formatTimeout(ms);
        const back = parseTimeout(text) ?? Number.NaN;
        const unitMs = parseTimeout(`1${text.slice(-1)}`) ?? Number.NaN;
        // Doubles hold 15 digits; the unit conversions may cost the last.
        expect(back).toBeGreaterThanOrEqual(ms * (1 - 1e-15));
        expect(back).toBeLessThan((ms + unitMs) * (1 + 1e-15));
        expect(text.length).toBeLessThanOrEqual(9);
      }),
    );
  });

  it('writes back what it reads', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99_999_999 }), fc.constantFrom('H', 'M', 'S', 'm', 'u', 'n'), (amount, unit) => {
        const ms = parseTimeout(`${amount}${unit}`) ?? Number.NaN;
        const again = parseTimeout(formatTimeout(ms)) ?? Number.NaN;
        expect(Math.abs(again - ms)).toBeLessThanOrEqual(Math.max(ms * 1e-6, 1.0001e-6));
      }),
    );
  });
});
