import { expect, test } from 'vitest';
import { ArrivalGaps } from './arrival-gaps.js';

test('a first arrival promises no second; then the mean follows the gaps', () => {
  const gaps = new ArrivalGaps();
  gaps.note('a', 100, 10);
  expect(gaps.of('a')).toEqual({ meanMs: Infinity, lastMs: 100 });
  for (let at = 104; at <= 200; at += 4) gaps.note('a', at, 10);
  expect(gaps.of('a')?.meanMs).toBeCloseTo(4);
  gaps.note('a', 1_200, 10);
  expect(gaps.of('a')?.meanMs).toBeGreaterThan(200);
});

test('remembers no more lanes than it may', () => {
  const gaps = new ArrivalGaps();
  for (let lane = 0; lane < 100; lane++) gaps.note(`lane ${lane}`, lane, 10);
  expect([gaps.of('lane 89'), gaps.of('lane 90')?.lastMs]).toEqual([undefined, 90]);
});
