import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Simulation, makeRequest } from '../testing/index.js';
import type { SimRequest, SimTarget } from '../testing/index.js';
import type { Tenant } from '../types.js';
import { quantumMs } from './account.js';
import { LaneSet } from './lane-set.js';

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
  turns = 40,
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
  const enoughMs = loads.reduce((sum, { tenant }) => sum + tenant.weight, 0) * turns * (quantumMs + batchMs / leastWeight);
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

test('large requests have their share though small ones fit in where they do not', () => {
  const targets = [1, 2].map((capacity) => ({ id: `t${capacity}`, podClass: 'p', overheadMs: 0, perRowMs: 0.1, capacity }));
  const loads = [
    { tenant: { weight: 4 }, rows: [2], lanes: ['a'] },
    { tenant: { weight: 0.5 }, rows: [1], lanes: ['a'] },
  ];
  const servedMs = saturate(targets, loads, 8, 1, 40, 200);
  const [large = 0, small = 0] = loads.map(({ tenant }) => (servedMs.get(tenant) ?? 0) / tenant.weight);
  // Small ones are at most the 100 rounds ahead up to which they are staged.
  expect(small - large).toBeLessThan(100 * quantumMs + 1);
});

test('a tenant gains nothing by spreading over many lanes', () => {
  const [one, many] = [{ weight: 1 }, { weight: 1 }];
  const loads = [
    { tenant: one, rows: [1], lanes: ['a'] },
    { tenant: many, rows: [1], lanes: laneNames },
  ];
  const servedMs = saturate([{ id: 't', podClass: 'p', overheadMs: 1, perRowMs: 0.2 }], loads, 8, 1);
  expect((servedMs.get(many) ?? 0) / (servedMs.get(one) ?? 0)).toBeCloseTo(1, 1);
});

const timer: SimTarget = { id: 't', podClass: 'p', overheadMs: 0, perRowMs: 1, capacity: 1 };

/** The names of the tenants in the order in which their requests, of one row each, were served. */
function served(simulation: Simulation): string[] {
  const names: string[] = [];
  simulation.onRun = ({ members }) => names.push(...members.map(({ name }) => name));
  return names;
}

test('idle time is no credit: a tenant that comes back shares from then on', () => {
  const simulation = new Simulation({ targets: [timer], limits: { maxBatchRows: 1, agingMs: 1e6 } }).learn();
  const names = served(simulation);
  const [early, late] = [{ weight: 1 }, { weight: 1 }];
  const add = (name: string, tenant: Tenant, count: number): void => {
    for (let i = 0; i < count; i++) simulation.submit({ name, tenant });
  };
  add('late', late, 1);
  add('early', early, 1_000);
  simulation.clock.advance(500);
  add('late', late, 100);
  const from = names.length;
  simulation.clock.advance(40);
  const late40 = names.slice(from).filter((name) => name === 'late').length;
  expect(late40).toBeGreaterThanOrEqual(19);
  expect(late40).toBeLessThanOrEqual(21);
});

test.each([
  ['some of its requests', 0.3],
  ['all of them, most of them over the cap', 1],
])('a tenant that bypasses with %s pays for it from its share', (_, part) => {
  const simulation = new Simulation({ targets: [timer], limits: { maxBatchRows: 1, agingMs: 1e6, bypassMaxShare: 0.2 } }).learn();
  const names = served(simulation);
  const [a, b] = [{ weight: 1 }, { weight: 1 }];
  for (let i = 0; i < 1_500; i++) simulation.submit({ name: 'b', tenant: b, band: 1 });
  for (let step = 0; step < 2_000; step++) {
    simulation.submit({ name: 'a', tenant: a, band: 1, bypass: simulation.random() < part });
    simulation.clock.advance(1);
  }
  const share = names.filter((name) => name === 'a').length / names.length;
  // It may be ahead by as many rounds as bypass may go: 100 ms.
  expect(share).toBeGreaterThan(0.45);
  expect(share).toBeLessThan(0.55);
});

