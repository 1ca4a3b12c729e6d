import type { CostBook, TargetSnapshot } from '../types.js';
import { preferredRows, runMs, targetCost } from './batch-size.js';

const leastRetryMs = 10;
const mostRetryMs = 60_000;
/** With no target at all there is nothing to compute from. */
const blindRetryMs = 1_000;

/**
 * When a refused client should come back: when all that waits now will have run, at the fitted throughput of all targets
 * together. E.g. 640 rows, two GPUs at 32 rows in 13.2 ms each: 640 / (2 * 32 / 13.2) = 132 ms.
 */
export function retryAfterMs(
  queued: readonly { readonly shapeClass: string; readonly rows: number }[],
  targets: readonly TargetSnapshot[],
  costs: Pick<CostBook, 'estimate'>,
  maxBatchRows: number,
): number {
  if (targets.length === 0) return blindRetryMs;
  let totalMs = Math.min(...targets.map(({ freeInMs }) => freeInMs));
  for (const { shapeClass, rows } of queued) {
    let rowsPerMs = 0;
    for (const target of targets) {
      const cost = targetCost(costs.estimate(shapeClass, target.podClass), target);
      const batchRows = preferredRows(cost, rows, maxBatchRows);
      rowsPerMs += batchRows / Math.max(runMs(cost, batchRows), 1e-3);
    }
    totalMs += rows / rowsPerMs;
  }
  return Math.ceil(Math.min(Math.max(totalMs, leastRetryMs), mostRetryMs));
}
