import type { BatchRequest, CostBook, TargetSnapshot } from '../types.js';
import { fewestRowsForDeadline, preferredRows, runMs, targetCost } from '../decide/batch-size.js';
import type { Pace } from './order.js';
import type { LaneServer } from '../decide/makespan.js';
import { makespanMs } from '../decide/makespan.js';

/** What is predicted for a request that would be queued now, ms from now. */
export interface WaitEstimate {
  /** Its run begins. */
  readonly startInMs: number;
  /** Its run ends, in a batch as large as is usual with so much waiting. */
  readonly endInMs: number;
  /** Its run alone on the target that is best at it: t(rows), which no empty queue makes shorter. */
  readonly soloMs: number;
}

export interface EstimateInput {
  readonly targets: readonly TargetSnapshot[];
  readonly costs: Pick<CostBook, 'estimate'>;
  readonly maxBatchRows: number;
}

/**
 * When a request with `aheadRows` rows of its own shape class before it would start and end: the least time in which the
 * targets, with what they hold now, can do all rows up to its own (makespan), in batches of the size that decide() takes.
 * E.g. one GPU, a 10 ms, k 0.1 ms, free in 4 ms, 40 rows ahead: a batch of 32 (13.2 ms), then 8, its own and what comes
 * meanwhile (13.2 ms): starts in 17.2 ms, ends in 30.4.
 *
 * `besideRows` wait in its lane, before it or after it, and `comingPerMs` are let in: what comes after it is in its batch where there
 * is room. A burst of 40 that nothing follows ends with a batch of 8, and its last request in 28.1 ms.
 *
 * Undefined where that is not known: no target, nothing has run, or overhead and rows are not told apart (a queue of n
 * would be taken for n runs).
 */
export function estimateWait(
  request: Pick<BatchRequest, 'shapeClass' | 'rows' | 'mergeable' | 'pinnedTarget'>,
  aheadRows: number,
  { targets, costs, maxBatchRows }: EstimateInput,
  besideRows = 0,
  comingPerMs = 0,
  budgetMs = Infinity,
): WaitEstimate | undefined {
  const rows = Math.max(request.rows, 1);
  const servers: LaneServer[] = [];
  let soloMs = Infinity;
  let freeInMs = Infinity;
  let partMs = Infinity;
  for (const target of targets) {
    if (request.pinnedTarget !== undefined && request.pinnedTarget !== target.id) continue;
    const cost = targetCost(costs.estimate(request.shapeClass, target.podClass), target);
    if (runMs(cost, rows) <= 0 || (maxBatchRows > 1 && !cost.identified)) return undefined;
    // By the time the target is free, so many more wait.
    const laneRows = Math.max(aheadRows, besideRows) + rows + comingPerMs * target.freeInMs;
    const batchRows = request.mergeable ? Math.max(rows, preferredRows(cost, laneRows, maxBatchRows)) : rows;
    servers.push({ cost, freeInMs: target.freeInMs, batchRows });
    soloMs = Math.min(soloMs, runMs(cost, rows));
    freeInMs = Math.min(freeInMs, target.freeInMs);
    partMs = Math.min(partMs, runMs(cost, ((aheadRows + rows - 1) % batchRows) + 1));
  }
  if (servers.length === 0) return undefined;
  const doneInMs = makespanMs(servers, aheadRows + rows);
  if (!Number.isFinite(doneInMs)) return undefined;
  // While it waits, those who come after it fill its batch.
  const startInMs = Math.max(freeInMs, doneInMs - partMs);
  const afterRows = Math.max(0, besideRows - aheadRows) + comingPerMs * startInMs;
  let batchMs = Infinity;
  for (const { cost, batchRows } of servers) {
    const placeRows = ((aheadRows + rows - 1) % batchRows) + 1;
    // Who had time for two full batches is not given a smaller one for its deadline's sake: as decide() has it.
    const short = budgetMs < 2 * runMs(cost, batchRows);
    const mostRows = short ? Math.max(placeRows, fewestRowsForDeadline(cost, batchRows)) : batchRows;
    batchMs = Math.min(batchMs, runMs(cost, Math.min(mostRows, placeRows + afterRows)));
  }
  return { startInMs, endInMs: startInMs + batchMs, soloMs };
}

/**
 * Rows of the class that all targets together do in a millisecond with `queuedRows` waiting, and how many targets like the
 * quickest that is; 0 and 1 when nothing is known.
 */
export function paceOf(shapeClass: string, queuedRows: number, { targets, costs, maxBatchRows }: EstimateInput): Pace {
  let rowsPerMs = 0;
  let most = 0;
  let overheadMs = 0;
  let perRowMs = 0;
  let batch = 1;
  for (const target of targets) {
    const cost = targetCost(costs.estimate(shapeClass, target.podClass), target);
    const batchRows = preferredRows(cost, Math.max(queuedRows, 1), maxBatchRows);
    const batchMs = runMs(cost, batchRows);
    if (batchMs <= 0) continue;
    rowsPerMs += batchRows / batchMs;
    if (batchRows / batchMs <= most) continue;
    most = batchRows / batchMs;
    batch = batchRows;
    ({ overheadMs, perRowMs } = cost);
  }
  return { rowsPerMs, speed: most > 0 ? rowsPerMs / most : 1, overheadMs, perRowMs, batchRows: batch };
}
