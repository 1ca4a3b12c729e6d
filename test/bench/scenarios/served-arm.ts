import { runH2load } from '../loads/h2load.js';
import { measureUsage, processTree, residentMb } from '../loads/usage.js';
import type { BenchModel } from '../workload/models.js';
import { randomRequest } from '../workload/request.js';
import type { Subject } from '../subjects/subject.js';
import type { Arm, BenchContext, Column } from './scenario.js';
import { startWarm } from './warm-subject.js';

export const servedColumns: readonly Column[] = [
  { key: 'requestsPerS', title: 'requests/s', digits: 0 },
  { key: 'p50Ms', title: 'p50 ms', digits: 2 },
  { key: 'p99Ms', title: 'p99 ms', digits: 2 },
  { key: 'cpuUsPerRequest', title: 'server CPU us/request', digits: 0 },
  { key: 'readyS', title: 'start to ready s', digits: 1 },
  { key: 'residentMb', title: 'resident MB', digits: 0 },
  { key: 'otherCores', title: 'cores used by others', digits: 2 },
];

/** A subject under a closed loop of `concurrency` requests. */
export function servedArm(context: BenchContext, subject: Subject, model: BenchModel, concurrency: number): Arm {
  const { h2load, lengths } = context;
  return {
    name: subject.name,
    measure: async () => {
      const running = await startWarm(context, subject, model, concurrency === 1 ? 2 : undefined);
      try {
        const { address, replyBytes } = running;
        const load = { address, replyBytes, concurrency, message: randomRequest(model) };
        const pids = processTree(running.pids);
        const usage = await measureUsage(pids, () => runH2load(h2load, { ...load, durationS: lengths.measureS }));
        const { requestsPerS, p50Ms, p99Ms, count } = usage.result;
        return {
          requestsPerS,
          p50Ms,
          p99Ms,
          cpuUsPerRequest: usage.cpuUs / count,
          readyS: running.readyS,
          residentMb: residentMb(pids),
          otherCores: usage.otherCores,
        };
      } finally {
        await running.stop();
      }
    },
  };
}
