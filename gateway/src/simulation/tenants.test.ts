import { describe, expect, test } from 'vitest';
import type { GroupReport, SimulationReport } from './report.js';
import { backend, evenly, groupOf, model32, runTrial } from './testing/trial.js';

/** 8 requests at once, each 10 ms, never in one run: a timer, so to speak. */
const fixed = backend('b', 10, 0, { instances: 8 });
const fixedPerSecond = 800;
const single = { ...model32, maxBatchRows: 0 };

describe('a neighbour that asks for ten times its share', () => {
  // A share is a quarter of 800 a second; the others stay a little below theirs.
  const four = (heavy: number, each: number): SimulationReport =>
    runTrial({
      table: { trafficPolicy: { tiers: [{ name: 'all' }], defaultTier: 'all' }, defaults: { slo: { latencyMilliseconds: 200 } } },
      backends: [fixed],
      models: [single],
      streams: [
        { perSecond: heavy, tenants: evenly('heavy') },
        { perSecond: each, tenants: evenly('a') },
        { perSecond: each, tenants: evenly('b') },
        { perSecond: each, tenants: evenly('c') },
      ],
      forMs: 20_000,
    });
  const modest = four(200, 190);
  const greedy = four(2000, 190);
  const halves = four(2000, 100);

  test.each(['a', 'b', 'c'])("moves another's 99th percentile by a fifth at most: %s", (name) => {
    const [before, after] = [modest, greedy].map(({ byTenant }) => groupOf(byTenant, name));
    expect((after?.p99Ms ?? Infinity) / (before?.p99Ms ?? 0)).toBeLessThan(1.2);
    expect(after?.refused).toBeLessThan(0.02 * (after?.offered ?? 0));
  });

  test.each(['a', 'b', 'c'])('has nobody refused who asks for half of theirs: %s', (name) => {
    const { refused, p99Ms } = groupOf(halves.byTenant, name);
    expect(refused).toBe(0);
    // A run under way (all began at once, and so stay in step), what is staged of it, and its own.
    expect(p99Ms).toBeLessThan(25);
  });

  // Of two, one asks for half of its share; the other for its share throughout, or ten times that from 1 s on.
  const beside = (heavy: number, seed: number): GroupReport => {
    const report = runTrial({
      table: { trafficPolicy: { tiers: [{ name: 'all' }], defaultTier: 'all' }, defaults: { slo: { latencyMilliseconds: 200 } } },
      backends: [fixed],
      models: [single],
      seed,
      streams: [
        { perSecond: 400, tenants: evenly('heavy') },
        { perSecond: 200, tenants: evenly('quiet') },
        ...(heavy > 400 ? [{ perSecond: heavy - 400, fromMs: 1000, tenants: evenly('heavy') }] : []),
      ],
      forMs: 8_000,
    });
    return groupOf(report.byTenant, 'quiet');
  };

  test.each([1, 2, 3, 4])('moves the 99th percentile of one at half its share by a fifth at most, whatever comes when: %d', (seed) => {
    const [before, after] = [beside(400, seed), beside(4000, seed)];
    expect((after.p99Ms ?? Infinity) / (before.p99Ms ?? 0)).toBeLessThan(1.2);
    expect(after.p50Ms).toBeLessThan(13);
    expect(after.refused).toBeLessThan(0.01 * after.offered);
  });

  test("moves it no further with a queue older than agingMs: the other's age buys nothing", () => {
    const aged = (heavy: number): GroupReport => {
      const report = runTrial({
        // No SLO: nothing is shed, and the queue is seconds long.
        table: { trafficPolicy: { tiers: [{ name: 'all' }], defaultTier: 'all' }, defaults: { batching: { agingMs: 500 } } },
        backends: [fixed],
        models: [single],
        streams: [
          { perSecond: 400, tenants: evenly('heavy') },
          { perSecond: 200, tenants: evenly('quiet') },
          ...(heavy > 400 ? [{ perSecond: heavy - 400, fromMs: 1000, tenants: evenly('heavy') }] : []),
        ],
        forMs: 8_000,
      });
      return groupOf(report.byTenant, 'quiet');
    };
    expect((aged(4000).p99Ms ?? Infinity) / (aged(400).p99Ms ?? 0)).toBeLessThan(1.2);
  });
});

