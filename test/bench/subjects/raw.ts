import { fileURLToPath } from 'node:url';
import { mustRun } from '../../harness/command.js';
import type { RawPlan, RawResult } from './raw-protocol.js';

export interface RawOptions {
  readonly file: string;
  readonly model: string;
  readonly durationMs: number;
}

export interface RawLimit extends RawResult {
  /** E.g. "2 x 1 thread, batch 8". */
  readonly configuration: string;
}

/** How a process uses its cores. */
export type RawWay = Pick<RawPlan, 'workers' | 'intraOpThreads' | 'batchRows'>;

/** Ways to use one core, and two. */
const oneThread = [{ workers: 1, intraOpThreads: 1 }];
const twoThreads = [
  { workers: 2, intraOpThreads: 1 },
  { workers: 1, intraOpThreads: 2 },
];
const batches = [1, 8, 32];

/** The best that onnxruntime-node does in process with `threads`, over batches and ways to use them. */
export async function rawLimit(options: RawOptions, threads: 1 | 2): Promise<RawLimit> {
  const all: RawLimit[] = [];
  for (const way of threads === 1 ? oneThread : twoThreads) {
    for (const batchRows of batches) all.push(await rawAt(options, { ...way, batchRows }));
  }
  return all.reduce((best, next) => (next.rowsPerS > best.rowsPerS ? next : best));
}

/** What one configuration does. */
export async function rawAt(options: RawOptions, way: RawWay): Promise<RawLimit> {
  const result = await runRaw({ ...options, ...way });
  return { ...result, configuration: `${way.workers} x ${way.intraOpThreads} thread, batch ${way.batchRows}` };
}

async function runRaw(plan: RawPlan): Promise<RawResult> {
  const main = fileURLToPath(new URL('./raw-main.js', import.meta.url));
  // As headrace-inference runs it.
  return JSON.parse(await mustRun(process.execPath, [main, JSON.stringify(plan)], { env: { ORT_DISABLE_TELEMETRY: '1' } })) as RawResult;
}
