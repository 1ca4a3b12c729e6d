import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RunQueues } from '@headrace/batching';
import { SlotQueue } from './slot-queue.js';

const step = fc.record({
  add: fc.boolean(),
  which: fc.nat(),
  predictedMs: fc.double({ min: 0, max: 100, noNaN: true }),
  afterMs: fc.nat(20),
});

it('says of a slot what RunQueues says, whichever run ends', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const kept = new SlotQueue();
      const summed = new RunQueues<{ predictedMs: number; beganMs: number }>();
      const open: { mine: { predictedMs: number; beganMs: number }; theirs: { predictedMs: number; beganMs: number } }[] = [];
      let nowMs = 0;
      for (const { add, which, predictedMs, afterMs } of steps) {
        nowMs += afterMs;
        const [run] = add || open.length === 0 ? [] : open.splice(which % open.length, 1);
        if (run === undefined) {
          const pair = { mine: { predictedMs, beganMs: nowMs }, theirs: { predictedMs, beganMs: nowMs } };
          open.push(pair);
          kept.add(pair.mine);
          summed.add('slot', pair.theirs);
        } else {
          kept.remove(run.mine, nowMs);
          summed.remove('slot', run.theirs, nowMs);
        }
        expect(kept.count).toBe(summed.count('slot'));
        expect(kept.freeInMs(nowMs + 1)).toBeCloseTo(summed.freeInMs('slot', nowMs + 1), 6);
        expect(open.map(({ mine }) => mine.beganMs)).toEqual(open.map(({ theirs }) => theirs.beganMs));
      }
    }),
  );
});

it('keeps no rounding of runs that are gone', () => {
  const slot = new SlotQueue();
  // In floating point 0.1 + 0.7 + 0.2 - 0.1 - 0.7 - 0.2 is not 0.
  const runs = [5, 0.1, 0.7, 0.2].map((predictedMs) => ({ predictedMs, beganMs: 0 }));
  for (const run of runs) slot.add(run);
  for (const run of runs) slot.remove(run, 5);
  expect([slot.count, slot.freeInMs(7)]).toEqual([0, 0]);
  slot.add({ predictedMs: 0, beganMs: 7 });
  expect(slot.freeInMs(7)).toBe(0);
});
