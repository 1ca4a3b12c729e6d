import type { ModelStatistics } from '../client/client.js';
import type { Counters, Snapshot } from './snapshot.js';

/** A snapshot of what every OIP server with statistics tells: sums and counts, so means and no quantiles, and no replicas. */
export function snapshotOfStatistics(statistics: readonly ModelStatistics[], atMs: number): Snapshot {
  return { atMs, models: statistics.map(countersOf), replicas: [], queuedRows: undefined };
}

function countersOf(model: ModelStatistics): Counters {
  return {
    name: model.name,
    version: model.version,
    answered: model.answered,
    failed: model.failed,
    latencySumMs: model.answeredSumMs,
    latencyCount: model.answered,
    latency: undefined,
    runs: model.runs,
    rows: model.rows,
    waitSumMs: model.queueSumMs,
    waitCount: model.answered,
    state: undefined,
  };
}
