import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Simulation } from '../testing/index.js';
import type { SimRequest } from '../testing/index.js';
import type { Tenant } from '../types.js';

const maxQueuedRows = 60;
const agingMs = 1_000;

function closed(limits: { readonly maxLanes?: number } = {}): Simulation {
  return new Simulation({ targets: [], limits: { maxQueuedRows, agingMs, ...limits } });
}

function isWaiting(simulation: Simulation, request: SimRequest): boolean {
  const { runs, refused, dropped } = simulation.outcome(request);
  return runs === 0 && refused === undefined && dropped === undefined;
}

/** The last of all in the order of service. */
function lastOf(requests: readonly SimRequest[]): SimRequest | undefined {
  const dueMs = ({ deadlineMs, arrivedMs }: SimRequest): number => Math.min(deadlineMs, arrivedMs + agingMs);
  return requests
    .toSorted((left, right) => left.band - right.band || dueMs(left) - dueMs(right) || left.arrivedMs - right.arrivedMs)
    .at(-1);
}

test('a full queue refuses who has his share, and makes room for who has not at the cost of who has most over it', () => {
  const anyOne = fc.record({
    tenant: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat({ max: 4 }) }),
    lane: fc.constantFrom('a', 'b', 'c'),
    rows: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 12 })),
    band: fc.integer({ min: 1, max: 4 }),
    deadlineInMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 500, max: 900 })),
  });
  let pushedOut = 0;
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0.5, 1, 2), { minLength: 5, maxLength: 5 }),
      fc.array(anyOne, { minLength: 60, maxLength: 120 }),
      (weights, all) => {
        const simulation = closed();
        const tenants: readonly Tenant[] = weights.map((weight) => ({ weight }));
        const waiting = (): SimRequest[] => [...simulation.outcomes.keys()].filter((request) => isWaiting(simulation, request));
        for (const { tenant: index, deadlineInMs, ...rest } of all) {
          simulation.clock.advance(1);
          const tenant = tenants[index];
          const before = waiting();
          const rowsOf = (one: Tenant | undefined, among: readonly SimRequest[]): number =>
            among.reduce((sum, request) => sum + (request.tenant === one ? request.rows : 0), 0);
          const request = simulation.submit({
            ...rest,
            shapeClass: rest.lane,
            tenant,
            deadlineMs: simulation.clock.nowMs() + deadlineInMs,
          });
          const active = tenants.filter((one) => one === tenant || rowsOf(one, before) > 0);
          const perWeight = maxQueuedRows / active.reduce((sum, { weight }) => sum + weight, 0);
          const rows = before.reduce((sum, one) => sum + one.rows, 0);
          const fits = rows + request.rows <= maxQueuedRows;
          const within = rowsOf(tenant, before) + request.rows <= perWeight * (tenant?.weight ?? 0) + 1e-9;
          const { refused } = simulation.outcome(request);
          expect(refused?.reason).toBe(fits || within ? undefined : 'QUEUE_FULL');
          const gone = before.filter((one) => !isWaiting(simulation, one));
          expect(gone.length > 0).toBe(!fits && within);
          pushedOut += gone.length;
          expect(simulation.batcher.queuedRows).toBeLessThanOrEqual(maxQueuedRows);
          // In the order in which they must have gone: each the last of the tenant that then held most for its weight.
          const held = [...before];
          for (let count = 0; count < gone.length; count++) {
            const most = Math.max(...active.map((one) => rowsOf(one, held) / one.weight));
            expect(most).toBeGreaterThan(perWeight);
            const next = active
              .filter((one) => rowsOf(one, held) / one.weight === most)
              .map((one) => lastOf(held.filter((candidate) => candidate.tenant === one)))
              .find((last) => last !== undefined && gone.includes(last));
            expect(next, 'what went was the last of a tenant with most').toBeDefined();
            if (next === undefined) break;
            expect(next.tenant).not.toBe(tenant);
            expect(simulation.outcome(next).dropped).toMatchObject({ reason: 'QUEUE_FULL', retryAfterMs: expect.any(Number) as number });
            held.splice(held.indexOf(next), 1);
          }
        }
      },
    ),
    { numRuns: 150 },
  );
  expect(pushedOut).toBeGreaterThan(100);
});

test('one heavy tenant cannot fill the queue: the others get in up to their shares', () => {
  const simulation = closed();
  const heavy = { weight: 1 };
  for (let i = 0; i < 200; i++) simulation.submit({ tenant: heavy });
  const others = Array.from({ length: 5 }, () => ({ weight: 1 }));
  const requests = others.flatMap((tenant) => Array.from({ length: 10 }, () => simulation.submit({ tenant })));
  expect(requests.every((request) => isWaiting(simulation, request))).toBe(true);
  expect(simulation.outcome(simulation.submit({ tenant: heavy })).refused?.reason).toBe('QUEUE_FULL');
});

test('nor can it take all lanes: one of its own is closed for another tenant', () => {
  const simulation = closed({ maxLanes: 4 });
  const [heavy, light] = [{ weight: 1 }, { weight: 1 }];
  const first = ['a', 'b', 'c', 'd'].map((lane) => simulation.submit({ tenant: heavy, lane }));
  expect(isWaiting(simulation, simulation.submit({ tenant: light, lane: 'e' }))).toBe(true);
  expect(first.filter((request) => isWaiting(simulation, request)).length).toBe(3);
  expect(simulation.outcome(simulation.submit({ tenant: heavy, lane: 'f' })).refused?.reason).toBe('QUEUE_FULL');
});

test('without tenants a full queue refuses, and drops nothing', () => {
  const simulation = closed();
  const requests = Array.from({ length: 70 }, () => simulation.submit());
  expect(requests.filter((request) => isWaiting(simulation, request)).length).toBe(maxQueuedRows);
  expect(requests.some((request) => simulation.outcome(request).dropped !== undefined)).toBe(false);
});
