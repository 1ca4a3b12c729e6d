import { FakeClock } from '@headrace/runtime/testing';
import { describe, expect, it } from 'vitest';
import { LeaseBook } from '../admission/quota/lease/lease-book.js';
import { fleetBurst } from '../admission/quota/lease/leased-bucket.js';
import { leaseTerms } from '../admission/quota/lease/terms.js';
import { Fleet, settle } from '../admission/quota/testing/fleet.js';
import { tier } from '../admission/quota/testing/policy.js';
import { leaseStoreCases } from '../admission/quota/testing/store-cases.js';
import type { LeaseAsk } from '../domain/lease-store.js';
import { LeaseDesk } from './lease-desk.js';
import { beatMs, silentMs } from './messages.js';
import { WorkerLeases, leaseStoreOf } from './worker-leases.js';

/** Workers that ask a primary over channels with a latency; what is sent is written as JSON, as between processes. */
class Site {
  readonly clock: FakeClock;
  readonly book = new LeaseBook();
  readonly desk: LeaseDesk;
  readonly workers = new Map<number, WorkerLeases>();
  /** False: nothing that is sent to it is read, and it says nothing. */
  primaryRuns = true;
  /** To the primary: messages, and asks in them. */
  messages = 0;
  asks = 0;
  readonly #hopMs: number;
  readonly #unread: (() => void)[] = [];

  constructor(clock = new FakeClock(), hopMs = 0.1) {
    this.clock = clock;
    this.#hopMs = hopMs;
    this.desk = new LeaseDesk({
      clock,
      book: this.book,
      send: (worker, message) => {
        const text = JSON.stringify(message);
        clock.setTimer(() => {
          const read = JSON.parse(text) as typeof message;
          if (read.kind === 'leases') this.workers.get(worker)?.receive(read.replies);
        }, hopMs);
      },
    });
    this.#beat();
  }

  worker(id: number): WorkerLeases {
    const worker = new WorkerLeases({
      clock: this.clock,
      defer: (flush) => void this.clock.setTimer(flush, 0),
      send: (message) => {
        if (message.kind !== 'leases') return;
        const text = JSON.stringify(message);
        this.messages += 1;
        this.asks += message.asks.length;
        this.clock.setTimer(() => this.#toPrimary(() => this.#read(id, text)), this.#hopMs);
      },
    });
    this.workers.set(id, worker);
    return worker;
  }

  /** Its process ends: nothing of it is heard, and nothing is told to it. */
  kill(id: number): void {
    this.workers.delete(id);
  }

  resumePrimary(): void {
    this.primaryRuns = true;
    for (const act of this.#unread.splice(0)) act();
  }

  #toPrimary(act: () => void): void {
    if (this.primaryRuns) act();
    else this.#unread.push(act);
  }

  #read(id: number, text: string): void {
    if (!this.workers.has(id)) return;
    const message = JSON.parse(text) as { asks: Parameters<LeaseDesk['receive']>[1] };
    this.desk.receive(id, message.asks);
  }

  #beat(): void {
    if (this.primaryRuns) {
      this.desk.beat();
      for (const worker of this.workers.values()) worker.heard();
    }
    this.clock.setTimer(() => this.#beat(), beatMs);
  }
}

/** The test rig of quotas over several gateways, each of which is a worker of one primary. */
function fleetOf(rate: number, burst: number, hopMs = 0.1): { fleet: Fleet; site: Site } {
  const sites: Site[] = [];
  const fleet = new Fleet({
    policy: tier({ requestsPerSecond: rate, burst }),
    storeOf: (clock, gateway) => {
      const site = sites[0] ?? new Site(clock, hopMs);
      sites[0] = site;
      return site.worker(gateway);
    },
  });
  const [site] = sites;
  if (site === undefined) throw new Error('no gateways');
  return { fleet, site };
}

const skewed = [0.95, 0.05 / 3, 0.05 / 3, 0.05 / 3];
const scaled = (weights: readonly number[], perSecond: number): readonly number[] => weights.map((weight) => weight * perSecond);

/** What docs/design/0010-shared-quotas.md derives: admitted above rate x time since all were at rest. */
function mostAbove(rate: number, burst: number): number {
  return 2 * fleetBurst(rate, burst) + (rate * leaseTerms.timeoutMs) / 1000;
}

function askOf(tenantKey: string, want = 1): LeaseAsk {
  const bucket = { name: 'r', ratePerSecond: 0, burst: 100, total: 0, owed: 0, want, usePerSecond: 0, initial: 100 };
  return { tenantKey, epoch: 'e', sequence: 1, ttlMs: 2_000, buckets: [bucket] };
}

/** Why it failed. */
function outcome(asked: Promise<unknown>): Promise<string> {
  return asked.then(() => 'answered', String);
}

