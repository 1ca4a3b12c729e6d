import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DurationHistogram } from './histogram.js';

function of(values: readonly number[]): DurationHistogram {
  const histogram = new DurationHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

it('tells percentiles within 1 % of the exact ones (nearest rank)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.002, max: 3_000_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(1, 50, 90, 99, 100),
      (values, percent) => {
        const sorted = [...values].sort((left, right) => left - right);
        const exact = sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1] ?? 0;
        expect(Math.abs((of(values).percentile(percent) ?? 0) / exact - 1)).toBeLessThan(0.01);
      },
    ),
  );
});

it('is the same whether values come together or are merged', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1e5, noNaN: true })),
      fc.array(fc.double({ min: 0, max: 1e5, noNaN: true })),
      (some, more) => {
        const merged = of(some);
        merged.merge(of(more));
        const together = of([...some, ...more]);
        expect([merged.count, merged.maxMs, merged.percentile(50), merged.percentile(99)]).toEqual([
          together.count,
          together.maxMs,
          together.percentile(50),
          together.percentile(99),
        ]);
      },
    ),
  );
});

it('has no percentile and no mean of nothing, and an hour holds what is longer', () => {
  expect([of([]).percentile(50), of([]).meanMs]).toEqual([undefined, undefined]);
  expect(of([0, 1e12]).percentile(1)).toBe(0.001);
  expect(of([1e12]).percentile(50)).toBeGreaterThan(3_500_000);
  expect(of([2, 4]).meanMs).toBe(3);
});
