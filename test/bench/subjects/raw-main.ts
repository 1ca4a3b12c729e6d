import { Worker } from 'node:worker_threads';
import type { RawPlan, RawResult, WorkerResult } from './raw-protocol.js';

/** `node raw-main.js PLAN`: a process of its own for each configuration, so that none inherits another's memory or threads. */
async function main(plan: RawPlan): Promise<void> {
  const workers = Array.from({ length: plan.workers }, () => new Worker(new URL('./raw-worker.js', import.meta.url), { workerData: plan }));
  await Promise.all(workers.map((worker) => nextMessage(worker)));
  for (const worker of workers) worker.postMessage('begin');
  const results = (await Promise.all(workers.map((worker) => nextMessage(worker)))) as WorkerResult[];
  // Each worker ends its last run after the others: rates are added, not runs.
  const rowsPerS = results.reduce((sum, { runs, busyMs }) => sum + (runs * plan.batchRows * 1000) / busyMs, 0);
  const runMs = results.reduce((sum, { runs, busyMs }) => sum + busyMs / runs, 0) / results.length;
  const result: RawResult = { rowsPerS, runMs };
  console.log(JSON.stringify(result));
}

function nextMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

await main(JSON.parse(process.argv[2] ?? '{}') as RawPlan);
