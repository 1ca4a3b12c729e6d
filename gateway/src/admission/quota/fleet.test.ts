import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fleetBurst } from './lease/leased-bucket.js';
import { leaseTerms } from './lease/terms.js';
import { Fleet, settle } from './testing/fleet.js';
import { tenant, tier } from './testing/policy.js';

const skewed = [0.95, 0.05 / 3, 0.05 / 3, 0.05 / 3];
const even = [0.25, 0.25, 0.25, 0.25];
const scaled = (weights: readonly number[], perSecond: number): readonly number[] => weights.map((weight) => weight * perSecond);

/** What docs/design/0010-shared-quotas.md derives: admitted above rate x time since all were at rest. */
function mostAbove(ratePerSecond: number, burst: number): number {
  const shared = fleetBurst(ratePerSecond, burst);
  return shared + shared + (ratePerSecond * leaseTerms.timeoutMs) / 1000;
}

describe('four gateways at their steady state', () => {
  const rows = [
    { rate: 1_000, burst: 1_000, offered: 2_000, weights: skewed, latencyMs: 1 },
    { rate: 1_000, burst: 1_000, offered: 2_000, weights: even, latencyMs: 20 },
    { rate: 1_000, burst: 1_000, offered: 10_000, weights: skewed, latencyMs: 100 },
    { rate: 1_000, burst: 10, offered: 2_000, weights: skewed, latencyMs: 1 },
    { rate: 1_000, burst: 10, offered: 2_000, weights: even, latencyMs: 20 },
    { rate: 100, burst: 10, offered: 200, weights: even, latencyMs: 20 },
    { rate: 100, burst: 100, offered: 200, weights: skewed, latencyMs: 1 },
    { rate: 10_000, burst: 1_000, offered: 20_000, weights: skewed, latencyMs: 5 },
  ];
  it.each(rows)('admit within 2 % of the limit: %o', async ({ rate, burst, offered, weights, latencyMs }) => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: rate, burst }), latencyMs });
    const perSecond = scaled(weights, offered);
    await fleet.run({ perSecond, forMs: 2_000 });
    const fromMs = fleet.clock.nowMs();
    await fleet.run({ perSecond, forMs: 5_000 });
    const part = fleet.admitted(fromMs) / (5 * rate);
    expect(part).toBeGreaterThan(0.98);
    expect(part).toBeLessThan(1.02);
    // Each gets its part, not only the first to ask.
    for (const [index, { admittedMs }] of fleet.gateways.entries()) {
      const own = admittedMs.filter((atMs) => atMs >= fromMs).length;
      expect(own).toBeGreaterThan((weights[index] ?? 0) * rate * 5 * 0.5 - 4);
    }
    expect(fleet.worstExcess(rate)).toBeLessThanOrEqual(fleetBurst(rate, burst) + (4 * rate * latencyMs) / 1000 + 4);
  });

  it.each([1, 20])('at %s ms give a tenant its limit that has nineteen twentieths of its traffic on one gateway', async (latencyMs) => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 100 }), latencyMs });
    await fleet.run({ perSecond: scaled(skewed, 1_000), forMs: 5_000 });
    expect(fleet.admitted() / fleet.gateways.reduce((sum, { offered }) => sum + offered, 0)).toBeGreaterThan(0.95);
  });

  it('ask the store 50 times a second each at most, one at a time', async () => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 10 }), latencyMs: 1 });
    await fleet.run({ perSecond: scaled(even, 8_000), forMs: 2_000 });
    expect(fleet.store.exchanges).toBeLessThanOrEqual(4 * 2 * 50 + 4);
    expect(fleet.store.mostUnderWay).toBeLessThanOrEqual(4);
  });

  it('follow traffic that moves to another gateway', async () => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 200 }), latencyMs: 2 });
    await fleet.run({ perSecond: [2_000, 0, 0, 0], forMs: 2_000 });
    const fromMs = fleet.clock.nowMs();
    await fleet.run({ perSecond: [0, 0, 0, 2_000], forMs: 2_000 });
    expect(fleet.admitted(fromMs) / 2_000).toBeGreaterThan(0.95);
  });

  it('charge compute as they charge requests, and let one above the burst pass', async () => {
    const fleet = new Fleet({ policy: tier({ computeMsPerSecond: 1_000, computeBurstMs: 200 }), latencyMs: 2 });
    await fleet.run({ perSecond: [100, 100, 0, 0], forMs: 5_000, computeMs: 20 });
    expect((fleet.admitted() * 20) / 5_000).toBeGreaterThan(0.95);
    expect(fleet.admitted() * 20).toBeLessThanOrEqual(5_000 + mostAbove(1_000, 200));
    await fleet.run({ perSecond: [0, 0, 0, 0], forMs: 5_000 });
    const [first] = fleet.gateways;
    expect(first === undefined ? undefined : fleet.take(first, { computeMs: 900 })).toBe(true);
    await fleet.run({ perSecond: [0, 0, 0, 0], forMs: 500 });
    expect(fleet.store.bucket('c')?.level).toBe(200 - 900);
    expect(first === undefined ? undefined : fleet.take(first, { computeMs: 1 })).toBe(false);
  });
});

