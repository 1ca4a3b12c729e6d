import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Simulation } from '../testing/index.js';
import type { SimRequest, SimTarget } from '../testing/index.js';
import type { Tenant } from '../types.js';
import { quantumMs } from './account.js';

interface Load {
  readonly tenant: Tenant;
  readonly rows: readonly number[];
  readonly lanes: readonly string[];
}

const laneNames = ['a', 'b', 'c', 'd', 'e'];

const anyLoad: fc.Arbitrary<Load> = fc.record({
  tenant: fc.record({ weight: fc.constantFrom(0.5, 1, 2, 4) }),
  rows: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 }),
  lanes: fc.subarray(laneNames, { minLength: 1 }),
});

/** Of one speed: to a slower one only what it ends in time goes, so that large requests have no share of it. */
const anyTargets: fc.Arbitrary<SimTarget[]> = fc
  .record({
    overheadMs: fc.constantFrom(0, 0.5, 5, 10),
    perRowMs: fc.constantFrom(0.2, 1, 6),
    capacities: fc.array(fc.constantFrom(1, 2), { minLength: 1, maxLength: 3 }),
  })
  .map(({ capacities, ...cost }) => capacities.map((capacity, index) => ({ ...cost, capacity, id: `t${index}`, podClass: 'p' })));

/** Keeps `waiting` requests of each tenant in each of its lanes, and adds up what each was served with: its rows' share of what each batch takes on the quickest target. */
function saturate(
  targets: readonly SimTarget[],
  loads: readonly Load[],
  maxBatchRows: number,
  seed: number,
  waiting = 40,
): Map<Tenant, number> {
  const simulation = new Simulation({ targets, seed, limits: { maxBatchRows, maxQueuedRows: 1e6, agingMs: 1e6 } });
  for (const lane of laneNames) simulation.learn(undefined, undefined, lane);
  const servedMs = new Map<Tenant, number>();
  const add = ({ tenant, rows }: Load, lane: string): void => {
    const size = rows[Math.floor(simulation.random() * rows.length)] ?? 1;
    simulation.submit({ tenant, lane, shapeClass: lane, rows: Math.min(size, maxBatchRows) });
  };
  simulation.onRun = (batch) => {
    const ms = Math.min(...targets.map(({ overheadMs, perRowMs }) => overheadMs + perRowMs * batch.rows));
    for (const { tenant, rows, lane } of batch.members) {
      const load = loads.find((one) => one.tenant === tenant);
      if (load === undefined) throw new Error('a request of nobody ran');
      servedMs.set(load.tenant, (servedMs.get(load.tenant) ?? 0) + (ms * rows) / batch.rows);
      add(load, lane);
    }
  };
  simulation.setTargets([]);
  for (const load of loads) for (const lane of load.lanes) for (let count = 0; count < waiting; count++) add(load, lane);
  simulation.setTargets(targets);
  // Long enough for what one batch too many or too few makes of it: see the bound in docs/design/0007-admission.md.
  const leastWeight = Math.min(...loads.map(({ tenant }) => tenant.weight));
  const batchMs = Math.min(...targets.map(({ overheadMs, perRowMs }) => overheadMs + perRowMs * maxBatchRows));
  const enoughMs = loads.reduce((sum, { tenant }) => sum + tenant.weight, 0) * 40 * (quantumMs + batchMs / leastWeight);
  const totalMs = (): number => [...servedMs.values()].reduce((sum, ms) => sum + ms, 0);
  while (totalMs() < enoughMs) simulation.clock.advance(batchMs);
  return servedMs;
}

test('tenants who all have more than can be served get shares by weight, within 5 %', () => {
  fc.assert(
    fc.property(
      anyTargets,
      fc.array(anyLoad, { minLength: 2, maxLength: 6 }),
      fc.constantFrom(1, 8, 32),
      fc.integer(),
      (targets, loads, maxBatchRows, seed) => {
        const servedMs = saturate(targets, loads, maxBatchRows, seed);
        const perWeight = loads.map(({ tenant }) => (servedMs.get(tenant) ?? 0) / tenant.weight);
        const mean = perWeight.reduce((sum, ms) => sum + ms, 0) / perWeight.length;
        for (const ms of perWeight) expect(Math.abs(ms / mean - 1)).toBeLessThan(0.05);
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);
