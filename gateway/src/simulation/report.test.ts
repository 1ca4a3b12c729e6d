import { expect, it } from 'vitest';
import { SimulationRecord } from './record.js';
import type { SimulationReport } from './report.js';

const backend = {
  name: 'b',
  runs: 4,
  rows: 10,
  busyMs: 500,
  instances: 2,
  byRows: new Map([
    [4, 2],
    [1, 2],
  ]),
};
const spec = {
  name: 'b',
  podClass: 'cpu',
  instances: 2,
  cost: { overheadMs: 2, perRowMs: 0.5, scatter: 0, networkMs: 0 },
  slow: [],
  lost: [],
};

function reportOf(record: SimulationRecord): SimulationReport {
  const model = { name: 'm', maxBatchRows: 16, costFactor: 1 };
  return record.report({ elapsedMs: 1000, complete: true, backends: [backend], specs: [spec], model });
}

it('counts what was answered in time, late and refused, by hand: ten requests in a second', () => {
  const record = new SimulationRecord(50);
  const group = record.groupsOf({ tenant: 'a', weight: 1, tier: 'gold', priority: 1, model: 'm' });
  for (let i = 0; i < 10; i++) record.offered(group, 2, i * 100);
  for (let i = 0; i < 4; i++) record.answered(group, 2, 100, 10, Infinity);
  record.answered(group, 2, 200, 60, Infinity); // past the SLO
  record.answered(group, 2, 200, 60, 100); // its own deadline counts, not the SLO
  record.answered(group, 2, 200, 120, 100);
  record.refused(group, 'QUEUE_FULL', 300);
  record.refused(group, 'QUEUE_FULL', 300);
  record.refused(group, 'DEADLINE_EXCEEDED', 900);
  const report = reportOf(record);
  expect(report).toMatchObject({
    total: { offered: 10, answered: 7, inTime: 5, refused: 3, attainmentPercent: 50 },
    offeredPerSecond: 10,
    offeredRowsPerSecond: 20,
    throughputPerSecond: 7,
    goodputPerSecond: 5,
    maxMs: 120,
    meanMs: 40,
    refusedByReason: { QUEUE_FULL: 2, DEADLINE_EXCEEDED: 1 },
    // 16 rows take 10 ms on each of 2 instances.
    capacityRowsPerSecond: 3200,
    backends: [{ name: 'b', utilisationPercent: 25, meanBatchRows: 2.5 }],
    runsByRows: [
      { upToRows: 1, runs: 2 },
      { upToRows: 4, runs: 2 },
    ],
    jain: undefined,
  });
  expect(report.total.p50Ms).toBeCloseTo(10, 0);
  expect(report.byTier.map(({ name, offered }) => [name, offered])).toEqual([['gold', 10]]);
});

it('is fair by weighted shares of rows: got 60 and 30 of shares 60 and 30, then 45 and 45', () => {
  const jain = (gold: number, free: number): number | undefined => {
    const record = new SimulationRecord(Infinity);
    for (const [tenant, answered] of [
      ['gold', gold],
      ['free', free],
    ] as const) {
      const group = record.groupsOf({ tenant, weight: tenant === 'gold' ? 2 : 1, tier: tenant, priority: undefined, model: 'm' });
      for (let i = 0; i < 100; i++) record.offered(group, 1, 0);
      for (let i = 0; i < answered; i++) record.answered(group, 1, 1, 1, Infinity);
    }
    return reportOf(record).jain;
  };
  expect(jain(60, 30)).toBeCloseTo(1, 12);
  // x = 45/60 and 45/30: (0.75 + 1.5)^2 / (2 (0.5625 + 2.25)) = 0.9
  expect(jain(45, 45)).toBeCloseTo(0.9, 12);
});

it('names the 20 busiest tenants and sums the rest, however many a trace invents', () => {
  const record = new SimulationRecord(Infinity);
  const offer = (tenant: string): void =>
    record.offered(record.groupsOf({ tenant, weight: 1, tier: 'x', priority: undefined, model: 'm' }), 1, 0);
  for (let i = 0; i < 5000; i++) offer(`t${i}`);
  for (let i = 0; i < 30; i++) offer('t7');
  const { byTenant, total } = reportOf(record);
  expect(byTenant).toHaveLength(21);
  expect(byTenant[0]).toMatchObject({ name: 't7', offered: 31 });
  expect(byTenant.at(-1)).toMatchObject({ name: '(others)' });
  expect(byTenant.reduce((sum, { offered }) => sum + offered, 0)).toBe(total.offered);
});

it('holds a series of any length in at most 200 points, and loses no count', () => {
  const record = new SimulationRecord(Infinity);
  const group = record.groupsOf({ tenant: 'a', weight: 1, tier: 'x', priority: undefined, model: 'm' });
  for (let second = 0; second < 36_000; second++) record.offered(group, 1, second * 1000);
  const model = { name: 'm', maxBatchRows: 16, costFactor: 1 };
  const { series } = record.report({ elapsedMs: 36_000_000, complete: true, backends: [], specs: [], model });
  expect(series.length).toBeLessThanOrEqual(200);
  expect(series.length).toBeGreaterThan(100);
  expect(series.reduce((sum, { offered }) => sum + offered, 0)).toBe(36_000);
  expect(series.reduce((sum, { lengthMs }) => sum + lengthMs, 0)).toBe(36_000_000);
  // One a second throughout: each point holds what came in its own time.
  for (const { offered, lengthMs } of series) expect(Math.abs(offered - lengthMs / 1000)).toBeLessThanOrEqual(1);
});
