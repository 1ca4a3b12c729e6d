import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GoalGradient, leastUnderWay } from './goal-gradient.js';
import { LatencyRatios } from './latency-ratios.js';

function feed(limit: GoalGradient, fromMs: number, forMs: number, latencyMs: number, underWay = () => limit.limit): void {
  for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs++) limit.ended(nowMs, latencyMs, undefined, underWay());
}

describe('a limit by a goal', () => {
  const goal = { percentile: 90, latencyMs: 100 };

  test('grows while there is time left and it is used', () => {
    const limit = new GoalGradient({ goal, initial: 50 });
    feed(limit, 0, 500, 20);
    expect(limit.limit).toBeGreaterThan(70);
  });

  test('stays where it is while less than half of it is used', () => {
    const limit = new GoalGradient({ goal, initial: 50 });
    feed(limit, 0, 2_000, 20, () => 10);
    expect(limit.limit).toBe(50);
  });

  test('falls when the goal is missed, used or not, but never below the least', () => {
    const limit = new GoalGradient({ goal, initial: 50, least: 20 });
    feed(limit, 0, 600, 200, () => 10);
    expect(limit.limit).toBeLessThan(50);
    feed(limit, 600, 20_000, 200);
    expect(limit.limit).toBe(20);
  });

  test('those who came before the limit grew and are late take it back: the late are seen last', () => {
    const limit = new GoalGradient({ goal, initial: 50 });
    feed(limit, 0, 140, 20);
    const grown = limit.limit;
    expect(grown).toBeGreaterThan(50);
    feed(limit, 140, 300, 400);
    expect(limit.limit).toBeLessThan(grown);
  });

  test('what expired counts as late', () => {
    const limit = new GoalGradient({ goal, initial: 50 });
    feed(limit, 0, 600, Infinity);
    expect(limit.limit).toBeLessThan(40);
  });

  test('whatever it is told it stays finite and within its bounds', () => {
    const odd = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, -1, 0), fc.double({ min: 0, max: 500, noNaN: true }));
    fc.assert(
      fc.property(fc.array(fc.tuple(odd, odd, odd, odd), { maxLength: 400 }), fc.boolean(), (samples, withGoal) => {
        const limit = new GoalGradient({ goal: withGoal ? goal : undefined, initial: 50, least: 3, most: 1_000 });
        for (const [nowMs, latencyMs, serviceMs, underWay] of samples) {
          limit.ended(nowMs, latencyMs, serviceMs, underWay);
          expect(limit.limit >= 3 && limit.limit <= 1_000).toBe(true);
        }
        limit.setLeast(NaN);
        expect(limit.limit).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

describe('the least limit', () => {
  const gpu = { overheadMs: 10, perRowMs: 0.1 };
  test.each<[string, number | undefined, number]>([
    ['full batches where the goal allows them', 40, 64],
    ['smaller ones for a tighter goal', 25, 50],
    ['full ones for a goal that none meets: letting targets idle would not meet it either', 15, 64],
    ['full ones without a goal', undefined, 64],
  ])('%s', (_, latencyMs, requests) => {
    expect(leastUnderWay([gpu], 32, latencyMs === undefined ? undefined : { percentile: 99, latencyMs })).toBe(requests);
  });

  test('of two targets is twice that, of none is not none', () => {
    expect(leastUnderWay([gpu, gpu], 32, undefined)).toBe(128);
    expect(leastUnderWay([], 32, undefined)).toBe(2);
    expect(leastUnderWay([{ overheadMs: 5, perRowMs: 0 }], 32, { percentile: 99, latencyMs: 40 })).toBe(64);
  });
});

test('the quantile of ratios is right to a step of 9 %', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.02, max: 60, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (values, share) => {
        const ratios = new LatencyRatios();
        for (const value of values) ratios.add(value);
        const exact = values.toSorted((left, right) => left - right)[Math.max(0, Math.ceil(share * values.length - 1e-9) - 1)] ?? 0;
        expect(ratios.quantile(share) / exact).toBeGreaterThan(0.915);
        expect(ratios.quantile(share) / exact).toBeLessThan(1.092);
      },
    ),
  );
});
