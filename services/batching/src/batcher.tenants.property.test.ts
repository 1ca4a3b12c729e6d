import { describe, expect, test } from 'vitest';
import { Simulation, exponentialMs, seededRandom } from './testing/index.js';
import type { SimRequest } from './testing/index.js';
import type { Tenant } from './types.js';

const forMs = 2_500;
const maxBatchRows = 32;

interface Coming {
  readonly atMs: number;
  readonly tenant: Tenant;
  readonly lane: string;
  readonly budgetMs: number;
  readonly light: boolean;
}

interface Scenario {
  readonly seed: number;
  readonly overheadMs: number;
  readonly perRowMs: number;
  readonly capacity: number;
  readonly coming: readonly Coming[];
}

/** One tenant with half as much again as can be served, and one to four others with 20 to 60 % of their shares of the time. */
function scenarioOf(seed: number): Scenario {
  const random = seededRandom(seed);
  const pick = <T>(from: readonly [T, ...T[]]): T => from[Math.floor(random() * from.length)] ?? from[0];
  const [overheadMs, perRowMs] = pick<[number, number]>([
    [10, 0.5],
    [2, 0.5],
    [0.5, 1],
  ]);
  const ownLanes = random() < 0.5;
  const fullMs = overheadMs + perRowMs * maxBatchRows;
  const tenants = Array.from({ length: 2 + Math.floor(random() * 4) }, () => ({ weight: pick([0.5, 1, 2, 4]) }));
  const weights = tenants.reduce((sum, { weight }) => sum + weight, 0);
  // Where a tenant has its own lane, a row may have a batch to itself.
  const rowMs = ownLanes ? overheadMs + perRowMs : fullMs / maxBatchRows;
  const coming = tenants.flatMap((tenant, index): Coming[] => {
    const light = index > 0;
    const perMs = light ? ((0.2 + 0.4 * random()) * tenant.weight) / weights / rowMs : (1.5 * maxBatchRows) / fullMs;
    const budgetMs = fullMs * (3 + 6 * random());
    const lane = ownLanes ? `lane ${index}` : 'lane';
    const times: Coming[] = [];
    for (let atMs = exponentialMs(random, perMs); atMs < forMs; atMs += exponentialMs(random, perMs))
      times.push({ atMs, tenant, lane, budgetMs, light });
    return times;
  });
  return { seed, overheadMs, perRowMs, capacity: pick([1, 2]), coming: coming.toSorted((left, right) => left.atMs - right.atMs) };
}

interface Replayed {
  readonly simulation: Simulation;
  readonly requests: ReadonlyMap<Coming, SimRequest>;
}

/** Up to and with `forced`, which is taken in whatever the estimate says; it is due when the others of its kind are. */
function replay({ seed, overheadMs, perRowMs, capacity, coming }: Scenario, forced?: Coming): Replayed {
  const simulation = new Simulation({
    targets: [{ id: 'one', podClass: 'one', overheadMs, perRowMs, capacity, noise: 0.05 }],
    seed,
    limits: { maxBatchRows, maxQueuedRows: 1e6 },
  });
  for (const lane of new Set(coming.map((one) => one.lane))) simulation.learn(undefined, undefined, lane);
  const requests = new Map<Coming, SimRequest>();
  let past = false;
  for (const one of coming) {
    const { atMs, tenant, lane, budgetMs } = one;
    if (past && forced !== undefined && atMs > forced.atMs + 2 * forced.budgetMs) break;
    simulation.clock.advance(Math.max(0, atMs - simulation.clock.nowMs()));
    const dueMs = simulation.clock.nowMs() + budgetMs;
    const deadline = one === forced ? { softDueMs: dueMs } : { deadlineMs: dueMs };
    requests.set(one, simulation.submit({ tenant, lane, shapeClass: lane, ...deadline }));
    if (one === forced) past = true;
  }
  simulation.clock.advance(2_000);
  return { simulation, requests };
}

interface Tally {
  taken: number;
  inTime: number;
}

function share({ taken, inTime }: Tally): number {
  return inTime / Math.max(taken, 1);
}

