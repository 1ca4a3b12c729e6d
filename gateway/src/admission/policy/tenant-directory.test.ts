import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FakeClock } from '@headrace/runtime/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tenant } from '../../domain/tenant.js';
import { anonymous } from '../../domain/traffic.js';
import type { Caller } from '../../domain/traffic.js';
import { policyOf, tierOf } from '../testing/tiers.js';
import type { LeaseStore } from '../../domain/lease-store.js';
import { SharedBuckets } from '../quota/lease/shared-buckets.js';
import { Quotas } from '../quota/quotas.js';
import type { KnownTenant } from './known-tenant.js';
import { TenantDirectory } from './tenant-directory.js';

const free = tierOf();
const gold = tierOf({ name: 'gold', weight: 8 });
const caller = (tenant: string, tier?: string): Caller => ({ tenant, tier, proven: true });

describe('TenantDirectory', () => {
  it('gives one caller one object, and each tenant its own', () => {
    const directory = new TenantDirectory(policyOf());
    const acme = directory.tenantOf(caller('acme'), 0);
    expect(directory.tenantOf(caller('acme'), 5)).toBe(acme);
    expect(acme).toMatchObject({ name: 'acme', policy: free, named: false });
    // Case, lookalikes (a Cyrillic a) and normal forms are other tenants, never the same by accident.
    for (const other of ['Acme', '\u0430cme', 'acme\u0301', 'acm\u00e9', ' acme'])
      expect(directory.tenantOf(caller(other), 5)).not.toBe(acme);
  });

  it('gives all anonymous callers one tenant, which is no label', () => {
    const directory = new TenantDirectory(policyOf());
    const tenant = directory.tenantOf(anonymous, 0);
    expect(directory.tenantOf({ ...anonymous }, 9)).toBe(tenant);
    expect(tenant).toMatchObject({ name: '', policy: free, named: false });
    expect(directory.size).toBe(0);
  });

  const tiers: readonly [string, Caller, string][] = [
    ['nothing: the default', caller('x'), 'free'],
    ['a proven tier', caller('x', 'gold'), 'gold'],
    ['a tier that does not exist: the default', caller('x', 'platinum'), 'free'],
    ['an own entry, over a proven tier', caller('acme', 'free'), 'gold'],
  ];
  it.each(tiers)('policy by %s', (_name, who, tier) => {
    expect(new TenantDirectory(policyOf([free, gold], { acme: gold })).tenantOf(who, 0).policy.name).toBe(tier);
  });

  it('takes the tier that was proven last', () => {
    const directory = new TenantDirectory(policyOf([free, gold]));
    const tenant = directory.tenantOf(caller('x', 'gold'), 0);
    expect(tenant.policy).toBe(gold);
    expect(directory.tenantOf(caller('x'), 0)).toBe(tenant);
    expect(tenant.policy).toBe(free);
  });

  it('keeps objects and what hangs on them through a new policy', () => {
    const directory = new TenantDirectory(policyOf([free, gold], { acme: gold }));
    const [acme, x, nobody] = [directory.tenantOf(caller('acme'), 0), directory.tenantOf(caller('x'), 0), directory.tenantOf(anonymous, 0)];
    acme.admitted = 3;
    const slow = tierOf({ name: 'slow', weight: 2 });
    directory.use(policyOf([slow], { x: gold }));
    expect([directory.tenantOf(caller('acme'), 1), directory.tenantOf(caller('x'), 1), directory.tenantOf(anonymous, 1)]).toEqual([
      acme,
      x,
      nobody,
    ]);
    expect(directory.tenantOf(caller('acme'), 1)).toBe(acme);
    expect([acme.policy, x.policy, nobody.policy]).toEqual([slow, gold, slow]);
    expect([acme.named, x.named]).toEqual([false, true]);
    expect([acme.admitted, x.admitted]).toEqual([3, 0]);
  });

  it('names the tenants of the policy before they call', () => {
    expect(new TenantDirectory(policyOf([free], { b: gold, a: free })).named().map(({ name }) => name)).toEqual(['b', 'a']);
  });

  it('drops what was not used again above its bound, never one of the policy', () => {
    const gone: string[] = [];
    const directory = new TenantDirectory(policyOf([free], { acme: gold }), {
      maxUnnamed: 3,
      onForget: ({ name }) => void gone.push(name),
    });
    for (const name of ['acme', 'a', 'b', 'c', 'a', 'd', 'e']) directory.tenantOf(caller(name), 0);
    expect(gone).toEqual(['b', 'c']);
    expect(directory.size).toBe(4);
  });

  it('forgets the idle as others come, and all of them by sweeps', () => {
    const gone: string[] = [];
    const directory = new TenantDirectory(policyOf(), { idleMs: 1000, onForget: ({ name }) => void gone.push(name) });
    directory.tenantOf(caller('a'), 0);
    directory.tenantOf(caller('b'), 600);
    directory.tenantOf(caller('c'), 1500);
    expect(gone).toEqual(['a']);
    expect(directory.sweep(9000, 1)).toBe(true);
    expect(directory.sweep(9000)).toBe(false);
    expect(gone).toEqual(['a', 'b', 'c']);
    expect(directory.size).toBe(0);
  });

  it('keeps whom it works for, but for the bound', () => {
    const directory = new TenantDirectory(policyOf(), { maxUnnamed: 2, idleMs: 1000 });
    const busy = directory.tenantOf(caller('busy'), 0);
    busy.underWay = 1;
    directory.tenantOf(caller('a'), 1);
    directory.tenantOf(caller('b'), 2);
    expect(directory.tenantOf(caller('busy'), 3)).toBe(busy);
    directory.sweep(60_000);
    expect(directory.tenantOf(caller('busy'), 60_000)).toBe(busy);
    for (let i = 0; i < 30; i++) directory.tenantOf(caller(`held${i}`), 60_000).underWay = 1;
    expect(directory.size).toBe(2);
  });

  it('has keys that a Redis hash tag carries, and no two tenants one', () => {
    const directory = new TenantDirectory(policyOf());
    const names = ['', '%', '-', 'a}b', 'a{b', 'a:b', 'a b', 'ä', 'a%7Db', '%25'];
    const keys = names.map((name) => directory.tenantOf(caller(name), 0).key);
    expect(new Set(keys).size).toBe(names.length);
    for (const key of keys) expect(key).toMatch(/^[\w.!~*'()%-]+$/);
  });

  it("keeps its bound, the policy's tenants and who came just now, whatever comes", () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const step = fc.record({
      name: fc.constantFrom(...names),
      reload: fc.boolean(),
      named: fc.subarray(['a', 'b', 'c']),
      underWay: fc.nat(1),
      afterMs: fc.nat(3000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const forgotten: Tenant[] = [];
        const directory = new TenantDirectory(policyOf(), {
          maxUnnamed: 3,
          idleMs: 1000,
          onForget: (tenant) => void forgotten.push(tenant),
        });
        let nowMs = 0;
        for (const { name, reload, named, underWay, afterMs } of steps) {
          if (reload) directory.use(policyOf([free], Object.fromEntries(named.map((each) => [each, gold]))));
          const policyOwn = directory.named();
          const tenant = directory.tenantOf(caller(name), nowMs);
          tenant.underWay = underWay;
          expect(forgotten).not.toContain(tenant);
          expect(directory.tenantOf(caller(name), nowMs)).toBe(tenant);
          expect(tenant.named).toBe(policyOwn.includes(tenant));
          nowMs += afterMs;
          directory.sweep(nowMs);
          expect(directory.named()).toEqual(policyOwn);
          expect(directory.size).toBeLessThanOrEqual(policyOwn.length + 3);
        }
        for (const each of names) directory.tenantOf(caller(each), nowMs).underWay = 0;
        directory.sweep(nowMs + 1000);
        directory.sweep(nowMs + 2000);
        expect(directory.size).toBe(directory.named().length);
      }),
    );
  });

  it('forgets no one who has requests under way or has not paid for them, while there is anybody else to forget', () => {
    const limits = tierOf({ requestsPerSecond: 1, burst: 4, computeMsPerSecond: 10, computeBurstMs: 20 });
    const step = fc.record({ name: fc.nat(20), computeMs: fc.nat(60), holds: fc.boolean(), afterMs: fc.nat(600) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 150 }), (steps) => {
        const quotas = new Quotas();
        const wronged: string[] = [];
        const atRest = (tenant: KnownTenant, at: number): boolean => quotas.atRest(tenant, at);
        let nowMs = 0;
        const directory = new TenantDirectory(policyOf([limits]), {
          // Each is looked at twice for an insertion: once used again, once not.
          maxUnnamed: 8,
          idleMs: 5_000,
          atRest,
          onForget: (tenant) => {
            const owing = !atRest(tenant as KnownTenant, nowMs);
            const others = [...directory.all()].filter((other) => other.underWay === 0 && atRest(other, nowMs));
            if ((tenant.underWay > 0 || owing) && others.length > 0) wronged.push(tenant.name);
          },
        });
        const held: KnownTenant[] = [];
        for (const { name, computeMs, holds, afterMs } of steps) {
          const tenant = directory.tenantOf(caller(`t${name}`), nowMs);
          if (quotas.take(tenant, 'm', computeMs, nowMs) === undefined) {
            tenant.underWay += 1;
            held.push(tenant);
          }
          const ends = holds ? undefined : held.shift();
          if (ends !== undefined) {
            ends.underWay -= 1;
            quotas.release(ends, 'm', nowMs);
          }
          nowMs += afterMs;
          directory.sweep(nowMs);
          expect([directory.size <= 8, wronged]).toEqual([true, []]);
        }
      }),
    );
  });

  // A fleet's: with what it holds on lease, after an exchange of each tenant.
  const limited = policyOf([tierOf({ requestsPerSecond: 10, burst: 20, computeMsPerSecond: 100, computeBurstMs: 100 })]);
  it.each<[string, (clock: FakeClock) => Quotas]>([
    ['their quotas', () => new Quotas()],
    [
      'quotas that a fleet shares',
      (clock) => new Quotas({ shared: new SharedBuckets({ store: generous, clock, onUnavailable: 'localShare', gateway: 'g' }) }),
    ],
  ])(
    'holds 100,000 invented tenants, with %s, in less than 100 MB',
    async (_name, openQuotas) => {
      const clock = new FakeClock();
      const directory = new TenantDirectory(limited);
      const quotas = openQuotas(clock);
      const before = await usedBytes();
      for (let i = 0; i < 110_000; i++) {
        // As it comes off the wire: a text of its own, not put together of two.
        const name = Buffer.from(`tenant-with-a-long-invented-name-${i}`).toString('latin1');
        const tenant = directory.tenantOf(caller(name), i);
        quotas.take(tenant, 'm', 1.5, clock.nowMs());
        quotas.release(tenant, 'm', clock.nowMs() + 0.5);
        if (i % 1_000 !== 999) continue;
        clock.advance(10);
        await new Promise(setImmediate);
      }
      const taken = (await usedBytes()) - before;
      expect(taken).toBeLessThan(100_000_000);
      // Last, so that it was all there to be measured.
      expect(directory.size).toBe(100_000);
    },
    60_000,
  );
});

/** Has all that is asked for. */
const generous: LeaseStore = {
  exchange: ({ buckets }) => Promise.resolve(buckets.map(({ want, burst }) => ({ lease: want, level: burst - want, share: 1 }))),
};

async function usedBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What a promise of the test before holds goes a turn later.
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(setImmediate);
    collect();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
