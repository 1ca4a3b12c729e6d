import { describe, expect, test } from 'vitest';
import type { SimulationReport } from './report.js';
import { backend, evenly, groupOf, runTrial } from './testing/trial.js';
import type { Stream, Trial } from './testing/trial.js';

/** 32 rows in 26 ms. */
const gpu = backend('gpu', 10, 0.5);
const perSecond = 32_000 / 26;
const slo = { defaults: { slo: { latencyMilliseconds: 200 } } };
const priorities = [
  { value: 1, weight: 1 },
  { value: 2, weight: 2 },
  { value: 3, weight: 2 },
];

function mixed(load: number, more: Partial<Trial> = {}, stream: Partial<Stream> = {}): SimulationReport {
  return runTrial({
    table: slo,
    backends: [gpu],
    streams: [{ perSecond: load * perSecond, priorities, deadlinesMs: evenly(200), ...stream }],
    forMs: 10_000,
    ...more,
  });
}

/** Sheds by a policy; a deadline that passes is the request's own. */
const refusedBy = ({ refusedByReason }: SimulationReport): string => Object.keys(refusedByReason).toSorted().join();

describe('offered twice what can be served', () => {
  const once = mixed(1);
  const twice = mixed(2);

  test('goodput is 90 % of the capacity measured at 1x, or more', () => {
    expect(twice.goodputPerSecond).toBeGreaterThan(0.9 * once.goodputPerSecond);
    expect(twice.goodputPerSecond).toBeGreaterThan(0.9 * perSecond);
  });

  test('of what is let in 2 % expire at most', () => {
    expect(twice.refusedByReason.DEADLINE_EXCEEDED ?? 0).toBeLessThan(0.02 * twice.total.answered);
  });

  test('99 % of high priority are in time, or more', () => {
    expect(groupOf(twice.byPriority, '1').attainmentPercent).toBeGreaterThanOrEqual(99);
  });

  test('a lower class is served no better than a higher one, and the lowest keeps a floor', () => {
    const [first, second, third] = twice.byPriority.map(({ attainmentPercent }) => attainmentPercent);
    expect(first).toBeGreaterThanOrEqual(second ?? Infinity);
    expect(second).toBeGreaterThanOrEqual(third ?? Infinity);
    expect(groupOf(twice.byPriority, '3').answered).toBeGreaterThan(0);
  });
});

describe('without an SLO, a tenth of high priority', () => {
  const fewHigh = [
    { value: 1, weight: 1 },
    { value: undefined, weight: 9 },
  ];
  const rows = [backend('timer', 10, 1), backend('cores', 4, 18, { instances: 2 })] as const;
  test.each([
    ['1.5x, t(b) = 10 + b ms, deadlines of five batches', rows[0], 32_000 / 42, 210, 1.5, 10_000],
    ['2x, t(b) = 10 + b ms, deadlines of five batches', rows[0], 32_000 / 42, 210, 2, 10_000],
    ['1.5x, two of 4 + 18 b ms, deadlines of three batches', rows[1], 64_000 / 580, 2_000, 1.5, 30_000],
    ['2x, two of 4 + 18 b ms, deadlines of three batches', rows[1], 64_000 / 580, 2_000, 2, 30_000],
  ] as const)(
    '%s: as much is answered as at 1x, and of what is let in 2 in 100 expire at most',
    (_, one, rate, deadlineMs, load, forMs) => {
      const at = (times: number): SimulationReport =>
        runTrial({
          table: {},
          backends: [one],
          streams: [{ perSecond: times * rate, priorities: fewHigh, deadlinesMs: evenly(deadlineMs) }],
          forMs,
        });
      const over = at(load);
      expect(over.goodputPerSecond).toBeGreaterThan(0.95 * at(1).goodputPerSecond);
      expect(over.goodputPerSecond).toBeGreaterThan(0.93 * rate);
      expect(groupOf(over.byPriority, '1').attainmentPercent).toBeGreaterThanOrEqual(99);
      expect(over.refusedByReason.DEADLINE_EXCEEDED ?? 0).toBeLessThan(0.02 * over.total.answered);
    },
  );
});

describe('below capacity nothing is shed', () => {
  test.each([0.5, 0.7, 0.8, 0.9, 0.95])('at %dx', (load) => {
    const report = mixed(load, {}, { deadlinesMs: evenly(Infinity) });
    expect([refusedBy(report), report.total.refused]).toEqual(['', 0]);
  });
});

