import { measureUsage, processTree, residentMb } from '../loads/usage.js';
import { runRandomLoad } from '../loads/random-client.js';
import { gatewayAndServer, inferenceAlone } from '../subjects/headrace.js';
import { kserve, mlserver, triton } from '../subjects/peers.js';
import { startSubject } from '../subjects/started.js';
import { Unavailable } from '../subjects/subject.js';
import type { Subject } from '../subjects/subject.js';
import { benchModels } from '../workload/models.js';
import type { Arm, BenchContext, Scenario } from './scenario.js';

const model = benchModels.tiny;
const concurrency = 8;
const warmUpRuns = 5;
/** Of the server's code, however few the models. */
const warmUpRequests = 10_000;
/** Triton's Python back end starts a process of about 30 MB of its own for each instance. */
const mostTritonModels = 50;

function arm(context: BenchContext, subject: Subject, models: number): Arm {
  const servedAs = models === 1 ? [model.name] : Array.from({ length: models }, (_, index) => `${model.name}-${index}`);
  return {
    name: `${subject.name}, ${models === 1 ? '1 model' : `${models} models`}`,
    measure: async () => {
      if (subject === triton && models > mostTritonModels) throw new Unavailable('a process for each instance: too many for this memory');
      const copies = servedAs.map((name) => ({ name, model, file: context.file(model.name) }));
      const running = await startSubject(subject, { models: copies, peerThreads: model.peerThreads });
      try {
        const load = { address: running.address, model, servedAs, concurrency };
        // A model's first runs are dearer than those that follow, however long the server has been up.
        await runRandomLoad({
          ...load,
          durationMs: context.lengths.warmUpS * 1000,
          atLeast: Math.max(warmUpRequests, warmUpRuns * models),
        });
        const pids = processTree(running.pids);
        const usage = await measureUsage(pids, () => runRandomLoad({ ...load, durationMs: context.lengths.measureS * 1000 }));
        return {
          readyS: running.readyS,
          residentMb: residentMb(pids),
          cpuUsPerRequest: usage.cpuUs / usage.result,
          requestsPerS: usage.result / context.lengths.measureS,
          otherCores: usage.otherCores,
        };
      } finally {
        await running.stop();
      }
    },
  };
}

export const footprint: Scenario = {
  name: 'footprint',
  title: `copies of the tiny MLP, ${concurrency} in flight, each request to a model picked at random with inputs of its own`,
  columns: [
    { key: 'readyS', title: 'start to ready s', digits: 1 },
    { key: 'residentMb', title: 'resident MB', digits: 0 },
    { key: 'cpuUsPerRequest', title: 'server CPU us/request', digits: 0 },
    { key: 'requestsPerS', title: 'requests/s (bound by the client too)', digits: 0 },
    { key: 'otherCores', title: 'cores used by others', digits: 2 },
  ],
  arms: (context) =>
    [1, context.lengths.manyModels].flatMap((models) =>
      [inferenceAlone, gatewayAndServer, mlserver, kserve, triton].map((subject) => arm(context, subject, models)),
    ),
  judge: () => [],
};
