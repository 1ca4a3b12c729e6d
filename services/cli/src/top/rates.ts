import { difference, quantile } from './quantile.js';
import type { Counters, TopLine } from './snapshot.js';

/** Counters of two moments -> rates and means of the time between them. A line that was not there before counts from zero. */
export function linesBetween(before: readonly Counters[], after: readonly Counters[], intervalMs: number): TopLine[] {
  const earlier = new Map(before.map((line) => [keyOf(line), line]));
  return after.map((line) => lineBetween(earlier.get(keyOf(line)), line, Math.max(intervalMs, 1) / 1000));
}

function lineBetween(before: Counters | undefined, after: Counters, seconds: number): TopLine {
  // A server that was restarted counts from zero again: its earlier figures say nothing about this interval.
  const base = before === undefined || after.answered < before.answered ? undefined : before;
  const grown = (read: (counters: Counters) => number): number => Math.max(0, read(after) - (base === undefined ? 0 : read(base)));
  const mean = (sum: (counters: Counters) => number, count: (counters: Counters) => number): number | undefined =>
    grown(count) > 0 ? grown(sum) / grown(count) : undefined;
  const buckets = after.latency === undefined ? undefined : difference(base?.latency, after.latency);
  return {
    name: after.name,
    version: after.version,
    perSecond: grown((line) => line.answered) / seconds,
    failedPerSecond: grown((line) => line.failed) / seconds,
    p50Ms: buckets === undefined ? undefined : quantile(buckets, 0.5),
    p99Ms: buckets === undefined ? undefined : quantile(buckets, 0.99),
    meanMs: mean(
      (line) => line.latencySumMs,
      (line) => line.latencyCount,
    ),
    meanWaitMs: mean(
      (line) => line.waitSumMs,
      (line) => line.waitCount,
    ),
    meanBatchRows: mean(
      (line) => line.rows,
      (line) => line.runs,
    ),
    state: after.state,
  };
}

function keyOf(line: Counters): string {
  return JSON.stringify([line.name, line.version]);
}
