import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis, leaseStoreCases, quotaTenant, quotaTier, Quotas, RedisLeaseStore, SharedBuckets } from '@headrace/gateway/testing';
import type { RedisConnection, TestTenant } from '@headrace/gateway/testing';
import { systemClock } from '@headrace/runtime';
import { makeCertificates } from '@headrace/wire/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { needRedis, startRedis, startRedisCluster, startSentinel, tempDir } from '../harness/index.js';
import type { RunningRedis } from '../harness/index.js';
import { until } from '../harness/until.js';

type Target = Parameters<typeof connectRedis>[0];
type Policy = TestTenant['policy'];

const ends: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function target(kind: Target['kind'], addresses: readonly string[], more: Partial<Target> = {}): Target {
  return { kind, addresses, sentinelName: undefined, username: undefined, passwordFile: undefined, tls: undefined, ...more };
}

interface Gateway {
  readonly connection: RedisConnection;
  readonly shared: SharedBuckets;
  readonly quotas: Quotas;
  readonly tenants: readonly TestTenant[];
  admitted: number;
  refused: number;
}

/** Gateways with a connection each, on the real clock. */
function startFleet(
  to: Target,
  policy: Policy,
  options: { gateways?: number; names?: readonly string[]; refuse?: boolean } = {},
): readonly Gateway[] {
  return Array.from({ length: options.gateways ?? 2 }, () => {
    const connection = connectRedis(to);
    const onUnavailable = options.refuse === true ? 'refuse' : 'localShare';
    const shared = new SharedBuckets({ store: new RedisLeaseStore(connection.client), clock: systemClock, onUnavailable });
    ends.push(async () => {
      await shared.close();
      connection.close();
    });
    const tenants = (options.names ?? ['acme']).map((name) => quotaTenant(policy, name));
    return { connection, shared, quotas: new Quotas({ shared }), tenants, admitted: 0, refused: 0 };
  });
}

/** Offers at these rates to each gateway, spread over its tenants; resolves with how long it took. */
async function offer(fleet: readonly Gateway[], perSecond: readonly number[], forMs: number): Promise<number> {
  const startMs = systemClock.nowMs();
  const offered = fleet.map(() => 0);
  for (let nowMs = startMs; nowMs - startMs < forMs; nowMs = systemClock.nowMs()) {
    for (const [index, gateway] of fleet.entries()) {
      const due = ((perSecond[index] ?? 0) * (nowMs - startMs)) / 1000;
      for (let at = offered[index] ?? 0; at < due; at += 1) takeOne(gateway, at);
      offered[index] = Math.ceil(due);
    }
    await sleep(2);
  }
  return systemClock.nowMs() - startMs;
}

/** A take is a call that returns: there is nothing in it that could wait. */
function takeOne(gateway: Gateway, at: number): boolean {
  const tenant = gateway.tenants[at % gateway.tenants.length];
  if (tenant === undefined) return false;
  const admitted = gateway.quotas.take(tenant, 'm', 1, systemClock.nowMs()) === undefined;
  if (admitted) {
    gateway.admitted += 1;
    gateway.quotas.release(tenant, 'm', systemClock.nowMs());
  } else gateway.refused += 1;
  return admitted;
}

/** Sends little by little until each gateway has had `more` answers. */
async function answered(fleet: readonly Gateway[], more = 1): Promise<void> {
  const wanted = fleet.map(({ shared }) => shared.counts.answers + more);
  await until('each gateway has leases', () => {
    for (const gateway of fleet) takeOne(gateway, 0);
    return fleet.every(({ shared }, index) => shared.counts.answers >= (wanted[index] ?? 0) && !shared.failing);
  });
}

const total = (fleet: readonly Gateway[]): number => fleet.reduce((sum, { admitted }) => sum + admitted, 0);
const refused = (fleet: readonly Gateway[]): number => fleet.reduce((sum, each) => sum + each.refused, 0);

/** Limits so wide that only a defect refuses. */
const wide = quotaTier({ requestsPerSecond: 5_000, burst: 20_000 });

async function redisFor(context: { skip(note?: string): never }, options: Parameters<typeof startRedis>[1] = {}): Promise<RunningRedis> {
  const redis = await startRedis(await needRedis(context), options);
  ends.push(() => redis.end());
  return redis;
}