test('every request is served within the bound, whatever others have waiting', () => {
  const rival = fc.record({ weight: fc.constantFrom(0.5, 1, 4), rows: fc.integer({ min: 1, max: 8 }), lane: fc.constantFrom('a', 'b') });
  fc.assert(
    fc.property(
      fc.array(rival, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(0.25, 1, 3),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 20 }),
      (rivals, weight, band, own) => {
        const agingMs = 50;
        const simulation = new Simulation({ targets: [timer], limits: { maxBatchRows: 8, agingMs, maxQueuedRows: 1e6 } });
        for (const lane of ['a', 'b', 'c']) simulation.learn(undefined, undefined, lane);
        const add = (one: (typeof rivals)[number]): void =>
          void simulation.submit({ ...one, tenant: one, shapeClass: one.lane, band: 1, deadlineMs: simulation.clock.nowMs() + 1e5 });
        simulation.onRun = ({ members }) => {
          for (const { tenant } of members) {
            const one = rivals.find((candidate) => candidate === tenant);
            if (one !== undefined) add(one);
          }
        };
        for (const one of rivals) for (let count = 0; count < 30; count++) add(one);
        simulation.clock.advance(333);
        const me: Tenant = { weight };
        const mine = Array.from({ length: own }, () => simulation.submit({ tenant: me, band, lane: 'c', shapeClass: 'c' }));
        const weights = rivals.reduce<number>((sum, one) => sum + one.weight, weight);
        const batchMs = 8;
        // Up to band 1; then a round for each quantum of what goes before it, and one batch too many of everybody.
        const boundMs = (band - 1) * agingMs + (own + batchMs + quantumMs * weight) * (weights / weight) + (rivals.length + 3) * batchMs;
        simulation.clock.advance(boundMs);
        for (const request of mine) expect(simulation.latencyMs(request)).toBeLessThanOrEqual(boundMs);
      },
    ),
    { numRuns: 60 },
  );
});

test('a target never idles while something waits', () => {
  const anyOne = fc.record({
    tenant: fc.nat({ max: 4 }),
    lane: fc.constantFrom('a', 'b', 'c'),
    rows: fc.integer({ min: 1, max: 8 }),
    band: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(anyOne, { minLength: 20, maxLength: 80 }), (all) => {
      const simulation = new Simulation({ targets: [timer], limits: { maxBatchRows: 8 } });
      const tenants = [1, 2, 3, 4, 5].map((weight) => ({ weight }));
      simulation.setTargets([]);
      for (const { tenant, ...rest } of all) simulation.submit({ ...rest, shapeClass: rest.lane, tenant: tenants[tenant] });
      simulation.setTargets([timer]);
      const rows = all.reduce((sum, one) => sum + one.rows, 0);
      // Each row takes 1 ms whatever the batches: a gap between two runs would show at the end.
      simulation.clock.advance(rows);
      expect(simulation.batcher.queuedRequests).toBe(0);
      expect(simulation.runs.reduce((sum, run) => sum + run.rows, 0)).toBe(rows);
      for (const request of simulation.outcomes.keys()) expect(simulation.latencyMs(request)).toBeLessThanOrEqual(rows);
    }),
    { numRuns: 60 },
  );
});

test('a batch takes the first of the band before others, and of each tenant what is due first', () => {
  const anyOne = fc.record({
    tenant: fc.nat({ max: 3 }),
    band: fc.integer({ min: 1, max: 4 }),
    deadlineMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 100 })),
  });
  fc.assert(
    fc.property(fc.array(anyOne, { minLength: 20, maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (all, maxRows) => {
      const tenants = [1, 2, 3, 4].map((weight) => ({ weight }));
      const set = new LaneSet<SimRequest>();
      let waiting = all.map(({ tenant, ...rest }) => makeRequest({ ...rest, tenant: tenants[tenant] }));
      for (const request of waiting) set.push(request, request.band, 1_000);
      while (waiting.length > 0) {
        const lane = set.all()[0];
        const taken = lane === undefined ? [] : set.take(lane, maxRows, 0.3);
        expect(taken.length).toBe(Math.min(maxRows, waiting.length));
        const before = waiting;
        waiting = waiting.filter((request) => !taken.includes(request));
        const left = Math.min(...waiting.map(({ band }) => band));
        expect(Math.max(...taken.map(({ band }) => band))).toBeLessThanOrEqual(left);
        for (const tenant of tenants) {
          const own = before
            .filter((request) => request.tenant === tenant)
            .toSorted((l, r) => l.band - r.band || Math.min(l.deadlineMs, 1_000) - Math.min(r.deadlineMs, 1_000));
          const ownTaken = taken.filter((request) => request.tenant === tenant);
          expect(ownTaken).toEqual(own.slice(0, ownTaken.length));
        }
      }
    }),
  );
});
