import { describe, expect, it } from 'vitest';
import { MergedMetrics } from './merged.js';
import type { MetricsSnapshot } from './merged.js';
import { MetricsRegistry } from './registry.js';

async function snapshotOf(requests: number, queued: number, ready: number, seconds: number): Promise<MetricsSnapshot> {
  const registry = new MetricsRegistry({ processMetrics: false });
  registry.defineCounter({ name: 'headrace_requests_total', help: 'h', labels: ['model'] }).inc({ model: 'a' }, requests);
  registry.defineCounter({ name: 'headrace_reloads_total', help: 'h', together: 'max' }).inc({}, 1);
  registry.defineGauge({ name: 'headrace_queued_rows', help: 'h' }).set({}, queued);
  registry.defineGauge({ name: 'headrace_ready', help: 'h', labels: ['backend'], together: 'max' }).set({ backend: 'b' }, ready);
  registry.defineHistogram({ name: 'headrace_run_seconds', help: 'h', buckets: [1] }).observe({}, seconds);
  // As it comes from another process.
  return JSON.parse(JSON.stringify(await registry.snapshot())) as MetricsSnapshot;
}

const linesOf = async (merged: MergedMetrics): Promise<string[]> =>
  (await merged.exposition()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('MergedMetrics', () => {
  it('adds what processes count and hold, and takes once what each of them tells', async () => {
    const merged = new MergedMetrics();
    merged.update(1, await snapshotOf(3, 5, 1, 0.5));
    merged.update(2, await snapshotOf(1, 1, 1, 2));
    merged.update(2, await snapshotOf(4, 2, 0, 2));
    expect(await linesOf(merged)).toEqual([
      'headrace_requests_total{model="a"} 7',
      'headrace_reloads_total 1',
      'headrace_queued_rows 7',
      'headrace_ready{backend="b"} 1',
      'headrace_run_seconds_bucket{le="1"} 1',
      'headrace_run_seconds_bucket{le="+Inf"} 2',
      'headrace_run_seconds_sum 2.5',
      'headrace_run_seconds_count 2',
    ]);
    expect(await merged.exposition()).toContain('# TYPE headrace_run_seconds histogram');
  });

  it('keeps the counts of processes that are gone, and drops their gauges', async () => {
    const merged = new MergedMetrics();
    for (const process of [1, 2, 3]) merged.update(process, await snapshotOf(10, 5, 1, 0.5));
    merged.remove(1);
    await merged.exposition();
    merged.remove(2);
    merged.remove(2);
    expect(await linesOf(merged)).toEqual(
      expect.arrayContaining([
        'headrace_requests_total{model="a"} 30',
        'headrace_queued_rows 5',
        'headrace_run_seconds_count 3',
        'headrace_ready{backend="b"} 1',
      ]),
    );
  });
});
