import { Metadata } from '@headrace/wire';
import { inferPath } from '../loads/grpc-client.js';
import { failureText, runOpenLoad } from '../loads/open-load.js';
import type { Offered } from '../loads/open-load.js';
import { measureUsage, processTree } from '../loads/usage.js';
import { judge } from '../report/verdict.js';
import { startGatewayBefore } from '../subjects/gateway-before.js';
import { firstReply } from '../subjects/started.js';
import { startTimer } from '../subjects/timer.js';
import { timerModel, timerRequest } from '../workload/timer-request.js';
import type { Arm, BenchContext, Figures, Scenario } from './scenario.js';

/** Each run is one request and takes 10 ms whatever else goes on: 8 at once are 800 requests/s. */
const timer = { overheadMs: 10, perRowMs: 0, maxBatchRows: 0, instances: 8 };
const capacityPerS = (timer.instances * 1000) / timer.overheadMs;
/** Two tenants of one weight. */
const sharePerS = capacityPerS / 2;
/** The tenant that is watched asks for less than its share. */
const quietPerS = 0.5 * sharePerS;
const timeoutMs = 1_000;
const header = 'x-headrace-tenant';

const factors = [0, 1, 10] as const;
type Factor = (typeof factors)[number];

function nameOf(factor: Factor): string {
  return factor === 0 ? 'alone' : `neighbour at ${factor}x its share`;
}

function arm(context: BenchContext, factor: Factor): Arm {
  const { lengths, profileFolder } = context;
  const table = {
    models: [{ name: timerModel, batching: { maxBatchRows: 0 } }],
    trafficPolicy: { identity: [{ header, trustHeader: true }], tiers: [{ name: 'all', weight: 1 }], defaultTier: 'all' },
  };
  const stream = (name: string, perS: number): Offered => ({
    name,
    perS,
    messages: [timerRequest()],
    metadata: Metadata.of({ [header]: name }),
    timeoutMs,
  });
  const offered = [stream('quiet', quietPerS), ...(factor === 0 ? [] : [stream('noisy', sharePerS * factor)])];
  const measure = async (address: string, pids: readonly number[]): Promise<Figures> => {
    const load = (leadS: number, durationS: number): ReturnType<typeof runOpenLoad> =>
      runOpenLoad({ addresses: [address], offered, leadMs: leadS * 1000, durationMs: durationS * 1000 });
    const usage = await measureUsage(processTree(pids), () => load(lengths.warmUpS, lengths.measureS));
    const quiet = usage.result.get('quiet');
    const noisy = usage.result.get('noisy');
    if (quiet === undefined) throw new Error('expected the quiet tenant');
    const figures = {
      quietPerS: quiet.goodputPerS,
      quietP50Ms: quiet.p50Ms,
      quietP99Ms: quiet.p99Ms,
      quietInTimePercent: (100 * quiet.inTime) / quiet.sent,
      quietFailures: failureText(quiet.failures),
      otherCores: usage.otherCores,
    };
    if (noisy === undefined) return figures;
    return { ...figures, noisyOfferedPerS: noisy.sentPerS, noisyPerS: noisy.goodputPerS, noisyFailures: failureText(noisy.failures) };
  };
  return {
    name: nameOf(factor),
    measure: async () => {
      const backend = await startTimer(timer);
      try {
        const gateway = await startGatewayBefore({ backend: backend.address, table, profileFolder });
        try {
          await firstReply(gateway, { what: 'the timer', path: inferPath, message: () => timerRequest() });
          return await measure(gateway.address, [...gateway.pids, ...backend.pids]);
        } finally {
          await gateway.stop();
        }
      } finally {
        await backend.stop();
      }
    },
  };
}

export const neighbour: Scenario = {
  name: 'neighbour',
  title: `a tenant of ${quietPerS} requests/s beside one of the same weight that asks for up to ten times its share, before a timer of ${timer.instances} x ${timer.overheadMs} ms`,
  columns: [
    { key: 'quietPerS', title: 'quiet/s', digits: 0 },
    { key: 'quietP50Ms', title: 'quiet p50 ms', digits: 2 },
    { key: 'quietP99Ms', title: 'quiet p99 ms', digits: 2 },
    { key: 'quietInTimePercent', title: 'quiet answered %', digits: 2 },
    { key: 'quietFailures', title: 'quiet not answered', digits: 0 },
    { key: 'noisyOfferedPerS', title: 'noisy offered/s', digits: 0 },
    { key: 'noisyPerS', title: 'noisy/s', digits: 0 },
    { key: 'noisyFailures', title: 'noisy not answered', digits: 0 },
    { key: 'otherCores', title: 'cores used by others', digits: 2 },
  ],
  arms: (context) => factors.map((factor) => arm(context, factor)),
  judge: (rounds) => [
    judge({
      target: `quiet tenant's p99 beside the other at 10x / at 1x its share <= 1.2`,
      rounds,
      compute: (of) => of(nameOf(10), 'quietP99Ms') / of(nameOf(1), 'quietP99Ms'),
      bound: { atMost: 1.2 },
    }),
    judge({
      target: `quiet tenant's requests answered beside the other at 10x >= 99 %`,
      rounds,
      compute: (of) => of(nameOf(10), 'quietInTimePercent'),
      bound: { atLeast: 99 },
    }),
  ],
};
