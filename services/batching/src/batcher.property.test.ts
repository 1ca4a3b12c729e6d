import fc from 'fast-check';
import { refuse } from '@headrace/runtime';
import { expect, test } from 'vitest';
import { Simulation } from './testing/index.js';
import type { SimRequest, SimTarget } from './testing/index.js';

const pool: readonly SimTarget[] = [
  { id: 'gpu-0', podClass: 'gpu', overheadMs: 5, perRowMs: 0.1, noise: 0.2 },
  { id: 'gpu-1', podClass: 'gpu', overheadMs: 5, perRowMs: 0.1, noise: 0.2, capacity: 1 },
  { id: 'cpu-0', podClass: 'cpu', overheadMs: 0.5, perRowMs: 6, noise: 0.2 },
  { id: 'cpu-1', podClass: 'cpu', overheadMs: 0.5, perRowMs: 6, noise: 0.2, networkMs: 1 },
];

const submitStep = fc.record({
  kind: fc.constant('submit' as const),
  lane: fc.constantFrom('a', 'b', 'c'),
  rows: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 40 })),
  band: fc.integer({ min: 1, max: 4 }),
  tenant: fc.constantFrom(undefined, ...[0.5, 1, 2, 8].map((weight) => ({ weight }))),
  deadlineInMs: fc.oneof(fc.constant(Infinity), fc.double({ min: -1, max: 200, noNaN: true })),
  mergeable: fc.boolean(),
  bypass: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  pinnedTarget: fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('gpu-0', 'cpu-1', 'nobody') },
  ),
});
const step = fc.oneof(
  { weight: 12, arbitrary: submitStep },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.double({ min: 0, max: 30, noNaN: true }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('targets' as const), keep: fc.subarray([...pool]) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limits' as const), maxBatchRows: fc.integer({ min: 1, max: 32 }) }) },
);

test('no request is lost, answered twice or run twice; nothing is left behind', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 150 }), fc.integer(), fc.boolean(), (steps, seed, closeEarly) => {
      let maxBatchRows = 32;
      const simulation = new Simulation({
        targets: pool,
        seed,
        limits: { maxQueuedRows: 100, maxLanes: 6 },
        fails: () => simulation.random() < 0.1,
        failsAtOnce: () => simulation.random() < 0.1,
      });
      const requests: SimRequest[] = [];
      const cancelled = new Set<SimRequest>();
      simulation.onRun = (batch, targets) => {
        const target = targets.find(({ id }) => id === batch.targetId);
        const [first] = batch.members;
        expect(batch.members.length).toBeGreaterThan(0);
        expect(batch.rows).toBe(batch.members.reduce((sum, { rows }) => sum + rows, 0));
        for (const member of batch.members) {
          expect(cancelled.has(member)).toBe(false);
          expect(member.pinnedTarget === undefined || member.pinnedTarget === batch.targetId).toBe(true);
          // Bypass may be merged too: over its share, or when no target was there, it waits at the front of its lane.
          expect([member.lane, member.mergeable || batch.members.length === 1]).toEqual([first?.lane, true]);
        }
        expect(batch.members.length === 1 || batch.rows <= maxBatchRows).toBe(true);
        const byBypass = batch.members.length === 1 && first?.bypass === true;
        expect(byBypass || target === undefined || target.outstanding < target.capacity).toBe(true);
      };
      /** True once for each request at most. */
      const cancel = (request: (typeof requests)[number]): boolean => {
        const done = simulation.batcher.cancel(request);
        expect(done && cancelled.has(request)).toBe(false);
        if (done) cancelled.add(request);
        return done;
      };
      for (const action of steps) {
        switch (action.kind) {
          case 'submit': {
            const { deadlineInMs, pinnedTarget, ...rest } = action;
            const deadlineMs = simulation.clock.nowMs() + deadlineInMs;
            requests.push(
              simulation.submit({ ...rest, shapeClass: rest.lane, deadlineMs, ...(pinnedTarget === undefined ? {} : { pinnedTarget }) }),
            );
            break;
          }
          case 'cancel': {
            const request = requests[action.which % Math.max(requests.length, 1)];
            if (request !== undefined) cancel(request);
            break;
          }
          case 'advance':
            simulation.clock.advance(action.ms);
            break;
          case 'targets':
            simulation.setTargets(action.keep);
            break;
          case 'limits':
            ({ maxBatchRows } = action);
            simulation.batcher.setLimits({ maxBatchRows, maxQueuedRows: 100, maxLanes: 6, agingMs: 50, bypassMaxShare: 0.2 });
            break;
        }
        const { queuedRows, lanes } = simulation.batcher.stats();
        expect(queuedRows).toBeLessThanOrEqual(100);
        expect(lanes).toBeLessThanOrEqual(6);
      }
      if (!closeEarly) {
        simulation.setTargets(pool);
        simulation.clock.advance(60_000);
      }
      // Only what is pinned to a target that never comes is left by now.
      const left = closeEarly ? [] : requests.filter(cancel);
      expect(left.filter(({ pinnedTarget }) => pinnedTarget !== 'nobody')).toEqual([]);
      simulation.batcher.close(refuse('DRAINING', 'closed'));
      simulation.clock.advance(60_000);
      for (const request of requests) {
        const { runs, refused, dropped } = simulation.outcome(request);
        const fates = runs + (refused === undefined ? 0 : 1) + (dropped === undefined ? 0 : 1) + (cancelled.has(request) ? 1 : 0);
        expect(fates, `${request.name}: runs ${runs}, refused ${refused?.reason}, dropped ${dropped?.reason}`).toBe(1);
      }
      expect(simulation.batcher.stats()).toEqual({ queuedRequests: 0, queuedRows: 0, lanes: 0, oldestMs: 0 });
      expect(simulation.clock.pendingTimers).toBe(0);
    }),
    { numRuns: 400 },
  );
});
