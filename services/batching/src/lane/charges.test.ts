import { describe, expect, test } from 'vitest';
import { makeRequest } from '../testing/index.js';
import type { SimRequest } from '../testing/index.js';
import type { CostEstimate, RunReport, TargetSnapshot } from '../types.js';
import { Charges } from './charges.js';

function line(overheadMs: number, perRowMs: number): CostEstimate {
  return { overheadMs, perRowMs, identified: true, residualMs: 0, predictMs: (rows) => (rows > 0 ? overheadMs + perRowMs * rows : 0) };
}

const classes: Readonly<Record<string, CostEstimate>> = { gpu: line(10, 0.1), cpu: line(1, 20), new: line(0, 0) };
const [gpu, cpu, unknown] = ['gpu', 'cpu', 'new'].map((podClass): TargetSnapshot => ({
  id: podClass,
  podClass,
  outstanding: 0,
  capacity: 1,
  freeInMs: 0,
  penalty: 1,
})) as [TargetSnapshot, TargetSnapshot, TargetSnapshot];

function chargesWith(plural = true): { charges: Charges<SimRequest>; total: () => number } {
  let totalMs = 0;
  const payers = { plural, charge: (_: readonly SimRequest[], ms: number) => void (totalMs += ms) };
  return { charges: new Charges<SimRequest>(payers, { estimate: (_, podClass) => classes[podClass] ?? line(0, 0) }), total: () => totalMs };
}

const members = [makeRequest({ rows: 24 }), makeRequest({ rows: 8 })];

describe('a batch is charged', () => {
  test.each<[string, TargetSnapshot, TargetSnapshot[], RunReport, number, number]>([
    ['what it is predicted to take, and then what it took', gpu, [gpu], { runMs: 14, ranRows: 32 }, 13.2, 14],
    ['less when it was quicker', gpu, [gpu], { runMs: 6.6, ranRows: 32 }, 13.2, 6.6],
    [
      'as on the quickest target, by as much more as it took longer where it ran',
      cpu,
      [gpu, cpu],
      { runMs: 1_282, ranRows: 32 },
      13.2,
      26.4,
    ],
    ['its part of a run that others had rows in', gpu, [gpu], { runMs: 20, ranRows: 64 }, 13.2, 10],
    ['no more than four times what was predicted', gpu, [gpu], { runMs: 60_000, ranRows: 32 }, 13.2, 52.8],
    ['as predicted when it failed', gpu, [gpu], { runMs: undefined, ranRows: 32 }, 13.2, 13.2],
    ['as predicted when its time is not a time', gpu, [gpu], { runMs: NaN, ranRows: 32 }, 13.2, 13.2],
    ['1 ms a row while nothing is known, and then what it took', unknown, [unknown], { runMs: 64, ranRows: 32 }, 32, 64],
  ])('%s', (_, target, targets, report, startedMs, endedMs) => {
    const { charges, total } = chargesWith();
    const charge = charges.started(members, 'model', target, targets, 0);
    expect(total()).toBeCloseTo(startedMs);
    charges.ended(members, 32, charge, report);
    expect(total()).toBeCloseTo(endedMs);
  });

  test('what was paid while it was put together counts', () => {
    const { charges, total } = chargesWith();
    const perRowMs = charges.perRowMs('model', 16, [gpu]);
    expect(perRowMs).toBeCloseTo(11.6 / 16);
    charges.started(members, 'model', gpu, [gpu], perRowMs);
    expect(total()).toBeCloseTo(13.2 - 32 * perRowMs);
  });

  test('nothing while there is nobody to be fair to', () => {
    const { charges, total } = chargesWith(false);
    charges.ended(members, 32, charges.started(members, 'model', gpu, [gpu], 0), { runMs: 14, ranRows: 32 });
    expect([total(), charges.perRowMs('model', 16, [gpu])]).toEqual([0, 0]);
  });
});
