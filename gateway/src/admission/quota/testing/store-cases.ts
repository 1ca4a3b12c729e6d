import { deepEqual, equal, ok } from 'node:assert/strict';
import type { BucketAsk, LeaseAnswer, LeaseAsk, LeaseStore } from '../../../domain/lease-store.js';

/** A store under test. Each case uses tenants of its own. */
export interface StoreRig {
  readonly store: LeaseStore;
  /** Lets the store's time pass. */
  wait(ms: number): Promise<void>;
}

/** How a lease store behaves, by the sentence it holds; run on every implementation. */
export const leaseStoreCases: Readonly<Record<string, (rig: StoreRig) => Promise<void>>> = {
  'a new bucket holds what the first ask says, and leases what is wanted': async (rig) => {
    const one = gateway(rig, 'new');
    deepEqual(await one.ask({ want: 30 }), { lease: 30, level: 70, share: 1 });
    deepEqual(await gateway(rig, 'new-lower').ask({ want: 30, initial: 10 }), { lease: 10, level: 0, share: 1 });
  },
  'what was used is settled, what is not wanted any more goes back': async (rig) => {
    const one = gateway(rig, 'settle');
    await one.ask({ want: 30 });
    deepEqual(await one.ask({ total: 20, want: 10 }), { lease: 10, level: 70, share: 1 });
    deepEqual(await one.ask({ total: 20, want: 0 }), { lease: 0, level: 80, share: 1 });
  },
  'what was used without a lease makes a debt, and a debt leases nothing': async (rig) => {
    const one = gateway(rig, 'debt');
    await one.ask({ want: 0 });
    deepEqual(await one.ask({ total: 130, want: 50 }), { lease: 0, level: -30, share: 1 });
  },
  'a level and its leases are never above the burst': async (rig) => {
    const [one, two] = [gateway(rig, 'cap'), gateway(rig, 'cap')];
    await one.ask({ want: 40, ratePerSecond: 1_000_000 });
    await rig.wait(5);
    equal((await two.ask({ want: 0, ratePerSecond: 1_000_000 }))?.level, 60);
    const both = await two.ask({ want: 100, ratePerSecond: 1_000_000 });
    deepEqual([both?.lease, both?.level], [30, 30]);
  },
  'a debt after a quiet time is a debt': async (rig) => {
    const one = gateway(rig, 'quiet');
    await one.ask({ want: 0, ratePerSecond: 10_000 });
    await rig.wait(50);
    ok(((await one.ask({ want: 0, total: 1_000, ratePerSecond: 10_000 }))?.level ?? 0) <= -900);
  },
  'a bucket refills by time, at the rate of the ask': async (rig) => {
    const one = gateway(rig, 'refill');
    await one.ask({ want: 100 });
    await rig.wait(50);
    const answer = await one.ask({ total: 100, want: 0, ratePerSecond: 100 });
    ok((answer?.level ?? 0) >= 5, `level ${answer?.level}`);
  },
  'an answer that was lost is made good by the next ask': async (rig) => {
    const one = gateway(rig, 'lost');
    await one.ask({ want: 40 });
    // The gateway never heard of it and used none of it.
    deepEqual(await one.ask({ want: 10 }), { lease: 10, level: 90, share: 1 });
  },
  'an ask that was overtaken changes nothing': async (rig) => {
    const one = gateway(rig, 'overtaken');
    await one.ask({ want: 10, sequence: 5 });
    equal(await one.ask({ want: 50, total: 50, sequence: 4 }), undefined);
    equal(await one.ask({ want: 50, total: 50, sequence: 5 }), undefined);
    deepEqual(await one.ask({ want: 10, sequence: 6 }), { lease: 10, level: 90, share: 1 });
  },
  'a lease that is not renewed ends, and what it held is lost, but not twice': async (rig) => {
    const [dead, other] = [gateway(rig, 'silent'), gateway(rig, 'silent')];
    await dead.ask({ want: 40, ttlMs: 30 });
    await rig.wait(60);
    deepEqual(await other.ask({ want: 0 }), { lease: 0, level: 60, share: 1 });
    // It comes back: its lease is over, what it owes counts.
    deepEqual(await dead.ask({ total: 45, owed: 5, want: 0 }), { lease: 0, level: 55, share: 0.5 });
  },
  'a bucket that is full and has no leases is forgotten': async (rig) => {
    await gateway(rig, 'forgotten').ask({ want: 0, ttlMs: 30 });
    await rig.wait(1_100);
    equal((await gateway(rig, 'forgotten').ask({ want: 0, initial: 70 }))?.level, 70);
  },
  'a share follows use, and leaves something to those who have none': async (rig) => {
    const [busy, idle] = [gateway(rig, 'share'), gateway(rig, 'share')];
    await idle.ask({ usePerSecond: 0 });
    equal((await busy.ask({ usePerSecond: 100 }))?.share.toFixed(6), '0.900000');
    equal((await idle.ask({ usePerSecond: 0 }))?.share.toFixed(6), '0.100000');
  },
  'a tenant has buckets of its own, and a bucket a name': async (rig) => {
    await gateway(rig, 'a-tenant').ask({ want: 100 });
    equal((await gateway(rig, 'another').ask({ want: 100 }))?.lease, 100);
    const answers = await rig.store.exchange({
      ...askOf('two-buckets', 'e1', 1, 2_000),
      buckets: [
        { ...plain, name: 'r', want: 10 },
        { ...plain, name: 'c', want: 20 },
      ],
    });
    deepEqual(
      answers?.map(({ lease }) => lease),
      [10, 20],
    );
  },
  'fractions are not cut off': async (rig) => {
    deepEqual(await gateway(rig, 'fractions').ask({ want: 0.125, initial: 0.5 }), { lease: 0.125, level: 0.375, share: 1 });
  },
};

const plain: BucketAsk = { name: 'r', ratePerSecond: 0, burst: 100, total: 0, owed: 0, want: 0, usePerSecond: 0, initial: 100 };
let gateways = 0;

function askOf(tenantKey: string, epoch: string, sequence: number, ttlMs: number): Omit<LeaseAsk, 'buckets'> {
  return { tenantKey, epoch, sequence, ttlMs };
}

/** One gateway of a tenant, with a rate of 0 unless an ask says otherwise: the time that a test takes then changes nothing. */
function gateway(rig: StoreRig, tenantKey: string) {
  gateways += 1;
  const epoch = `epoch${gateways}`;
  let asked = 0;
  return {
    async ask(change: Partial<BucketAsk & LeaseAsk>): Promise<LeaseAnswer | undefined> {
      const { sequence = (asked += 1), ttlMs = 60_000, ...bucket } = change;
      const answers = await rig.store.exchange({ ...askOf(tenantKey, epoch, sequence, ttlMs), buckets: [{ ...plain, ...bucket }] });
      return answers?.[0];
    },
  };
}
