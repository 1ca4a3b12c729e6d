import { expect, test } from 'vitest';
import { ReturnBurst } from './return-burst.js';

function runs(burst: ReturnBurst, counts: readonly number[], afterMs: number, fromMs = 0): number {
  let nowMs = fromMs;
  for (const count of counts) {
    burst.noteRunEnd(nowMs);
    for (let arrival = 0; arrival < count; arrival++) burst.noteArrival(nowMs + afterMs);
    nowMs += 10;
  }
  burst.noteRunEnd(nowMs);
  return nowMs;
}

test('counts what comes within a millisecond of the end of a run', () => {
  const burst = new ReturnBurst();
  runs(
    burst,
    Array.from({ length: 20 }, () => 8),
    0.5,
  );
  expect(burst.usualRequests).toBeCloseTo(8, 3);
  burst.noteArrival(burst.endedMs + 0.2);
  expect(burst.arrivedRequests).toBe(1);
});

test('does not count what comes later', () => {
  const burst = new ReturnBurst();
  runs(
    burst,
    Array.from({ length: 20 }, () => 8),
    1.5,
  );
  expect(burst.usualRequests).toBe(0);
});

test('leans to the larger of counts that take turns, and forgets clients that left', () => {
  const burst = new ReturnBurst();
  const nowMs = runs(
    burst,
    Array.from({ length: 40 }, (_, run) => 3 + (run % 2)),
    0.1,
  );
  expect(burst.usualRequests).toBeGreaterThan(3.7);
  runs(
    burst,
    Array.from({ length: 50 }, () => 0),
    0.1,
    nowMs + 10,
  );
  expect(burst.usualRequests).toBeLessThan(0.1);
});