test('with tenants what is taken in ends in time, and of light ones only what would not have is refused', () => {
  const all: Tally = { taken: 0, inTime: 0 };
  const light: Tally = { taken: 0, inTime: 0 };
  let refused = 0;
  let wrong = 0;
  for (let seed = 1; seed <= 24; seed++) {
    const scenario = scenarioOf(seed);
    const { simulation, requests } = replay(scenario);
    const here: Tally = { taken: 0, inTime: 0 };
    for (const [one, request] of requests) {
      if (one.atMs < 500) continue;
      if (simulation.outcome(request).refused === undefined) {
        const inTime = simulation.latencyMs(request) <= one.budgetMs ? 1 : 0;
        for (const tally of one.light ? [all, light, here] : [all, here]) {
          tally.taken += 1;
          tally.inTime += inTime;
        }
      } else if (one.light) {
        refused += 1;
        const again = replay(scenario, one);
        const forced = again.requests.get(one);
        if (forced !== undefined && again.simulation.latencyMs(forced) <= one.budgetMs) wrong += 1;
      }
    }
    expect(share(here), `seed ${seed}`).toBeGreaterThan(0.93);
  }
  expect(share(all)).toBeGreaterThan(0.97);
  expect(share(light)).toBeGreaterThan(0.99);
  expect(light.taken).toBeGreaterThan(5_000);
  expect(wrong).toBeLessThanOrEqual(0.05 * refused);
}, 120_000);

/** 1000 rows of one tenant wait behind a run; predictions are trusted. */
function behindHeavy(limits: { readonly maxQueuedRows?: number } = {}): { readonly simulation: Simulation; readonly heavy: Tenant } {
  const simulation = new Simulation({ targets: [{ id: 'one', podClass: 'one', overheadMs: 10, perRowMs: 0.5, capacity: 1 }], limits });
  const heavy = { weight: 1 };
  simulation.learn().submit({ tenant: heavy });
  simulation.clock.advance(10.5);
  for (let count = 0; count < 1_000; count++) simulation.submit({ tenant: heavy });
  return { simulation, heavy };
}

describe('behind a long queue of another tenant', () => {
  test('a light tenant is taken in, though of the heavy one no more would be', () => {
    const { simulation, heavy } = behindHeavy();
    const deadlineMs = simulation.clock.nowMs() + 60;
    const mine = simulation.submit({ tenant: { weight: 1 }, deadlineMs });
    // One more of the heavy one's, due before all it has waiting, is served as soon; due after them it is not.
    expect(simulation.outcome(simulation.submit({ tenant: heavy, deadlineMs })).refused).toBeUndefined();
    for (let count = 0; count < 100; count++) simulation.submit({ tenant: heavy, deadlineMs });
    expect(simulation.outcome(simulation.submit({ tenant: heavy, deadlineMs })).refused?.reason).toBe('DEADLINE_UNREACHABLE');
    simulation.clock.advance(60);
    expect(simulation.outcome(mine).finishedMs).toBeLessThan(deadlineMs);
  });

  test('a request that cannot end in time pushes nobody out of a full queue', () => {
    const { simulation } = behindHeavy({ maxQueuedRows: 500 });
    const rows = simulation.batcher.queuedRows;
    const late = simulation.submit({ tenant: { weight: 1 }, deadlineMs: simulation.clock.nowMs() + 12 });
    expect(simulation.outcome(late).refused?.reason).toBe('DEADLINE_UNREACHABLE');
    expect(simulation.batcher.queuedRows).toBe(rows);
    expect([...simulation.outcomes.values()].some(({ dropped }) => dropped !== undefined)).toBe(false);
    const inTime = simulation.submit({ tenant: { weight: 1 }, deadlineMs: simulation.clock.nowMs() + 60 });
    expect(simulation.outcome(inTime).refused).toBeUndefined();
    expect([...simulation.outcomes.values()].filter(({ dropped }) => dropped !== undefined).length).toBe(1);
  });

  test('clients of one tenant who were told to come back keep no room from another', () => {
    const { simulation, heavy } = behindHeavy();
    const deadlineInMs = 120;
    let told = 0;
    for (let count = 0; count < 300; count++) {
      const request = simulation.submit({ tenant: heavy, band: 3, deadlineMs: simulation.clock.nowMs() + deadlineInMs });
      told += simulation.outcome(request).refused?.retryAfterMs === undefined ? 0 : 1;
    }
    expect(told).toBeGreaterThan(100);
    const mine = simulation.submit({ tenant: { weight: 1 }, band: 3, deadlineMs: simulation.clock.nowMs() + 2_000 });
    expect(simulation.outcome(mine).refused).toBeUndefined();
  });
});
