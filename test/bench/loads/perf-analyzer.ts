import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../../harness/command.js';
import { tempDir } from '../../harness/places.js';
import type { Tool } from '../../harness/tools.js';
import type { BenchModel } from '../workload/models.js';

export interface PerfAnalyzerResult {
  readonly requestsPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** perf_analyzer in its closed loop with random inputs; the server has to answer ModelConfig. */
export async function runPerfAnalyzer(
  tool: Tool,
  options: { readonly address: string; readonly model: BenchModel; readonly concurrency: number; readonly durationS: number },
): Promise<PerfAnalyzerResult> {
  const scratch = await tempDir('perf-analyzer');
  try {
    const report = join(scratch.path, 'report.csv');
    const windowMs = Math.round(options.durationS * 1000);
    // Three windows, whatever they show: by itself it goes on, and in the end refuses, while they differ.
    const measure = ['--measurement-interval', String(windowMs), '--max-trials', '3', '--stability-percentage', '900'];
    const load = ['--concurrency-range', String(options.concurrency), '--input-data', 'random', '--async'];
    const args = ['-m', options.model.name, '-i', 'grpc', '-u', options.address, '-b', '1', ...load, ...measure, '-f', report];
    await mustRun(tool.path, args, { env: tool.env, timeoutMs: (options.durationS * 6 + 60) * 1000 });
    return parseReport(await readFile(report, 'utf8'));
  } finally {
    await scratch.remove();
  }
}

/** A header line and a line of figures; latencies are in microseconds. */
export function parseReport(csv: string): PerfAnalyzerResult {
  const [header = '', figures = ''] = csv.trim().split('\n');
  const values = figures.split(',');
  const column = (name: string): number => {
    const index = header.split(',').indexOf(name);
    if (index < 0) throw new Error(`perf_analyzer's report has no column ${JSON.stringify(name)}: ${header}`);
    return Number(values[index]);
  };
  return { requestsPerS: column('Inferences/Second'), p50Ms: column('p50 latency') / 1000, p99Ms: column('p99 latency') / 1000 };
}
