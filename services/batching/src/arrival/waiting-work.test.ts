import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeRequest } from '../testing/index.js';
import type { SimRequest } from '../testing/index.js';
import { WaitingWork } from './waiting-work.js';

const horizonMs = 960;
const stepMs = 10;

function dueOf({ deadlineMs, softDueMs, arrivedMs }: SimRequest): number {
  return Math.min(deadlineMs, softDueMs ?? Infinity, arrivedMs + horizonMs);
}

test.each<[string, Partial<SimRequest>, Partial<SimRequest>, number]>([
  ['a higher band is before it', { band: 1 }, { band: 2 }, 3],
  ['a lower band is not', { band: 3 }, { band: 2 }, 0],
  ['an earlier deadline is before it', { deadlineMs: 100 }, { deadlineMs: 500 }, 3],
  ['a later one is not', { deadlineMs: 500 }, { deadlineMs: 100 }, 0],
  ['an earlier time by the SLO is before it', { softDueMs: 50, deadlineMs: 900 }, { deadlineMs: 100 }, 3],
  ['bypass over its share waits in band 1', { bypass: true, band: 4 }, { band: 2 }, 3],
  ['what came before it with the same time is', {}, {}, 3],
])('%s', (_, waits, comes, ahead) => {
  const work = new WaitingWork(horizonMs);
  work.entered(makeRequest({ rows: 3, ...waits }));
  expect(work.rowsAhead(makeRequest(comes), 0)).toBe(ahead);
});

test('what is overdue goes before all of its band and of the band above, into which aging moves it', () => {
  const work = new WaitingWork(horizonMs);
  work.entered(makeRequest({ rows: 3, band: 3 }));
  expect(work.rowsAhead(makeRequest({ band: 2, arrivedMs: 900 }), 900)).toBe(0);
  expect(work.rowsAhead(makeRequest({ band: 2, arrivedMs: 1000 }), 1000)).toBe(3);
  expect(work.rowsAhead(makeRequest({ band: 1, arrivedMs: 1000 }), 1000)).toBe(0);
});

test('equals a walk through the queue to one step of due time, and nothing is left when all have gone', () => {
  const step = fc.record({
    kind: fc.constantFrom('enter' as const, 'leave' as const),
    waitMs: fc.integer({ min: 0, max: 400 }),
    band: fc.integer({ min: 1, max: 4 }),
    rows: fc.integer({ min: 0, max: 9 }),
    deadlineInMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 3_000 })),
    which: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const work = new WaitingWork(horizonMs);
      const waiting: SimRequest[] = [];
      let nowMs = 0;
      for (const { kind, waitMs, band, rows, deadlineInMs, which } of steps) {
        nowMs += waitMs;
        const request = makeRequest({ band, rows, arrivedMs: nowMs, deadlineMs: nowMs + deadlineInMs });
        const due = dueOf(request);
        const overdue = (other: SimRequest): boolean => dueOf(other) < Math.floor(nowMs / stepMs) * stepMs;
        const before = (other: SimRequest, grainMs: number): boolean =>
          other.band < band || (other.band === band && dueOf(other) < due + grainMs) || (other.band === band + 1 && overdue(other));
        const sum = (grainMs: number): number => waiting.reduce((total, other) => total + (before(other, grainMs) ? other.rows : 0), 0);
        const ahead = work.rowsAhead(request, nowMs);
        expect(ahead).toBeGreaterThanOrEqual(sum(0));
        expect(ahead).toBeLessThanOrEqual(sum(stepMs));
        if (kind === 'enter') {
          work.entered(request);
          waiting.push(request);
        } else {
          const [gone] = waiting.splice(which % Math.max(waiting.length, 1), 1);
          if (gone !== undefined) work.left(gone);
        }
      }
      for (const gone of waiting) work.left(gone);
      expect(work.rowsAhead(makeRequest({ band: 16, arrivedMs: nowMs }), nowMs)).toBe(0);
    }),
  );
});