describe('a store that is slow or gone', () => {
  it.each(['down', 'silent'] as const)(
    '%s: a tenant within its limit on one gateway loses nothing, from the first millisecond',
    async (state) => {
      const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 1_000 }) });
      const perSecond = scaled(skewed, 800);
      await fleet.run({ perSecond, forMs: 2_000 });
      fleet.store.state = state;
      await fleet.run({ perSecond, forMs: 5_000 });
      fleet.store.state = 'up';
      await fleet.run({ perSecond, forMs: 2_000 });
      expect(fleet.gateways.map(({ offered, admittedMs }) => offered - admittedMs.length)).toEqual([0, 0, 0, 0]);
      expect(fleet.gateways.map(({ shared }) => shared.failing)).toEqual([false, false, false, false]);
    },
  );

  it.each(['down', 'silent'] as const)(
    '%s: the fleet stays within its limit and the local shares, and within the limit afterwards',
    async (state) => {
      const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 500 }) });
      const perSecond = scaled(even, 3_000);
      await fleet.run({ perSecond, forMs: 2_000 });
      fleet.store.state = state;
      const downMs = fleet.clock.nowMs();
      await fleet.run({ perSecond, forMs: 5_000 });
      expect(fleet.admitted(downMs)).toBeGreaterThan(5_000 * 0.9);
      expect(fleet.admitted()).toBeLessThanOrEqual(7_000 + mostAbove(1_000, 500));
      fleet.store.state = 'up';
      await fleet.run({ perSecond, forMs: 1_000 });
      const afterMs = fleet.clock.nowMs();
      await fleet.run({ perSecond, forMs: 5_000 });
      expect(fleet.admitted(afterMs) / 5_000).toBeGreaterThan(0.98);
      expect(fleet.admitted(afterMs) / 5_000).toBeLessThan(1.02);
      expect(fleet.admitted()).toBeLessThanOrEqual(13_000 + mostAbove(1_000, 500));
    },
  );

  it('slower than an exchange may take: as if it were gone', async () => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 500 }), latencyMs: 600 });
    await fleet.run({ perSecond: scaled(even, 3_000), forMs: 5_000 });
    expect(fleet.admitted()).toBeGreaterThan(4_500);
    expect(fleet.admitted()).toBeLessThanOrEqual(5_000 + mostAbove(1_000, 500));
  });

  it('is probed 20 times a second by each gateway while it refuses', async () => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 1_000 }) });
    fleet.store.state = 'down';
    await fleet.run({ perSecond: scaled(even, 2_000), forMs: 2_000 });
    expect(fleet.store.exchanges / 4 / 2).toBeGreaterThan(15);
    expect(fleet.store.exchanges / 4 / 2).toBeLessThanOrEqual(21);
  });

  it('is probed by a few at a time, and no more', async () => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 10, burst: 10 }), gateways: 1 });
    fleet.store.state = 'silent';
    const [gateway] = fleet.gateways;
    const crowd = Array.from({ length: 5_000 }, (_, index) => tenant(tier({ requestsPerSecond: 10, burst: 10 }), `t${index}`));
    for (let round = 0; round < 100; round += 1) {
      for (const who of crowd) gateway?.quotas.take(who, 'm', 1, fleet.clock.nowMs());
      fleet.clock.advance(20);
      await settle();
    }
    expect(fleet.store.mostUnderWay).toBe(leaseTerms.maxUnderWay);
  });

  describe('with a policy that asks to refuse', () => {
    it('refuses with its own reason what no lease pays for, and takes up again', async () => {
      const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 1_000 }), onUnavailable: 'refuse' });
      await fleet.run({ perSecond: scaled(even, 800), forMs: 1_000 });
      fleet.store.state = 'down';
      await fleet.run({ perSecond: scaled(even, 800), forMs: 1_000 });
      expect(fleet.gateways.map(({ quotas }) => quotas.refused.LIMITER_UNAVAILABLE > 0)).toEqual([true, true, true, true]);
      expect(fleet.gateways.map(({ quotas }) => quotas.refused.RATE_LIMITED)).toEqual([0, 0, 0, 0]);
      const [gateway] = fleet.gateways;
      expect(gateway?.quotas.take(gateway.tenant, 'm', 1, fleet.clock.nowMs())).toMatchObject({
        reason: 'LIMITER_UNAVAILABLE',
        retryAfterMs: 1_000,
      });
      fleet.store.state = 'up';
      await fleet.run({ perSecond: scaled(even, 800), forMs: 500 });
      const fromMs = fleet.clock.nowMs();
      await fleet.run({ perSecond: scaled(even, 800), forMs: 1_000 });
      expect(fleet.admitted(fromMs)).toBe(800);
    });
    it('does not refuse a tenant without limits', async () => {
      const fleet = new Fleet({ policy: tier(), onUnavailable: 'refuse' });
      fleet.store.state = 'down';
      await fleet.run({ perSecond: scaled(even, 400), forMs: 500 });
      expect(fleet.admitted()).toBe(200);
      expect(fleet.store.exchanges).toBe(0);
    });
  });
});

