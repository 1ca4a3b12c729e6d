import type { BatchRequest } from '../types.js';
import type { Inflow } from './inflow.js';
import type { RetryLine } from './retry-line.js';

/** What all targets together do. */
export interface Pace {
  /** Of what waits. */
  readonly rowsPerMs: number;
  /** In targets like the quickest: milliseconds of service, as tenants are charged, in a millisecond. */
  readonly speed: number;
  /** Of the quickest: what a batch takes, and each row of it. */
  readonly overheadMs: number;
  readonly perRowMs: number;
  /** Of a full batch there. */
  readonly batchRows: number;
}

/** What a check on arrival asks of the order in which requests are served; declared here because the check consumes it. */
export interface ServiceOrder {
  /** Rows that are served before such a request if it comes now. */
  rowsAhead(request: BatchRequest, nowMs: number, pace: Pace): number;
  /**
   * Rows that will come within `withinMs` and be served before it: of higher bands, each no more than `mostPerMs`, and of its own
   * those who have less time.
   */
  rowsComing(request: BatchRequest, withinMs: number, mostPerMs: number, nowMs: number): number;
  /** What has been let in of late: how much, and what of it goes before the request. */
  readonly inflow: Inflow;
  /** Of what can be served, the part that tenants were served with of late; 0 when there is only one. */
  usedShare(nowMs: number, pace: Pace): number;
  /** Rows that wait in its lane: they fill its batch, whoever's turn it is. */
  rowsBeside(request: BatchRequest): number;
  /** Of its tenant's band: clients that were refused and told when to come. */
  retryLines(request: BatchRequest): (RetryLine | undefined)[];
  /** Of what is served, the part that its tenant may count on while all who wait now do; 1 when there is no other. */
  shareOf(request: BatchRequest): number;
}
