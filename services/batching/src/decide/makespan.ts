import type { TargetCost } from './batch-size.js';
import { runMs } from './batch-size.js';

/** A target as a server of one lane's rows. */
export interface LaneServer {
  readonly cost: TargetCost;
  /** When it can begin, ms from now. */
  readonly freeInMs: number;
  /** Rows of one of its batches. */
  readonly batchRows: number;
}

/** Rows of its next batch that end within `withinMs`. */
export function rowsOfFirstBatch(server: LaneServer, withinMs: number): number {
  return rowsOfBatch(server, withinMs - server.freeInMs);
}

/** Share of the answer by which it may be too long: finer than any prediction, and 8 steps instead of 20. */
const precision = 5e-3;

/**
 * The least time in which all servers together can finish `rows`: each in batches of its size, one after the other, the
 * last one as large as still fits. Found by bisection, since the rows done by time D only grow with D.
 *
 *     fast  |freeIn|== batch ==|== batch ==|= part =|
 *     slow  |===== batch =====|===== batch =====|   |
 *                                                   D
 *
 * A server that does no row by D would not finish one sooner than the others finish all: it is not needed.
 */
export function makespanMs(servers: readonly LaneServer[], rows: number): number {
  let low = Infinity;
  let high = Infinity;
  for (const server of servers) {
    low = Math.min(low, server.freeInMs + runMs(server.cost, 1));
    high = Math.min(high, server.freeInMs + Math.ceil(rows / server.batchRows) * runMs(server.cost, server.batchRows));
  }
  low = Math.min(low, high);
  for (let step = 0; step < 40 && high - low > precision * high; step++) {
    const middle = (low + high) / 2;
    let done = 0;
    for (const server of servers) {
      done += rowsBy(server, middle);
      if (done >= rows) break;
    }
    if (done >= rows) high = middle;
    else low = middle;
  }
  return high;
}

function rowsBy(server: LaneServer, withinMs: number): number {
  const available = withinMs - server.freeInMs;
  const fullMs = runMs(server.cost, server.batchRows);
  if (available < 0) return 0;
  if (fullMs <= 0) return Infinity;
  const batches = Math.floor(available / fullMs);
  return batches * server.batchRows + rowsOfBatch(server, available - batches * fullMs);
}

function rowsOfBatch(server: LaneServer, availableMs: number): number {
  // The grain forgives rounding: e.g. 3 rows of 0.1 ms in 0.3 ms.
  const forRowsMs = availableMs - server.cost.overheadMs + 1e-6;
  if (forRowsMs < 0) return 0;
  if (server.cost.perRowMs <= 0) return server.batchRows;
  return Math.min(server.batchRows, Math.floor(forRowsMs / server.cost.perRowMs));
}