describe('a store that loses what it knew', () => {
  it('a replica that lacks the last writes: no more than the limit and the leases that were lost', async () => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 500 }) });
    const perSecond = scaled(skewed, 3_000);
    await fleet.run({ perSecond, forMs: 2_000 });
    for (let failure = 0; failure < 5; failure += 1) {
      const replica = fleet.store.snapshot();
      await fleet.run({ perSecond, forMs: 200 });
      fleet.store.failOver(replica);
      await fleet.run({ perSecond, forMs: 800 });
    }
    // Totals are sums: what the replica does not know, the next ask of each gateway tells it.
    expect(fleet.admitted()).toBeLessThanOrEqual(7_000 + 500 + 4);
    expect(fleet.admitted()).toBeGreaterThan(7_000 * 0.98);
  });

  it('all data: no more than the limit, a burst and the leases in use', async () => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 500 }) });
    const perSecond = scaled(even, 3_000);
    await fleet.run({ perSecond, forMs: 2_000 });
    fleet.store.failOver();
    await fleet.run({ perSecond, forMs: 3_000 });
    expect(fleet.admitted()).toBeLessThanOrEqual(5_000 + 500 + 500 / 2 + 4);
    expect(fleet.admitted()).toBeGreaterThan(5_000);
  });
});

describe('a lease', () => {
  it('that is not used goes back after half a second', async () => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 1_000 }) });
    await fleet.run({ perSecond: [800, 0, 0, 0], forMs: 1_000 });
    expect([...(fleet.store.bucket('r')?.gateways.values() ?? [])].some(({ lease }) => lease > 0)).toBe(true);
    await fleet.run({ perSecond: [0, 0, 0, 0], forMs: 2_000 });
    expect([...(fleet.store.bucket('r')?.gateways.values() ?? [])].map(({ lease }) => lease < 1)).toEqual([true]);
  });

  it('goes back when a gateway ends orderly', async () => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 10, burst: 1_000 }) });
    await fleet.run({ perSecond: [800, 0, 0, 0], forMs: 300 });
    const admitted = fleet.admitted();
    const closed = fleet.gateways[0]?.shared.close();
    fleet.clock.advance(leaseTerms.timeoutMs);
    await settle();
    fleet.clock.advance(leaseTerms.timeoutMs);
    await closed;
    const bucket = fleet.store.bucket('r');
    expect([...(bucket?.gateways.values() ?? [])].map(({ lease }) => lease)).toEqual([0]);
    expect(bucket?.level).toBeGreaterThanOrEqual(1_000 - admitted);
    expect(fleet.clock.pendingTimers).toBe(0);
  });

  it('of a gateway that died is lost, and costs the others no more than itself', async () => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 400 }) });
    await fleet.run({ perSecond: [1_500, 500, 0, 0], forMs: 2_000 });
    const fromMs = fleet.clock.nowMs();
    // No close: the first is just not heard of again, with whatever its timers still hold.
    await fleet.run({ perSecond: [0, 2_000, 0, 0], forMs: 4_000 });
    expect(fleet.admitted(fromMs)).toBeGreaterThan(4_000 * 0.95);
  });

  it('waits for nothing: no timer runs for a fleet that is idle', async () => {
    const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 400 }) });
    await fleet.run({ perSecond: scaled(even, 500), forMs: 500 });
    await fleet.run({ perSecond: [0, 0, 0, 0], forMs: 5_000 });
    expect(fleet.clock.pendingTimers).toBe(0);
    expect(fleet.gateways.map(({ quotas, tenant: who }) => quotas.atRest(who, fleet.clock.nowMs()))).toEqual([true, true, true, true]);
  });
});

