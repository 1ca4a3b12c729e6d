import type { CostEstimate, TargetSnapshot } from '../types.js';

/** a + k b on one target, penalty and per-batch overhead included. */
export interface TargetCost {
  readonly identified: boolean;
  readonly overheadMs: number;
  readonly perRowMs: number;
}

/** What the fit of its pod class means on this target. */
export function targetCost(
  { identified, overheadMs, perRowMs }: CostEstimate,
  { penalty, batchOverheadMs = 0 }: Pick<TargetSnapshot, 'penalty' | 'batchOverheadMs'>,
): TargetCost {
  return { identified, overheadMs: overheadMs * penalty + batchOverheadMs, perRowMs: perRowMs * penalty };
}

/** Time per row that a smaller batch may add, as a share. */
const throughputLoss = 0.03;
/** Time per row that meeting a deadline may add: 1/3 more leaves 75 % of the throughput. */
const deadlineLoss = 1 / 3;

export function runMs(cost: TargetCost, rows: number): number {
  return cost.overheadMs + cost.perRowMs * rows;
}

/**
 * Rows of a batch that finish the queue's members soonest on average without losing more than 3 % of throughput.
 *
 * A queue of n rows in batches of b: batch j ends at j t(b), so that the mean completion is t(b) (n/b + 1) / 2 with
 * t(b) = a + k b. Its derivative is zero at b = sqrt(a n / k). The throughput of b is within 3 % of that of B rows when
 * t(b)/b <= 1.03 t(B)/B, that is b >= a / (1.03 (a/B + k) - k).
 *
 * E.g. a ranker on a CPU, a = 1 ms, k = 15 ms, n = B = 32: sqrt(32/15) = 1.5, the throughput asks for 2.1: 3 rows, the
 * first answer after 46 ms instead of 481. A GPU, a = 10 ms, k = 0.1 ms: sqrt(3200) = 57, so that all 32 go.
 *
 * Until a and k are known apart all that fits goes: sizes must vary for them to be told apart.
 */
export function preferredRows(cost: TargetCost, queuedRows: number, maxRows: number): number {
  const most = Math.max(1, Math.min(queuedRows, maxRows));
  if (!cost.identified || cost.perRowMs <= 0) return most;
  const quickest = Math.sqrt((cost.overheadMs * queuedRows) / cost.perRowMs);
  const rows = Math.ceil(Math.max(quickest, leastRows(cost, most, throughputLoss)) - 1e-9);
  return Math.min(Math.max(rows, 1), most);
}

/** Fewest rows that a batch may shrink to for a deadline's sake: 75 % of the throughput of `rows`. */
export function fewestRowsForDeadline(cost: TargetCost, rows: number): number {
  if (!cost.identified || cost.perRowMs <= 0) return 1;
  return Math.min(rows, Math.max(1, Math.ceil(leastRows(cost, rows, deadlineLoss) - 1e-9)));
}

function leastRows(cost: TargetCost, of: number, loss: number): number {
  const perRow = (1 + loss) * (cost.overheadMs / of + cost.perRowMs) - cost.perRowMs;
  return cost.overheadMs / perRow;
}
