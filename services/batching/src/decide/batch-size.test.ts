import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fewestRowsForDeadline, preferredRows, runMs } from './batch-size.js';

function cost(overheadMs: number, perRowMs: number, identified = true): { identified: boolean; overheadMs: number; perRowMs: number } {
  return { identified, overheadMs, perRowMs };
}

describe('preferredRows', () => {
  test.each<[string, ReturnType<typeof cost>, number, number, number]>([
    ['all that fits where overhead dominates', cost(10, 0.1), 100, 32, 32],
    ['all that waits where overhead dominates', cost(10, 0.1), 7, 32, 7],
    ['few where rows dominate', cost(1, 15), 32, 32, 3],
    ['one where there is no overhead', cost(0, 5), 32, 32, 1],
    ['all that fits until overhead and rows are told apart', cost(0, 5, false), 40, 32, 32],
    ['all that fits where rows cost nothing', cost(5, 0), 40, 32, 32],
    ['one of an empty request', cost(1, 1), 0, 32, 1],
  ])('%s', (_, of, queued, max, rows) => {
    expect(preferredRows(of, queued, max)).toBe(rows);
  });

  test('loses no more than 3 % of throughput, and its mean completion is not beaten by 10 % by any size that does not either', () => {
    const time = fc.double({ min: 0.01, max: 20, noNaN: true });
    fc.assert(
      fc.property(time, time, fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 64 }), (a, k, queued, max) => {
        const of = cost(a, k);
        const most = Math.min(queued, max);
        const chosen = preferredRows(of, queued, max);
        const perRow = (rows: number): number => runMs(of, rows) / rows;
        expect(chosen).toBeGreaterThanOrEqual(1);
        expect(chosen).toBeLessThanOrEqual(most);
        expect(perRow(chosen)).toBeLessThanOrEqual(1.03 * perRow(most) + 1e-9);
        const mean = (rows: number): number => (runMs(of, rows) * (queued / rows + 1)) / 2;
        for (let rows = 1; rows <= most; rows++) {
          expect(perRow(rows) > 1.03 * perRow(most) || mean(chosen) <= 1.1 * mean(rows)).toBe(true);
        }
      }),
    );
  });
});

test('a batch shrinks for a deadline to no less than 75 % of its throughput', () => {
  expect(fewestRowsForDeadline(cost(10, 0.1), 32)).toBe(23);
  expect(fewestRowsForDeadline(cost(0.1, 10), 32)).toBe(1);
  expect(fewestRowsForDeadline(cost(0, 10, false), 32)).toBe(1);
});