describe('a store in Redis', () => {
  it('behaves as the one in memory', async (context) => {
    const redis = await redisFor(context);
    const connection = connectRedis(target('single', [redis.address]));
    ends.push(() => connection.close());
    const store = new RedisLeaseStore(connection.client);
    await until(
      'it answers',
      () => connection.client.evalsha('x', 0).catch((error: unknown) => String(error).includes('NOSCRIPT')) as Promise<boolean>,
    );
    const failed: string[] = [];
    for (const [sentence, run] of Object.entries(leaseStoreCases)) {
      await run({ store, wait: (ms) => sleep(ms) }).catch((error: unknown) => failed.push(`${sentence}: ${String(error)}`));
    }
    expect(failed).toEqual([]);
    // The same after the scripts are gone, as after a restart.
    await redis.cli('script', 'flush');
    await redis.cli('flushall');
    for (const [sentence, run] of Object.entries(leaseStoreCases)) {
      await run({ store, wait: (ms) => sleep(ms) }).catch((error: unknown) => failed.push(`${sentence}: ${String(error)}`));
    }
    expect(failed).toEqual([]);
  });

  it('takes no argument outside of its range, and changes nothing then', async (context) => {
    const redis = await redisFor(context);
    const connection = connectRedis(target('single', [redis.address]));
    ends.push(() => connection.close());
    const store = new RedisLeaseStore(connection.client);
    const bucket = { name: 'r', ratePerSecond: 1, burst: 1, total: 0, owed: 0, want: 0, usePerSecond: 0, initial: 1 };
    const ask = { tenantKey: 't', epoch: 'e', sequence: 1, ttlMs: 1_000, buckets: [bucket] };
    await until('it answers', () =>
      store.exchange({ ...ask, tenantKey: 'first' }).then(
        () => true,
        () => false,
      ),
    );
    const bad = [
      { ...ask, epoch: '' },
      { ...ask, epoch: 'a b' },
      { ...ask, epoch: 'x'.repeat(65) },
      { ...ask, sequence: 0 },
      { ...ask, ttlMs: 0 },
      { ...ask, ttlMs: 1e9 },
      { ...ask, buckets: Array.from({ length: 65 }, () => bucket) },
      ...[Number.NaN, -1, Infinity].flatMap((value) =>
        (['ratePerSecond', 'burst', 'owed', 'want', 'usePerSecond'] as const).map((field) => ({
          ...ask,
          buckets: [{ ...bucket, [field]: value }],
        })),
      ),
    ];
    for (const each of bad) await expect(store.exchange(each)).rejects.toThrow('HEADRACE');
    expect((await redis.cli('dbsize')).trim()).toBe('1');
  });

  it('has keys that end by themselves, and no names in them', async (context) => {
    const redis = await redisFor(context);
    const names = ['acme', '{a}{b}', 'x\r\nFLUSHALL\r\n', '../..', 'ü'.repeat(10_000), '', '*'];
    const fleet = startFleet(
      target('single', [redis.address]),
      quotaTier({ requestsPerSecond: 100, burst: 100 }, { m: { computeMsPerSecond: 100, computeBurstMs: 100 } }),
      { gateways: 1, names },
    );
    await answered(fleet);
    await until('all are known', async () => {
      await offer(fleet, [500], 50);
      return (await redis.cli('dbsize')).trim() === String(2 * names.length);
    });
    const keys = (await redis.cli('keys', '*')).trim().split('\n');
    for (const key of keys) {
      expect(key).toMatch(/^headrace:quota:\{[\w-]{22}\}:(r|c\.[\w-]{22})$/);
      expect(Number(await redis.cli('pttl', key))).toBeGreaterThan(0);
    }
    expect(new Set(keys.map((key) => key.split(':')[2])).size).toBe(names.length);
  });
});