it('a gateway alone has no such store', () => {
  expect([leaseStoreOf(undefined), leaseStoreOf({ leases: new Site().worker(1) })]).toEqual([undefined, expect.any(WorkerLeases)]);
});

describe('a store at the primary process', () => {
  it.each(Object.entries(leaseStoreCases))('%s', async (_, run) => {
    const site = new Site(new FakeClock(), 0);
    let over = false;
    const done = run({ store: site.worker(1), wait: async (ms) => site.clock.advance(ms) }).finally(() => (over = true));
    while (!over) {
      site.clock.advance(0);
      await settle();
    }
    await expect(done).resolves.toBeUndefined();
  });

  it('is asked once in a turn of the event loop, whatever is asked in it, and answers once', async () => {
    const site = new Site();
    const worker = site.worker(1);
    const asked = Array.from({ length: 50 }, (_, index) => worker.exchange(askOf(`t${index}`, index)));
    site.clock.advance(1);
    const leases = (await Promise.all(asked)).map((answers) => answers?.[0]?.lease);
    expect([site.messages, leases]).toEqual([1, Array.from({ length: 50 }, (_, index) => index)]);
    for (let index = 0; index < 300; index += 1) void worker.exchange(askOf(`many${index}`));
    site.clock.advance(1);
    // Of 128 at most, so that the primary can do other things between them.
    expect([site.messages, site.asks]).toEqual([1 + 3, 350]);
  });

  it('says what is wrong with an ask that lost a number on its way, and serves the others', async () => {
    const site = new Site();
    const worker = site.worker(1);
    const wrong = outcome(worker.exchange(askOf('a', Number.NaN)));
    const right = worker.exchange(askOf('b'));
    site.clock.advance(1);
    expect(await wrong).toContain('shared quotas: lease book: expected');
    expect((await right)?.[0]?.lease).toBe(1);
  });

  it('does not serve one twice whose answer came late', async () => {
    const site = new Site();
    const worker = site.worker(1);
    site.primaryRuns = false;
    const lost = outcome(worker.exchange(askOf('a', 40)));
    site.clock.advance(silentMs);
    expect(await lost).toContain('did not answer in 1000 ms');
    site.resumePrimary();
    site.clock.advance(beatMs);
    const again = worker.exchange({ ...askOf('a', 10), sequence: 2 });
    site.clock.advance(1);
    expect(await again).toEqual([{ lease: 10, level: 90, share: 1 }]);
  });

  it('is not written to while it is silent, and is asked again when it speaks', async () => {
    const site = new Site();
    const worker = site.worker(1);
    site.primaryRuns = false;
    site.clock.advance(silentMs + 1);
    await expect(worker.exchange(askOf('a'))).rejects.toThrow('the primary process is silent');
    site.clock.advance(1);
    expect(site.messages).toBe(0);
    site.resumePrimary();
    site.clock.advance(beatMs);
    const answer = worker.exchange(askOf('a'));
    site.clock.advance(1);
    expect((await answer)?.[0]?.lease).toBe(1);
  });

  it('has a bound on what is under way, each settled in the end, and leaves no timer', async () => {
    const site = new Site();
    const worker = site.worker(1);
    site.primaryRuns = false;
    const asked = Array.from({ length: 3_000 }, (_, index) => worker.exchange(askOf(`t${index}`)));
    const settled = Promise.allSettled(asked);
    site.clock.advance(1);
    expect(site.asks).toBe(2_048);
    site.clock.advance(silentMs);
    expect((await settled).every(({ status }) => status === 'rejected')).toBe(true);
    // The beat of this rig.
    expect(site.clock.pendingTimers).toBe(1);
    // And there is room again.
    worker.heard();
    void worker.exchange(askOf('a')).catch(() => undefined);
    site.clock.advance(1);
    expect(site.asks).toBe(2_049);
  });

  it('has as long for each ask, whenever the one before it was asked', async () => {
    const site = new Site();
    const worker = site.worker(1);
    site.primaryRuns = false;
    const first = outcome(worker.exchange(askOf('a')));
    site.clock.advance(500);
    const second = outcome(worker.exchange(askOf('b')));
    site.clock.advance(silentMs - 400);
    expect(await first).toContain('did not answer');
    site.resumePrimary();
    site.clock.advance(1);
    expect(await second).toBe('answered');
  });

  it('says that an ask was overtaken by the answer that is none', async () => {
    const site = new Site();
    const worker = site.worker(1);
    const answers = Promise.all([worker.exchange({ ...askOf('a'), sequence: 2 }), worker.exchange(askOf('a'))]);
    site.clock.advance(1);
    expect(await answers).toEqual([[{ lease: 1, level: 99, share: 1 }], undefined]);
  });

  it('is not asked any more by a worker that has ended', async () => {
    const site = new Site();
    const worker = site.worker(1);
    const open = outcome(worker.exchange(askOf('a')));
    worker.close();
    expect(await open).toContain('this worker has ended');
    await expect(worker.exchange(askOf('a'))).rejects.toThrow('this worker has ended');
    site.clock.advance(1);
    expect([site.messages, site.clock.pendingTimers]).toEqual([0, 1]);
  });
});

