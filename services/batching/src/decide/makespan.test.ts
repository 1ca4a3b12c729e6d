import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LaneServer } from './makespan.js';
import { makespanMs, rowsOfFirstBatch } from './makespan.js';

function server(overheadMs: number, perRowMs: number, freeInMs = 0, batchRows = 32): LaneServer {
  return { cost: { identified: true, overheadMs, perRowMs }, freeInMs, batchRows };
}

describe('makespanMs', () => {
  test.each<[string, LaneServer[], number, number]>([
    ['one target, one batch', [server(10, 0.1)], 32, 13.2],
    ['one target, two batches, the second smaller', [server(10, 0.1)], 33, 13.2 + 10.1],
    ['two alike share', [server(0, 1), server(0, 1)], 8, 4],
    ['one that is busy helps when it is free', [server(0, 1), server(0, 1, 4)], 8, 6],
    ['a slow one that would do nothing in time is left out', [server(10, 0.1), server(1, 20)], 8, 10.8],
    ['a slow one takes what it ends before the fast one is through', [server(10, 0.1), server(1, 20)], 65, 26.4],
    ['nothing known: no time', [server(0, 0, 3), server(0, 0, 7)], 8, 3],
  ])('%s', (_, servers, rows, expectedMs) => {
    expect(makespanMs(servers, rows)).toBeGreaterThan(expectedMs * 0.999);
    expect(makespanMs(servers, rows)).toBeLessThan(expectedMs * 1.006);
  });

  test('is never beaten by any one target alone, and grows with the rows', () => {
    const time = fc.double({ min: 0.01, max: 50, noNaN: true });
    const servers = fc.array(
      fc.tuple(time, time, time, fc.integer({ min: 1, max: 64 })).map(([a, k, free, batch]) => server(a, k, free, batch)),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(servers, fc.integer({ min: 1, max: 500 }), (all, rows) => {
        const together = makespanMs(all, rows);
        for (const one of all) expect(together).toBeLessThanOrEqual(makespanMs([one], rows) * 1.006);
        expect(makespanMs(all, rows + 10)).toBeGreaterThanOrEqual(together * 0.994);
      }),
    );
  });
});

describe('rowsOfFirstBatch', () => {
  test.each<[string, LaneServer, number, number]>([
    ['none before it is free', server(1, 1, 5), 5, 0],
    ['none when the overhead alone does not fit', server(10, 0.1), 9, 0],
    ['as many as fit', server(1, 2), 8, 3],
    ['no more than its batch', server(1, 2, 0, 2), 100, 2],
    ['exactly as many as fit, in spite of rounding', server(0, 0.1), 0.3, 3],
    ['all when rows cost nothing', server(1, 0), 1, 32],
  ])('%s', (_, one, withinMs, rows) => {
    expect(rowsOfFirstBatch(one, withinMs)).toBe(rows);
  });
});
