import { MetricsRegistry, createLogger } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { beforeEach, expect, it } from 'vitest';
import type { Quotas } from './admission/quota/quotas.js';
import { settle } from './admission/quota/testing/fleet.js';
import { MemoryLeaseStore } from './admission/quota/testing/memory-store.js';
import { tenant, tier } from './admission/quota/testing/policy.js';
import { defineGatewayMetrics } from './metrics.js';
import { QuotaSource } from './open-quotas.js';

const acme = (): ReturnType<typeof tenant> => tenant(tier({ requestsPerSecond: 1_000, burst: 1_000 }));

let clock: FakeClock;
let store: MemoryLeaseStore;
let quotas: Quotas;
let counted: (metric: string) => Promise<readonly string[]>;

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryLeaseStore(clock, 10);
  const registry = new MetricsRegistry({ processMetrics: false });
  const gauges = { heldRequests: () => 0, heldBytes: () => 0, queuedRows: () => 0, oldestKeysSeconds: () => 0 };
  const metrics = defineGatewayMetrics(registry, { ...gauges, heldLeases: () => source.heldLeases });
  const source = new QuotaSource({ clock, logger: createLogger({ name: 'test', level: 'silent' }), metrics, siblings: store });
  quotas = source.open(undefined);
  counted = async (metric) =>
    (await registry.exposition())
      .split('\n')
      .filter((line) => line.startsWith(metric))
      .map((line) => line.slice(metric.length));
});

const pass = async (ms: number): Promise<void> => {
  for (let each = 0; each < ms; each++) {
    clock.advance(1);
    await settle();
  }
};
const exchanges = 'headrace_gateway_lease_exchange_seconds_count';
const failing = 'headrace_gateway_lease_store_failing';
const held = 'headrace_gateway_leases_held';
const local = 'headrace_gateway_local_share_admissions_total';
const counts = async (metric: string): Promise<readonly string[]> => (await counted(metric)).filter((line) => !line.endsWith(' 0'));

it('counts what the local share admits until a lease pays, the round trip that brings it, and the lease', async () => {
  const caller = acme();
  expect(quotas.take(caller, 'm', 1, clock.nowMs())).toBeUndefined();
  expect([await counts(local), await counts(held)]).toEqual([['{store="workers"} 1'], []]);
  await pass(40);
  expect([await counts(exchanges), await counts(held)]).toEqual([['{store="workers",outcome="answered"} 1'], [' 1']]);
  expect(await counted('headrace_gateway_lease_exchange_seconds_sum')).toContain('{store="workers",outcome="answered"} 0.01');
});

it('what a lease pays for is no admission from the local share', async () => {
  const caller = acme();
  for (let each = 0; each < 300; each++) {
    quotas.take(caller, 'm', 1, clock.nowMs());
    await pass(1);
  }
  const before = await counts(local);
  for (let each = 0; each < 10; each++) expect(quotas.take(caller, 'm', 1, clock.nowMs())).toBeUndefined();
  expect(await counts(local)).toEqual(before);
});

it('a store that refuses fails until it answers', async () => {
  store.state = 'down';
  quotas.take(acme(), 'm', 1, clock.nowMs());
  await pass(10);
  expect([await counts(exchanges), await counted(failing)]).toEqual([['{store="workers",outcome="failed"} 1'], ['{store="workers"} 1']]);
  store.state = 'up';
  await pass(200);
  expect([await counts(exchanges), await counted(failing)]).toEqual([
    ['{store="workers",outcome="answered"} 1', '{store="workers",outcome="failed"} 1'],
    ['{store="workers"} 0'],
  ]);
});

it('a store that says nothing is given up', async () => {
  store.state = 'silent';
  quotas.take(acme(), 'm', 1, clock.nowMs());
  await pass(300);
  expect([await counts(exchanges), await counted(failing)]).toEqual([['{store="workers",outcome="late"} 1'], ['{store="workers"} 1']]);
});

it('holds nothing any more when it has closed', async () => {
  quotas.take(acme(), 'm', 1, clock.nowMs());
  await pass(40);
  const closed = quotas.close();
  await pass(300);
  await closed;
  expect(await counts(held)).toEqual([]);
});
