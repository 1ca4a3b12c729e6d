import type { CostBook, TargetSnapshot } from '../types.js';

/** What a decision needs to know of a lane; a Lane is one, read at the moment of the decision. */
export interface LaneSnapshot {
  readonly key: string;
  readonly shapeClass: string;
  /** False: each request of the lane runs alone. */
  readonly mergeable: boolean;
  readonly pinnedTarget: string | undefined;
  readonly rows: number;
  readonly requests: number;
  /** The band in which the head's tenant takes its turn: aging may have lifted it. */
  readonly headBand: number;
  /** Of the head itself, as far as aging has moved it up: before due times, where the tenant is the same. */
  readonly headOwnBand: number;
  /** Whose turn it is within the band: the head's tenant is served in this round, and in it in this order. */
  readonly headRound: number;
  readonly headTurn: number;
  readonly headDueMs: number;
  readonly headDeadlineMs: number;
  readonly headArrivedMs: number;
  readonly headRows: number;
  /** Earliest deadline of all in the lane, whatever their band. */
  readonly minDeadlineMs: number;
  /** When that one came. */
  readonly minDeadlineArrivedMs: number;
}

export interface DecideInput {
  /** Lanes in which something waits. */
  readonly lanes: readonly LaneSnapshot[];
  readonly targets: readonly TargetSnapshot[];
  readonly costs: Pick<CostBook, 'estimate'>;
  readonly maxBatchRows: number;
  readonly nowMs: number;
  /** False: predictions are stale (nothing ran of late), so that a deadline is missed only when it has passed. */
  readonly trustPredictions: boolean;
  /** True: who comes later may have a turn before those who wait, so that nothing is staged before it has to be. Absent: false. */
  readonly takesTurns?: boolean;
  /** By how much timers are late, ms; absent: 0. */
  readonly timersLateMs?: number;
  /** Mean time between arrivals in a lane and when the last one came; undefined when unknown. */
  readonly arrivals: (laneKey: string) => ArrivalGap | undefined;
  /** Requests that usually follow the end of a run; undefined when unknown. */
  readonly returns?: ReturnBurstView;
  /** `lane key` + `target id` pairs for which a start from the far end found nothing suitable. */
  readonly fruitless: ReadonlySet<string>;
}

export interface ReturnBurstView {
  /** Requests that come within a millisecond of the end of a run, on average. */
  readonly usualRequests: number;
  /** When the last of them usually comes, ms after the end. */
  readonly usualMs: number;
  /** How many of them have come after the last one. */
  readonly arrivedRequests: number;
  /** When the last run ended. */
  readonly endedMs: number;
}

export interface ArrivalGap {
  readonly meanMs: number;
  readonly lastMs: number;
}

export type Decision =
  | {
      readonly kind: 'start';
      readonly lane: string;
      readonly targetId: string;
      /** Take requests up to this many rows. */
      readonly rows: number;
      /** From the far end of the lane: only requests due after the run's end, `now + finishInMs`. */
      readonly from: 'head' | 'tail';
      readonly finishInMs: number;
    }
  /** Drop all with a deadline up to `throughMs`. */
  | { readonly kind: 'expire'; readonly lane: string; readonly throughMs: number }
  /**
   * Drop those with a deadline up to `throughMs` who had at least `leastBudgetMs` from arrival to deadline, earliest first, while more
   * than `keepRows` rows are left.
   */
  | {
      readonly kind: 'expire-late';
      readonly lane: string;
      readonly throughMs: number;
      readonly leastBudgetMs: number;
      readonly keepRows: number;
    }
  /** Nothing to start now; ask again at `untilMs` (Infinity: only when something changes). */
  | { readonly kind: 'wait'; readonly untilMs: number };