describe('a fleet on a real Redis', () => {
  it('holds a limit over two gateways, and gives the one with the traffic nearly all', async (context) => {
    const redis = await redisFor(context);
    const fleet = startFleet(target('single', [redis.address]), quotaTier({ requestsPerSecond: 500, burst: 250 }));
    await answered(fleet);
    const before = total(fleet);
    const tookMs = await offer(fleet, [1_900, 100], 3_000);
    const admitted = total(fleet) - before;
    expect(admitted).toBeLessThanOrEqual((500 * tookMs) / 1000 + 250 + 250 + 125);
    expect(admitted).toBeGreaterThan((500 * tookMs) / 1000 / 2);
  });

  it('killed and started again under load: no request fails, and the limit holds again', async (context) => {
    const redis = await redisFor(context);
    const fleet = startFleet(target('single', [redis.address]), wide);
    await answered(fleet);
    const killed = offer(fleet, [400, 100], 2_500);
    await sleep(500);
    redis.process.kill('SIGKILL');
    await redis.process.exited;
    await sleep(500);
    const again = await redisFor(context, { port: redis.port });
    await killed;
    await answered(fleet, 2);
    expect(refused(fleet)).toBe(0);
    expect((await again.cli('dbsize')).trim()).toBe('1');
    for (const { tenants } of fleet) for (const tenant of tenants) tenant.policy = quotaTier({ requestsPerSecond: 200, burst: 100 });
    const before = total(fleet);
    const tookMs = await offer(fleet, [1_000, 1_000], 2_000);
    expect(total(fleet) - before).toBeLessThanOrEqual((200 * tookMs) / 1000 + 100 + 100 + 50);
  });

  it('stopped in its tracks: no request fails or waits, and it is taken up again', async (context) => {
    const redis = await redisFor(context);
    const fleet = startFleet(target('single', [redis.address]), wide);
    await answered(fleet);
    redis.process.kill('SIGSTOP');
    await offer(fleet, [400, 100], 2_000);
    expect(fleet.map(({ shared }) => shared.failing)).toEqual([true, true]);
    redis.process.kill('SIGCONT');
    await answered(fleet, 2);
    expect(refused(fleet)).toBe(0);
  });

  it('a policy that asks to refuse does, with its own reason, until Redis is back', async (context) => {
    const redis = await redisFor(context);
    const fleet = startFleet(target('single', [redis.address]), wide, { gateways: 1, refuse: true });
    await answered(fleet);
    redis.process.kill('SIGKILL');
    await redis.process.exited;
    await until('requests are refused', () => fleet.every((gateway) => !takeOne(gateway, 0)));
    expect(fleet[0]?.quotas.refused).toMatchObject({ RATE_LIMITED: 0, COMPUTE_LIMITED: 0 });
    expect(fleet[0]?.quotas.refused.LIMITER_UNAVAILABLE).toBeGreaterThan(0);
    await redisFor(context, { port: redis.port });
    await answered(fleet, 2);
    expect(fleet.every((gateway) => takeOne(gateway, 0))).toBe(true);
  });

  it('speaks TLS, and takes a password that was changed', async (context) => {
    const certificates = await makeCertificates();
    const folder = await tempDir('secret');
    ends.push(
      () => folder.remove(),
      () => certificates.remove(),
    );
    const passwordFile = join(folder.path, 'password');
    await writeFile(passwordFile, 'first\n');
    const tls = { ...certificates.server, authorityFile: certificates.authorityFile };
    const redis = await redisFor(context, { password: 'first', tls });
    const to = target('single', [redis.address], {
      passwordFile,
      tls: { authorityFile: certificates.authorityFile, serverName: 'localhost' },
    });
    const fleet = startFleet(to, wide);
    await answered(fleet);
    await writeFile(passwordFile, 'second\n');
    await redis.cli('-a', 'first', '--no-auth-warning', 'config', 'set', 'requirepass', 'second');
    await redis.cli('-a', 'second', '--no-auth-warning', 'client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await answered(fleet, 2);
    expect(refused(fleet)).toBe(0);
    const stranger = startFleet({ ...to, tls: { authorityFile: undefined, serverName: 'localhost' } }, wide, { gateways: 1 });
    await until('it cannot be asked', () => {
      for (const gateway of stranger) takeOne(gateway, 0);
      return stranger.every(({ shared }) => shared.failing);
    });
    expect([stranger[0]?.shared.counts.answers, refused(stranger)]).toEqual([0, 0]);
  });

  it('follows its sentinels to the replica that took over', async (context) => {
    const tools = await needRedis(context);
    const primary = await redisFor(context);
    const replica = await redisFor(context, { args: ['--replicaof', `127.0.0.1 ${primary.port}`] });
    await until('the replica is in step', async () => (await replica.cli('info', 'replication')).includes('master_link_status:up'));
    const sentinel = await startSentinel(tools, primary);
    ends.push(() => sentinel.end());
    await until('the sentinel knows the replica', async () =>
      (await sentinel.cli('sentinel', 'replicas', 'quotas')).includes(String(replica.port)),
    );
    const fleet = startFleet(target('sentinel', [sentinel.address], { sentinelName: 'quotas' }), wide);
    await answered(fleet);
    primary.process.kill('SIGKILL');
    await offer(fleet, [400, 100], 1_000);
    await until('the replica took over', async () => (await replica.cli('info', 'replication')).includes('role:master'));
    await answered(fleet, 3);
    expect(refused(fleet)).toBe(0);
    expect((await replica.cli('dbsize')).trim()).toBe('1');
  });

  it('spreads tenants over a cluster, and loses only a shard with a node', async (context) => {
    const nodes = await startRedisCluster(await needRedis(context));
    ends.push(() => Promise.all(nodes.map((node) => node.end())));
    const names = Array.from({ length: 30 }, (_, index) => `tenant ${index}`);
    const policy = quotaTier({ requestsPerSecond: 1_000, burst: 5_000, computeMsPerSecond: 1_000, computeBurstMs: 5_000 });
    const fleet = startFleet(
      target(
        'cluster',
        nodes.map(({ address }) => address),
      ),
      policy,
      { names },
    );
    await answered(fleet);
    await until('each node has some of them, and all together all', async () => {
      await offer(fleet, [500, 500], 100);
      const sizes = await Promise.all(nodes.map(async (node) => Number((await node.cli('dbsize')).trim())));
      return sizes.every((size) => size > 0 && size % 2 === 0) && sizes.reduce((sum, size) => sum + size, 0) === 2 * names.length;
    });
    nodes[0]?.process.kill('SIGKILL');
    await offer(fleet, [300, 300], 2_000);
    await answered(fleet, 2);
    expect(refused(fleet)).toBe(0);
  });
});
