import { measureUsage } from '../loads/usage.js';
import { judge } from '../report/verdict.js';
import { gatewayAndServer, inferenceAlone } from '../subjects/headrace.js';
import { kserve, mlserver, triton } from '../subjects/peers.js';
import { rawAt, rawLimit } from '../subjects/raw.js';
import type { RawLimit, RawOptions } from '../subjects/raw.js';
import { benchModels } from '../workload/models.js';
import type { BenchModel } from '../workload/models.js';
import type { Arm, BenchContext, Column, Scenario } from './scenario.js';
import { servedArm, servedColumns } from './served-arm.js';

const servers = [inferenceAlone, gatewayAndServer, mlserver, kserve, triton];
const columns: readonly Column[] = [...servedColumns, { key: 'configuration', title: 'configuration', digits: 0 }];
const rawName = (threads: 1 | 2): string => (threads === 1 ? 'onnxruntime-node, 1 thread' : 'onnxruntime-node, 2 threads');
const ours = gatewayAndServer.name;

function rawOptions(context: BenchContext, model: BenchModel): RawOptions {
  return { file: context.file(model.name), model: model.name, durationMs: context.lengths.rawS * 1000 };
}

/** The bare loop as one arm: rows count as requests. */
function rawLoop(name: string, run: () => Promise<RawLimit>): Arm {
  return {
    name,
    measure: async () => {
      const { result, otherCores } = await measureUsage([], run);
      return { requestsPerS: result.rowsPerS, configuration: result.configuration, otherCores };
    },
  };
}

function rawArm(context: BenchContext, model: BenchModel, threads: 1 | 2): Arm {
  return rawLoop(rawName(threads), () => rawLimit(rawOptions(context, model), threads));
}

/** With 8 in flight each of two instances gets batches of 4: what the bare loop does with those is the most that can be reached. */
const rankerBatch = 4;

function rawAtRankerBatch(context: BenchContext): Arm {
  const way = { workers: 2, intraOpThreads: 1, batchRows: rankerBatch };
  return rawLoop(`${rawName(2)}, batches of ${rankerBatch}`, () => rawAt(rawOptions(context, benchModels.ranker32m), way));
}

export const ranker32m: Scenario = {
  name: 'ranker32m',
  title: '32M ranker, 8 in flight',
  columns,
  arms: (context) => [
    rawArm(context, benchModels.ranker32m, 1),
    rawArm(context, benchModels.ranker32m, 2),
    rawAtRankerBatch(context),
    ...servers.map((subject) => servedArm(context, subject, benchModels.ranker32m, 8)),
  ],
  judge: (rounds) => [
    judge({
      target: 'gateway + server: throughput / the bare two-thread loop at its best batch >= 0.95',
      rounds,
      compute: (of) => of(ours, 'requestsPerS') / of(rawName(2), 'requestsPerS'),
      bound: { atLeast: 0.95 },
    }),
  ],
};

export const tiny: Scenario = {
  name: 'tiny',
  title: 'tiny MLP, 64 in flight',
  columns,
  arms: (context) => [
    rawArm(context, benchModels.tiny, 1),
    rawArm(context, benchModels.tiny, 2),
    ...servers.map((subject) => servedArm(context, subject, benchModels.tiny, 64)),
  ],
  judge: (rounds) => [
    judge({
      target: "gateway + server: throughput / MLServer's >= 3",
      rounds,
      compute: (of) => of(ours, 'requestsPerS') / of(mlserver.name, 'requestsPerS'),
      bound: { atLeast: 3 },
    }),
    judge({
      target: "gateway + server: p99 / MLServer's p50 < 1",
      rounds,
      compute: (of) => of(ours, 'p99Ms') / of(mlserver.name, 'p50Ms'),
      bound: { atMost: 1 },
    }),
  ],
};

export const ranker2m: Scenario = {
  name: 'ranker2m',
  title: '2M ranker, 32 in flight',
  columns,
  arms: (context) => [
    rawArm(context, benchModels.ranker2m, 1),
    rawArm(context, benchModels.ranker2m, 2),
    ...servers.map((subject) => servedArm(context, subject, benchModels.ranker2m, 32)),
  ],
  judge: () => [],
};