it('limits of models have buckets of their own, which a reload neither doubles nor fills', async () => {
  const policy = tier({ requestsPerSecond: 1_000, burst: 100 }, { m: { requestsPerSecond: 100, burst: 10 } });
  const fleet = new Fleet({ policy, gateways: 2 });
  for (let round = 0; round < 20; round += 1) {
    await fleet.run({ perSecond: [500, 500], forMs: 100 });
    for (const gateway of fleet.gateways) gateway.tenant.policy = round % 2 === 0 ? tier({ requestsPerSecond: 1_000, burst: 100 }) : policy;
    const otherwise = fleet.gateways.map(({ admittedMs }) => admittedMs.length);
    if (round % 2 === 1) continue;
    await fleet.run({ perSecond: [0, 0], forMs: 10 });
    expect(fleet.gateways.map(({ admittedMs }) => admittedMs.length)).toEqual(otherwise);
  }
  expect(fleet.store.keys.length).toBe(2);
});

it('gives back what a later step refuses, to the fleet', async () => {
  const fleet = new Fleet({ policy: tier({ requestsPerSecond: 0, burst: 100 }) });
  const [gateway] = fleet.gateways;
  for (let round = 0; round < 500; round += 1) {
    const nowMs = fleet.clock.nowMs();
    expect(gateway?.quotas.take(gateway.tenant, 'm', 1, nowMs)).toBeUndefined();
    gateway?.quotas.giveBack(gateway.tenant, 'm', 1, nowMs);
    fleet.clock.advance(7);
    await settle();
  }
  expect(gateway?.quotas.use(gateway.tenant, fleet.clock.nowMs())).toMatchObject({ requestsLeft: 100, underWay: 0 });
});

it('jumps of the wall clock change nothing', async () => {
  const fleet = new Fleet({ policy: tier({ requestsPerSecond: 1_000, burst: 100 }) });
  for (const jumpMs of [3_600_000, -7_200_000, 1]) {
    fleet.clock.jumpWall(jumpMs);
    await fleet.run({ perSecond: scaled(even, 2_000), forMs: 1_000 });
  }
  expect(fleet.admitted() / 3_000).toBeGreaterThan(0.98);
  expect(fleet.admitted()).toBeLessThanOrEqual(3_000 + mostAbove(1_000, 100));
});

const happening = fc.record({
  what: fc.constantFrom('up', 'down', 'silent', 'slow', 'behind', 'lost'),
  forMs: fc.integer({ min: 20, max: 900 }),
  load: fc.double({ min: 0, max: 4, noNaN: true }),
  weights: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 4, maxLength: 4 }),
});

/**
 * `spread` is what the shares of all gateways add up to when the store falls silent: 1 and what averages lag behind while each keeps its
 * part of the traffic, and at the very worst, with traffic that moves about and leaves each in turn alone, all of it at each.
 */
async function holdsBound(moving: boolean, spread: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(50, 400, 1_000),
      fc.constantFrom(1, 50, 500, 2_000),
      fc.array(happening, { minLength: 2, maxLength: 8 }),
      async (rate, burst, story) => {
        const fleet = new Fleet({ policy: tier({ requestsPerSecond: rate, burst }), latencyMs: 2 });
        const warmUpMs = moving ? 0 : 300;
        const first = story[0]?.weights ?? even;
        const part = (weights: readonly number[]): readonly number[] =>
          weights.map((weight) => weight / weights.reduce((a, b) => a + b, 0));
        await fleet.run({ perSecond: scaled(part(first), 2 * rate), forMs: warmUpMs });
        let losses = 0;
        let allowed = (rate * warmUpMs) / 1000;
        let replica = fleet.store.snapshot();
        for (const { what, forMs, load, weights } of story) {
          const alone = what === 'down' || what === 'silent' || what === 'slow';
          fleet.store.latencyMs = what === 'slow' ? 400 : 2;
          fleet.store.state = what === 'down' || what === 'silent' ? what : 'up';
          if (what === 'behind' || what === 'lost') fleet.store.failOver(what === 'lost' ? undefined : replica);
          if (what === 'behind' || what === 'lost' || what === 'slow') losses += 1;
          replica = fleet.store.snapshot();
          await fleet.run({ perSecond: scaled(part(moving ? weights : first), load * rate), forMs });
          allowed += (rate * forMs * (alone ? spread : 1)) / 1000;
        }
        const shared = fleetBurst(rate, burst);
        const localShares = spread * (shared + (rate * leaseTerms.timeoutMs) / 1000);
        expect(fleet.admitted()).toBeLessThanOrEqual(allowed + shared + localShares + losses * 1.5 * shared + 4);
      },
    ),
    { numRuns: 25 },
  );
}

it(
  'whatever happens, admits no more than rate x time, a burst, the local shares, and a burst and a half for each loss of data or of answers',
  () => expect(holdsBound(false, 1.1)).resolves.toBeUndefined(),
  60_000,
);

it(
  'and with traffic that moves about, no more than if each gateway went on alone while the store does not answer',
  () => expect(holdsBound(true, 4)).resolves.toBeUndefined(),
  60_000,
);
