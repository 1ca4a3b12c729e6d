import type { Batch, BatchRequest } from '@headrace/batching';
import { expect, it } from 'vitest';
import { RunsInFlight } from './runs-in-flight.js';

function batch(id: number, predictedMs: number, targetId = 't'): Batch<BatchRequest> {
  return { id, targetId, podClass: 'cpu', shapeClass: 'class', members: [], rows: 1, predictedMs };
}

it('is free when the run that goes on and those behind it are through, and forgets what ended', () => {
  const runs = new RunsInFlight();
  const freeInMs = (nowMs: number): number => runs.freeInMs('t', nowMs);
  expect([runs.count('t'), freeInMs(0)]).toEqual([0, 0]);
  runs.started(batch(1, 12), 0);
  runs.started(batch(2, 2), 5);
  runs.started(batch(3, 100, 'other'), 5);
  expect([runs.count('t'), freeInMs(5)]).toEqual([2, 7 + 2]);
  // The second began when the first ended, not when it was posted.
  runs.ended(batch(1, 12), 14);
  expect([runs.count('t'), freeInMs(15)]).toEqual([1, 1]);
  runs.ended(batch(2, 2), 16);
  runs.ended(batch(2, 2), 16);
  expect([runs.count('t'), freeInMs(16), runs.count('other')]).toEqual([0, 0, 1]);
});

it('the first goes on as it began when one behind it ends earlier', () => {
  const runs = new RunsInFlight();
  runs.started(batch(1, 12), 0);
  runs.started(batch(2, 2), 1);
  runs.ended(batch(2, 2), 4);
  expect(runs.freeInMs('t', 5)).toBe(7);
});
