import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { benchModels } from '../workload/models.js';
import type { BenchInput, BenchModel } from '../workload/models.js';
import { randomRow } from '../workload/request.js';
import type { RawPlan, WorkerResult } from './raw-protocol.js';

/** Different inputs in turn, made beforehand: making them is not part of the limit. */
const differentInputs = 16;
const warmUpRuns = 3;

function randomTensor(input: BenchInput, rows: number): Tensor {
  const bytes = Buffer.concat(Array.from({ length: rows }, () => randomRow(input)));
  const own = Uint8Array.from(bytes).buffer;
  const dims = [rows, ...input.rowShape];
  return input.datatype === 'FP32' ? new Tensor('float32', new Float32Array(own), dims) : new Tensor('int64', new BigInt64Array(own), dims);
}

/** Runs the model over and over on this thread. The parent lets all workers begin together, once each is warm. */
async function loop(plan: RawPlan): Promise<void> {
  const model = Object.values<BenchModel>(benchModels).find(({ name }) => name === plan.model);
  if (model === undefined || parentPort === null) throw new Error(`no such model: ${plan.model}`);
  const session = await InferenceSession.create(plan.file, { intraOpNumThreads: plan.intraOpThreads, interOpNumThreads: 1 });
  const feeds = Array.from({ length: differentInputs }, () =>
    Object.fromEntries(model.inputs.map((input) => [input.name, randomTensor(input, plan.batchRows)])),
  );
  for (let run = 0; run < warmUpRuns; run++) await session.run(feeds[run] ?? {});
  const port = parentPort;
  const begin = new Promise((resolve) => port.once('message', resolve));
  port.postMessage('warm');
  await begin;
  const beganMs = performance.now();
  let runs = 0;
  while (performance.now() - beganMs < plan.durationMs) {
    await session.run(feeds[runs % differentInputs] ?? {});
    runs++;
  }
  const result: WorkerResult = { runs, busyMs: performance.now() - beganMs };
  port.postMessage(result);
  await session.release();
}

await loop(workerData as RawPlan);