describe('four workers give a tenant one limit', () => {
  const rows = [
    { rate: 1_000, burst: 1_000, offered: 2_000, weights: skewed },
    { rate: 1_000, burst: 10, offered: 2_000, weights: skewed },
    { rate: 1_000, burst: 100, offered: 8_000, weights: [0.25, 0.25, 0.25, 0.25] },
    { rate: 100, burst: 10, offered: 200, weights: skewed },
    { rate: 10_000, burst: 1_000, offered: 20_000, weights: skewed },
  ];
  it.each(rows)('within 2 %, however uneven their connections are: %o', async ({ rate, burst, offered, weights }) => {
    const { fleet, site } = fleetOf(rate, burst);
    const perSecond = scaled(weights, offered);
    await fleet.run({ perSecond, forMs: 2_000 });
    const fromMs = fleet.clock.nowMs();
    const asksBefore = site.asks;
    await fleet.run({ perSecond, forMs: 5_000 });
    const part = fleet.admitted(fromMs) / (5 * rate);
    expect(part).toBeGreaterThan(0.98);
    expect(part).toBeLessThan(1.02);
    // From a rest, where nobody knows of the others, and later, when all do.
    expect(fleet.worstExcess(rate)).toBeLessThanOrEqual(mostAbove(rate, burst));
    expect(fleet.worstExcess(rate, fromMs)).toBeLessThanOrEqual(fleetBurst(rate, burst) + 4);
    const leasesPerSecond = (site.asks - asksBefore) / 5;
    expect(leasesPerSecond).toBeLessThanOrEqual(4 * 50);
    expect(leasesPerSecond).toBeGreaterThanOrEqual(Math.min(100, rate / 4));
  });

  it('and lose nothing of it when nineteen twentieths of the traffic are at one of them', async () => {
    const { fleet } = fleetOf(1_000, 100);
    await fleet.run({ perSecond: scaled(skewed, 1_000), forMs: 5_000 });
    expect(fleet.admitted() / fleet.gateways.reduce((sum, { offered }) => sum + offered, 0)).toBeGreaterThan(0.95);
  });

  it('and when the busiest is killed, what it held comes back after the time of a lease', async () => {
    const { fleet, site } = fleetOf(500, 500);
    await fleet.run({ perSecond: scaled(skewed, 2_000), forMs: 2_000 });
    site.kill(0);
    const killedMs = fleet.clock.nowMs();
    const perSecond = [0, 500, 500, 500];
    await fleet.run({ perSecond, forMs: leaseTerms.ttlMs });
    expect(fleet.admitted(killedMs)).toBeLessThanOrEqual((500 * leaseTerms.ttlMs) / 1000 + fleetBurst(500, 500));
    const fromMs = fleet.clock.nowMs();
    await fleet.run({ perSecond, forMs: 4_000 });
    expect(fleet.admitted(fromMs) / 2_000).toBeGreaterThan(0.98);
    expect(fleet.admitted(fromMs) / 2_000).toBeLessThan(1.02);
    // And the whole burst after a rest, with nobody's lease in it.
    await fleet.run({ perSecond: [0, 0, 0, 0], forMs: 5_000 });
    const ask = { ...askOf('x'), epoch: 'probe' };
    expect(site.book.exchange(ask, fleet.clock.nowMs())?.[0]?.share).toBe(1);
    site.book.sweep(fleet.clock.nowMs());
    expect(site.book.size).toBe(1);
  });

  it('and go on with their shares while the primary is silent, within the bound, and share again when it speaks', async () => {
    const { fleet, site } = fleetOf(1_000, 500);
    const perSecond = [750, 750, 750, 750];
    await fleet.run({ perSecond, forMs: 2_000 });
    site.primaryRuns = false;
    const silentFromMs = fleet.clock.nowMs();
    await fleet.run({ perSecond, forMs: 5_000 });
    expect(fleet.admitted(silentFromMs)).toBeGreaterThan(5_000 * 0.9);
    expect(fleet.admitted()).toBeLessThanOrEqual(7_000 + mostAbove(1_000, 500));
    site.resumePrimary();
    await fleet.run({ perSecond, forMs: 1_000 });
    const afterMs = fleet.clock.nowMs();
    await fleet.run({ perSecond, forMs: 5_000 });
    expect(fleet.admitted(afterMs) / 5_000).toBeGreaterThan(0.98);
    expect(fleet.admitted(afterMs) / 5_000).toBeLessThan(1.02);
    expect(fleet.gateways.map(({ shared }) => shared.failing)).toEqual([false, false, false, false]);
  });
});
