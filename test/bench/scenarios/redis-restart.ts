import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata } from '@headrace/wire';
import { startRedis } from '../../harness/redis.js';
import type { RedisTools, RunningRedis } from '../../harness/redis.js';
import { tool } from '../../harness/tools.js';
import { inferPath } from '../loads/grpc-client.js';
import { failureText, runOpenLoad } from '../loads/open-load.js';
import type { Offered } from '../loads/open-load.js';
import { measureUsage, processTree } from '../loads/usage.js';
import { judge } from '../report/verdict.js';
import { startGatewayBefore } from '../subjects/gateway-before.js';
import { firstReply } from '../subjects/started.js';
import { Unavailable } from '../subjects/subject.js';
import type { RunningSubject } from '../subjects/subject.js';
import { startTimer } from '../subjects/timer.js';
import { timerRequest } from '../workload/timer-request.js';
import { countBetween, fleetBound, steadyBound } from './fleet-bound.js';
import type { Arm, BenchContext, Figures, Scenario } from './scenario.js';

const timer = { overheadMs: 2, perRowMs: 0, maxBatchRows: 32, instances: 2 };
const header = 'x-headrace-tenant';
const limit = { perS: 1_000, burst: 250 };
const greedyPerS = 2 * limit.perS;
const modestPerS = 0.3 * limit.perS;
const timeoutMs = 1_000;
/** A third is too short to see a fleet settle. */
const runsPerMeasurement = 3;
/** Of the run: killed, started again, and from when on all must be as before. */
const at = { killed: 0.25, restarted: 0.5, settled: 0.75 } as const;

const left = 'Redis left alone';
const killed = 'Redis killed and restarted';

async function redisTools(): Promise<RedisTools> {
  const [server, client] = await Promise.all([tool('redisServer'), tool('redisCli')]);
  if ('skip' in server) throw new Unavailable(server.skip);
  if ('skip' in client) throw new Unavailable(client.skip);
  return { server, client };
}

function offered(): readonly Offered[] {
  const stream = (name: string, perS: number): Offered => ({
    name,
    perS,
    messages: [timerRequest()],
    metadata: Metadata.of({ [header]: name }),
    timeoutMs,
  });
  return [stream('greedy', greedyPerS), stream('modest', modestPerS)];
}

/** Kills it and starts another one without data on the same port; resolves with that one. */
async function killAndRestart(tools: RedisTools, redis: RunningRedis, durationMs: number): Promise<RunningRedis> {
  await sleep(durationMs * at.killed);
  await redis.end();
  await sleep(durationMs * (at.restarted - at.killed));
  return startRedis(tools, { port: redis.port });
}

async function underLoad(
  { lengths }: BenchContext,
  gateways: readonly RunningSubject[],
  disturb: (durationMs: number) => void,
): Promise<Figures> {
  const durationMs = runsPerMeasurement * lengths.measureS * 1000;
  const results = await runOpenLoad({
    addresses: gateways.map(({ address }) => address),
    offered: offered(),
    leadMs: Math.max(2, lengths.warmUpS) * 1000,
    durationMs,
    onCounting: () => disturb(durationMs),
  });
  const greedy = results.get('greedy');
  const modest = results.get('modest');
  if (greedy === undefined || modest === undefined) throw new Error('expected both tenants');
  const limited = greedy.failures.get('RATE_LIMITED') ?? 0;
  const failures = new Map([...greedy.failures].filter(([reason]) => reason !== 'RATE_LIMITED'));
  for (const [reason, count] of modest.failures) failures.set(reason, (failures.get(reason) ?? 0) + count);
  const between = (from: number, to: number): number => countBetween(greedy.answeredAtMs, from * durationMs, to * durationMs);
  const perS = (from: number, to: number): number => between(from, to) / (((to - from) * durationMs) / 1000);
  const settledS = ((1 - at.settled) * durationMs) / 1000;
  return {
    beforePerS: perS(0, at.killed),
    downPerS: perS(at.killed, at.restarted),
    afterPerS: perS(at.restarted, at.settled),
    settledPerS: perS(at.settled, 1),
    ofBound: between(0, 1) / fleetBound(limit, durationMs / 1000),
    settledOfBound: between(at.settled, 1) / steadyBound(limit, settledS),
    limited,
    failed: greedy.sent - greedy.inTime - limited + modest.sent - modest.inTime,
    failures: failureText(failures),
  };
}