describe('tiers under overload', () => {
  test.each([
    [
      'of three weights',
      [
        ['gold', 5],
        ['silver', 3],
        ['free', 2],
      ],
    ],
    [
      'eight to one',
      [
        ['gold', 8],
        ['free', 1],
      ],
    ],
  ] as const)('are served by weight within 5 %%: %s', (_name, tiers) => {
    const report = runTrial({
      // No SLO, so that the queue is full and far older than agingMs.
      table: {
        trafficPolicy: {
          tiers: tiers.map(([name, weight]) => ({ name, weight })),
          defaultTier: 'free',
          tenants: tiers.map(([name]) => ({ name: `of-${name}`, tier: name })),
        },
      },
      backends: [fixed],
      models: [single],
      streams: tiers.map(([name]) => ({ perSecond: 2 * fixedPerSecond, tenants: evenly(`of-${name}`) })),
      forMs: 20_000,
    });
    const weights = tiers.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of tiers) {
      const share = groupOf(report.byTier, name).answered / report.total.answered;
      expect(Math.abs(share / (weight / weights) - 1), name).toBeLessThan(0.05);
    }
  });
});

describe('a rate limit', () => {
  const under = (limits: Record<string, number>, heavy: number): SimulationReport =>
    runTrial({
      table: {
        trafficPolicy: { tiers: [{ name: 'all' }], defaultTier: 'all', tenants: [{ name: 'heavy', ...limits }] },
        models: [{ name: 'm', referenceMilliseconds: 10 }],
      },
      backends: [fixed],
      models: [single],
      streams: [
        { perSecond: heavy, tenants: evenly('heavy') },
        { perSecond: 100, tenants: evenly('a') },
      ],
      forMs: 20_000,
    });

  test.each([
    ['requestsPerSecond', { requestsPerSecond: 200, burst: 10 }, 'RATE_LIMITED'],
    ['computeMillisecondsPerSecond', { computeMillisecondsPerSecond: 2000, computeBurstMilliseconds: 100 }, 'COMPUTE_LIMITED'],
  ] as const)('%s gives a tenant at three times its rate just that, and touches nobody else', (_name, limits, reason) => {
    const report = under(limits, 600);
    const { answered, refused } = groupOf(report.byTenant, 'heavy');
    expect(Math.abs(answered / 20 / 200 - 1)).toBeLessThan(0.02);
    expect(report.refusedByReason).toEqual({ [reason]: refused });
    const [beside, alone] = [report, under(limits, 200)].map(({ byTenant }) => groupOf(byTenant, 'a'));
    expect(beside?.attainmentPercent).toBe(100);
    expect(beside?.p99Ms).toBeLessThan(1.05 * (alone?.p99Ms ?? 0));
  });
});

describe('shadow mode', () => {
  const inMode = (mode: 'Enforce' | 'Shadow'): SimulationReport =>
    runTrial({
      table: {
        trafficPolicy: {
          mode,
          tiers: [{ name: 'all', requestsPerSecond: 100, burst: 5 }],
          defaultTier: 'all',
          tenants: [{ name: 'busy', computeMillisecondsPerSecond: 500, computeBurstMilliseconds: 50 }],
        },
        models: [{ name: 'm', referenceMilliseconds: 10 }],
      },
      backends: [fixed],
      models: [single],
      streams: [
        { perSecond: 200, tenants: evenly('a') },
        { perSecond: 300, tenants: evenly('busy') },
      ],
      forMs: 10_000,
    });

  test('refuses nothing, and counts by reason what enforcing refuses', () => {
    const [enforced, shadow] = [inMode('Enforce'), inMode('Shadow')];
    expect(shadow.total.refused).toBe(0);
    expect(Object.keys(enforced.refusedByReason).toSorted()).toEqual(['COMPUTE_LIMITED', 'RATE_LIMITED']);
    expect(shadow.shadowedByReason).toEqual(enforced.refusedByReason);
  });
});