describe('who was told when to come back', () => {
  test.each([1.2, 2, 3])('gets in then, 95 of 100 times or more: %dx', (load) => {
    const { retries } = mixed(load, { maxAttempts: 5 }, { deadlinesMs: evenly(5000) });
    expect(retries.sent).toBeGreaterThan(300);
    expect(retries.gotIn / retries.sent).toBeGreaterThanOrEqual(0.95);
  });
});

describe('a fallback', () => {
  const models = [
    { name: 'm', maxBatchRows: 32, costFactor: 1 },
    { name: 'small', maxBatchRows: 32, costFactor: 0.25 },
  ] as const;
  const table = (main: string) => ({
    defaults: slo.defaults,
    models: [
      { name: 'm', fallback: 'small', backends: [main] },
      { name: 'small', backends: ['other'] },
    ],
  });

  test('answers what its model would shed', () => {
    const of = (withFallback: boolean): SimulationReport =>
      mixed(
        1.5,
        {
          table: withFallback ? table('gpu') : slo,
          backends: withFallback ? [gpu, backend('other', 10, 0.5)] : [gpu],
          models,
        },
        { deadlinesMs: evenly(Infinity) },
      );
    const without = of(false);
    expect(without.total.refused).toBeGreaterThan(0.25 * without.total.offered);
    const report = of(true);
    expect(report.total.refused).toBe(0);
    // And only that: the model itself answers what it answers without.
    expect((report.backends[0]?.rows ?? 0) / (without.backends[0]?.rows ?? 0)).toBeCloseTo(1, 1);
  });

  test('answers for a model whose backend is lost, and leaves it alone when it is back', () => {
    const lost = { ...gpu, lost: [{ fromMs: 3000, untilMs: 6000 }] };
    const report = mixed(0.4, { table: table('gpu'), backends: [lost, backend('other', 10, 0.5)], models });
    expect(report.total.attainmentPercent).toBeGreaterThan(99.5);
    const [own, other] = report.backends.map(({ rows }) => rows / report.total.answered);
    expect(own).toBeGreaterThan(0.65);
    expect(other).toBeGreaterThan(0.28);
  });
});

describe('a backend', () => {
  /** Answers in time a second, between these times. */
  const rate = ({ series }: SimulationReport, fromMs: number, untilMs: number): number => {
    const points = series.filter((point) => point.fromMs >= fromMs && point.fromMs + point.lengthMs <= untilMs);
    return (1000 * points.reduce((sum, { inTime }) => sum + inTime, 0)) / points.reduce((sum, { lengthMs }) => sum + lengthMs, 0);
  };
  /** Standard deviation by mean of the answers in time in each point. One batch more or less in 200 ms is 13 %. */
  const swing = ({ series }: SimulationReport, fromMs: number, untilMs: number): number => {
    const counts = series.filter((point) => point.fromMs >= fromMs && point.fromMs < untilMs).map(({ inTime }) => inTime);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    return Math.sqrt(counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length) / mean;
  };
  const [a, b] = [backend('a', 10, 0.5), backend('b', 10, 0.5)];
  const pair = (one: typeof a, load: number): SimulationReport => mixed(2 * load, { backends: [one, b], forMs: 20_000 });

  test('that is slow for a while is done without, and taken back', () => {
    const report = pair({ ...a, slow: [{ fromMs: 5000, untilMs: 9000, factor: 10 }] }, 1.5);
    expect(rate(report, 6000, 9000)).toBeGreaterThan(0.85 * perSecond);
    expect(rate(report, 16_000, 20_000)).toBeGreaterThan(0.9 * 2 * perSecond);
    expect(swing(report, 16_000, 20_000)).toBeLessThan(0.15);
  });

  test('that is lost costs its own share alone, and is taken back', () => {
    const report = pair({ ...a, lost: [{ fromMs: 5000, untilMs: 9000 }] }, 1.5);
    expect(rate(report, 6000, 9000)).toBeGreaterThan(0.85 * perSecond);
    expect(rate(report, 15_000, 20_000)).toBeGreaterThan(0.9 * 2 * perSecond);
    expect(swing(report, 6000, 9000)).toBeLessThan(0.15);
    expect(swing(report, 15_000, 20_000)).toBeLessThan(0.15);
  });

  test('that is the only one and comes back after a loss is busy again within a second', () => {
    const report = mixed(2, { backends: [{ ...gpu, lost: [{ fromMs: 3000, untilMs: 5000 }] }] });
    expect(rate(report, 6000, 10_000)).toBeGreaterThan(0.9 * perSecond);
    expect(swing(report, 6000, 10_000)).toBeLessThan(0.15);
  });
});