function arm(context: BenchContext, name: string, disturbed: boolean): Arm {
  return {
    name,
    measure: async () => {
      const tools = await redisTools();
      let redis = await startRedis(tools);
      const running: RunningSubject[] = [];
      try {
        const backend = await startTimer(timer);
        running.push(backend);
        const table = {
          trafficPolicy: {
            identity: [{ header, trustHeader: true }],
            tiers: [{ name: 'all', requestsPerSecond: limit.perS, burst: limit.burst }],
            defaultTier: 'all',
            shared: { redis: { addresses: [redis.address] } },
          },
        };
        for (let index = 0; index < 2; index++)
          running.push(await startGatewayBefore({ backend: backend.address, table, profileFolder: context.profileFolder }));
        const gateways = running.slice(1);
        for (const gateway of gateways) await firstReply(gateway, { what: 'the timer', path: inferPath, message: () => timerRequest() });
        let restart: Promise<RunningRedis> | undefined;
        const disturb = (durationMs: number): void => {
          if (!disturbed) return;
          restart = killAndRestart(tools, redis, durationMs);
          // Waited for below; a failure meanwhile must not end the process as an unhandled rejection.
          restart.catch(() => undefined);
        };
        const pids = processTree([...running.flatMap((each) => each.pids), redis.process.pid]);
        const usage = await measureUsage(pids, () => underLoad(context, gateways, disturb));
        if (restart !== undefined) redis = await restart;
        return { ...usage.result, otherCores: usage.otherCores };
      } finally {
        for (const each of running.toReversed()) await each.stop();
        await redis.end();
      }
    },
  };
}

export const redisRestart: Scenario = {
  name: 'redis-restart',
  title: `two gateways that share a quota of ${limit.perS} requests/s in Redis, one tenant at twice that and one at ${modestPerS}; Redis killed after a quarter of the run, and started without data after half`,
  columns: [
    { key: 'beforePerS', title: 'admitted/s before', digits: 0 },
    { key: 'downPerS', title: 'while it is down', digits: 0 },
    { key: 'afterPerS', title: 'after its return', digits: 0 },
    { key: 'settledPerS', title: 'last quarter', digits: 0 },
    { key: 'ofBound', title: 'all / bound', digits: 3 },
    { key: 'settledOfBound', title: 'last quarter / bound', digits: 3 },
    { key: 'limited', title: 'RATE_LIMITED', digits: 0 },
    { key: 'failed', title: 'failed otherwise', digits: 0 },
    { key: 'failures', title: 'with', digits: 0 },
    { key: 'otherCores', title: 'cores used by others', digits: 2 },
  ],
  arms: (context) => [arm(context, left, false), arm(context, killed, true)],
  judge: (rounds) => [
    judge({
      target: 'requests that failed, but for those above the limit = 0',
      rounds,
      compute: (of) => of(killed, 'failed'),
      bound: { atMost: 0 },
    }),
    judge({
      target: 'admitted over the whole run / the bound of docs/design/0010 <= 1',
      rounds,
      compute: (of) => of(killed, 'ofBound'),
      bound: { atMost: 1 },
    }),
    judge({
      target: 'admitted in the last quarter / (1.02 x limit + one burst) <= 1',
      rounds,
      compute: (of) => of(killed, 'settledOfBound'),
      bound: { atMost: 1 },
    }),
  ],
};
