import { FakeClock } from '@headrace/runtime/testing';
import { describe, expect, it } from 'vitest';
import { settle } from '../testing/fleet.js';
import { MemoryLeaseStore } from '../testing/memory-store.js';
import { leaseStoreCases } from '../testing/store-cases.js';
import type { StoreRig } from '../testing/store-cases.js';

/** Time passes until what was asked is answered, a step at a time. */
function memoryRig(): { rig: StoreRig; pump: (done: Promise<void>) => Promise<void> } {
  const clock = new FakeClock();
  const store = new MemoryLeaseStore(clock, 0);
  const rig: StoreRig = { store, wait: async (ms) => clock.advance(ms) };
  const pump = async (done: Promise<void>): Promise<void> => {
    let over = false;
    const end = done.finally(() => (over = true));
    while (!over) {
      clock.advance(0);
      await settle();
    }
    await end;
  };
  return { rig, pump };
}

describe('a store in memory', () => {
  it.each(Object.entries(leaseStoreCases))('%s', async (_, run) => {
    const { rig, pump } = memoryRig();
    await expect(pump(run(rig))).resolves.toBeUndefined();
  });
});
