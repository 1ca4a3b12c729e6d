import { describe, expect, test } from 'vitest';
import { Inflow } from './inflow.js';

/** One row each millisecond until `untilMs`. */
function steady(untilMs: number, band: number, budgetMs: number, inflow = new Inflow()): Inflow {
  for (let nowMs = 0; nowMs < untilMs; nowMs++) inflow.entered(band, 1, budgetMs, nowMs);
  return inflow;
}

const agingMs = 1_000;

describe('what comes before one that waits', () => {
  test.each<[string, number, number, number, number]>([
    ['higher bands, at the rate at which they came of late', 2, 100, Infinity, 100],
    ['none of the own band', 1, 100, Infinity, 0],
    ['nor of a lower one', 0, 100, Infinity, 0],
    ['until aging has moved it up', 2, 5_000, Infinity, 1_000],
    ['no more than can be served', 2, 100, 0.25, 25],
  ])('%s', (_, band, withinMs, mostPerMs, rows) => {
    const came = steady(6_000, 1, 200).above(band, withinMs, agingMs, mostPerMs, 6_000);
    expect(came).toBeGreaterThanOrEqual(0.9 * rows);
    expect(came).toBeLessThanOrEqual(1.1 * rows);
  });

  test.each<[string, number, number, number]>([
    ['who has less time, while it would be due first', 400, 1_000, 300],
    ['and no longer than it waits', 400, 50, 50],
    ['none that has as much', 100, 1_000, 0],
    ['nor one that has more', 50, 1_000, 0],
  ])('of its own band: %s', (_, budgetMs, withinMs, rows) => {
    const came = steady(4_000, 0, 100).sooner(0, budgetMs, withinMs, 4_000);
    expect(came).toBeGreaterThanOrEqual(0.9 * rows);
    expect(came).toBeLessThanOrEqual(1.1 * rows);
  });

  test('a burst is not believed to go on for long', () => {
    const inflow = new Inflow();
    for (let nowMs = 0; nowMs < 20_000; nowMs += 100) inflow.entered(0, 1, 200, nowMs);
    for (let row = 0; row < 400; row++) inflow.entered(0, 1, 200, 20_000);
    const soon = inflow.above(1, 800, 60_000, Infinity, 20_000);
    expect(soon).toBeGreaterThan(400);
    expect(inflow.above(1, 30_000, 60_000, Infinity, 20_000) - soon).toBeLessThan(0.15 * 29_200);
    expect(inflow.lastingPerMsAbove(1, 20_000)).toBeLessThan(0.15);
  });

  test('what came is forgotten', () => {
    const inflow = steady(2_000, 0, 100);
    expect(inflow.rowsPerMs(2_000)).toBeGreaterThan(0.9);
    expect(inflow.rowsPerMs(4_000)).toBeLessThan(0.01);
    expect(inflow.above(1, 1_000, agingMs, Infinity, 4_000)).toBeLessThan(10);
  });
});

test('the grain is the size of the request that the mean row belongs to', () => {
  const inflow = new Inflow();
  expect(inflow.grainRows).toBe(1);
  inflow.entered(0, 1, 100, 0);
  inflow.entered(0, 3, 100, 0);
  expect(inflow.grainRows).toBe(2.5);
});
