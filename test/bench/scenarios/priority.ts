import { batchTimes, usualBatch } from '../loads/batch-statistics.js';
import { runH2load } from '../loads/h2load.js';
import type { H2loadOptions, H2loadResult } from '../loads/h2load.js';
import { measureUsage, processTree } from '../loads/usage.js';
import { judge } from '../report/verdict.js';
import { gatewayAndServer } from '../subjects/headrace.js';
import { pinnedGatewayAndServer, restCore } from '../subjects/pinned-platform.js';
import type { Subject } from '../subjects/subject.js';
import { benchModels } from '../workload/models.js';
import { randomRequest } from '../workload/request.js';
import type { Arm, BenchContext, Column, Figures, Scenario } from './scenario.js';
import { startWarm } from './warm-subject.js';

const model = benchModels.ranker2m;
/** Two running and two staged batches of 32. */
const normalInFlight = 128;
/** About 3 % of what two cores can run: far below the bypass's cap, and a thousand samples in ten seconds. */
const highPerS = 100;

const idle = 'high alone';
const normal = 'normal alone';
const both = 'high and normal';

interface Variant {
  readonly subject: Subject;
  /** Of the load generators; absent: any. */
  readonly core?: number;
}

/** One server start, and the loads at the same time on it. */
function arm(context: BenchContext, variant: Variant, name: string, loads: { readonly high: boolean; readonly normal: boolean }): Arm {
  const { h2load, lengths } = context;
  const { subject, ...pinned } = variant;
  const run = async (address: string, replyBytes: number, durationS: number): Promise<Figures> => {
    const shared = { address, replyBytes, durationS, ...pinned };
    const highLoad: H2loadOptions = { ...shared, message: randomRequest(model, { priority: 1 }), concurrency: 8, requestsPerS: highPerS };
    const normalLoad: H2loadOptions = { ...shared, message: randomRequest(model), concurrency: normalInFlight };
    const nothing = Promise.resolve<H2loadResult | undefined>(undefined);
    const [high, bulk] = await Promise.all([
      loads.high ? runH2load(h2load, highLoad) : nothing,
      loads.normal ? runH2load(h2load, normalLoad) : nothing,
    ]);
    return {
      ...(high === undefined ? {} : { highPerS: high.requestsPerS, highP50Ms: high.p50Ms, highP99Ms: high.p99Ms }),
      ...(bulk === undefined ? {} : { normalPerS: bulk.requestsPerS, normalP99Ms: bulk.p99Ms }),
    };
  };
  return {
    name,
    measure: async () => {
      const running = await startWarm(context, subject, model);
      try {
        await run(running.address, running.replyBytes, 1);
        const before = await batchTimes(running.address, model.name);
        const usage = await measureUsage(processTree(running.pids), () => run(running.address, running.replyBytes, lengths.measureS));
        const figures = { ...usage.result, otherCores: usage.otherCores };
        if (!loads.normal) return figures;
        const batch = usualBatch(before, await batchTimes(running.address, model.name));
        return { ...figures, batchRows: batch.rows, batchMs: batch.runMs };
      } finally {
        await running.stop();
      }
    },
  };
}

const columns: readonly Column[] = [
  { key: 'highPerS', title: 'high/s', digits: 0 },
  { key: 'highP50Ms', title: 'high p50 ms', digits: 2 },
  { key: 'highP99Ms', title: 'high p99 ms', digits: 2 },
  { key: 'normalPerS', title: 'normal/s', digits: 0 },
  { key: 'normalP99Ms', title: 'normal p99 ms', digits: 1 },
  { key: 'batchRows', title: 'usual batch', digits: 0 },
  { key: 'batchMs', title: 't(b) ms', digits: 1 },
  { key: 'otherCores', title: 'cores used by others', digits: 2 },
];

function scenario(name: string, where: string, variant: Variant): Scenario {
  return {
    name,
    title: `2M ranker through gateway + server${where}: ${highPerS} high-priority requests/s beside ${normalInFlight} normal ones in flight`,
    columns,
    arms: (context) => [
      arm(context, variant, idle, { high: true, normal: false }),
      arm(context, variant, normal, { high: false, normal: true }),
      arm(context, variant, both, { high: true, normal: true }),
    ],
    judge: (rounds) => [
      judge({
        target: `high-priority p99 under load / (its idle p99 + one t(b))${where} <= 1`,
        rounds,
        compute: (of) => of(both, 'highP99Ms') / (of(idle, 'highP99Ms') + of(both, 'batchMs')),
        bound: { atMost: 1 },
      }),
      judge({
        target: `normal throughput with / without high-priority requests${where} >= 0.9`,
        rounds,
        compute: (of) => of(both, 'normalPerS') / of(normal, 'normalPerS'),
        bound: { atLeast: 0.9 },
      }),
    ],
  };
}

export const priority = scenario('priority', '', { subject: gatewayAndServer });

/** Without what the scheduler does to threads that share a core with a run: gateway, server and generators leave the instance alone. */
export const priorityPinned = scenario('priority-pinned', ', one instance with a core of its own', {
  subject: pinnedGatewayAndServer,
  core: restCore,
});
