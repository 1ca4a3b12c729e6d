import type { Refusal } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';
import type { BatchRequest } from '../types.js';
import type { EstimateInput, WaitEstimate } from './estimate.js';
import { estimateWait, rowsPerMs } from './estimate.js';
import { RetryLine } from './retry-line.js';
import type { RowsAhead } from './waiting-work.js';
import { WaitingWork } from './waiting-work.js';

/** What a check on arrival looks at. */
export interface ArrivalView extends EstimateInput {
  readonly nowMs: number;
  readonly queuedRows: number;
  /** Lanes in which something waits. */
  readonly lanes: number;
  readonly eachLane: () => Iterable<{ readonly shapeClass: string; readonly rows: number }>;
}

interface Pace {
  readonly madeAtMs: number;
  readonly shapeClass: string;
  /** Rows of the class a millisecond, all targets together. */
  readonly rowsPerMs: number;
  /** How much longer a row that waits takes than one of the class: 1 where all are alike. */
  readonly rowRatio: number;
}

/** A time that is enough for anything with up to `rows` rows waiting. */
interface Ample {
  readonly madeAtMs: number;
  readonly shapeClass: string;
  readonly rows: number;
  readonly ms: number;
}

/** A refusal under flood must be cheap: what changes slowly is renewed this often. */
const paceMs = 5;
const lowestBand = 16;
/** Of what can be served, the share that is promised to clients who were refused; the rest is for new ones. */
const promisedShare = 0.5;
/** Never less than this share of what can be served for the line of a band, however long those before it are. */
const leastLineShare = 0.02;
/** Room is kept for those who come back up to so long before their time: one run of this length or less. */
const mostLeadMs = 50;

/**
 * What is known of a request when it comes: how long it would wait, whether that is in time and, if not, when it will be.
 *
 * The time that a refused client is told is its place in a line (RetryLine, one per band): room for those who were told to
 * come now is kept from new ones, so that what was promised holds although more comes than can be served.
 */
export class ArrivalCheck {
  readonly #waiting: WaitingWork;
  readonly #ahead: RowsAhead;
  readonly #lines: (RetryLine | undefined)[] = [];
  #pace: Pace = { madeAtMs: -Infinity, shapeClass: '', rowsPerMs: 0, rowRatio: 1 };
  #ample: Ample = { madeAtMs: -Infinity, shapeClass: '', rows: 0, ms: Infinity };

  /** `ahead` answers how much is served before a request; by default bands and earliest deadline first. */
  constructor(horizonMs: number, ahead?: RowsAhead) {
    this.#waiting = new WaitingWork(horizonMs);
    this.#ahead = ahead ?? this.#waiting;
  }

  entered(request: BatchRequest, nowMs: number): void {
    this.#waiting.entered(request, nowMs);
  }

  left(request: BatchRequest): void {
    this.#waiting.left(request);
  }

  estimate(request: BatchRequest, view: ArrivalView): WaitEstimate | undefined {
    return this.#estimate(request, this.#ahead.rowsAhead(request, view.nowMs), view);
  }

  /** Whether a client that was refused before comes at the time it was told. Uses up that time. */
  isExpected(request: BatchRequest, view: ArrivalView): boolean {
    if (request.returning !== true) return false;
    const line = this.#lines[bandOf(request)];
    return line !== undefined && line.take(view.nowMs, request.rows, this.#leadMs(request, view));
  }

  /** Rows for which a new request must leave room: those of its band and the bands above who were told to come now. */
  heldRows(request: BatchRequest, view: ArrivalView): number {
    let held = 0;
    const band = bandOf(request);
    for (let above = 0; above <= band && above < this.#lines.length; above++)
      held += this.#lines[above]?.heldRows(view.nowMs, this.#leadMs(request, view)) ?? 0;
    return held;
  }

  /** Whether its deadline is so far that nobody need look closer: the usual case, which must cost nothing. */
  isAmple(request: BatchRequest, queuedRows: number, nowMs: number): boolean {
    const { madeAtMs, shapeClass, rows, ms } = this.#ample;
    return (
      nowMs - madeAtMs < paceMs &&
      request.shapeClass === shapeClass &&
      request.pinnedTarget === undefined &&
      queuedRows <= rows &&
      request.deadlineMs - nowMs > ms
    );
  }

  #noteAmple(request: BatchRequest, view: ArrivalView): void {
    const { nowMs, queuedRows, maxBatchRows } = view;
    if (request.pinnedTarget !== undefined || nowMs - this.#ample.madeAtMs < paceMs) return;
    // Twice what waits and twice the time that takes: enough for what comes within some milliseconds.
    const rows = 2 * queuedRows + maxBatchRows;
    const estimate = this.#estimate(request, rows, view);
    this.#ample = { madeAtMs: nowMs, shapeClass: request.shapeClass, rows, ms: estimate === undefined ? Infinity : 2 * estimate.endInMs };
  }

  /** Why it cannot end in time; undefined when it can, or when that is not known. */
  unreachable(request: BatchRequest, expected: boolean, view: ArrivalView): Refusal | undefined {
    const budgetMs = request.deadlineMs - view.nowMs;
    if (!(budgetMs < Infinity)) return undefined;
    this.#noteAmple(request, view);
    const ahead = this.#ahead.rowsAhead(request, view.nowMs);
    // With less than one run before it a queue is not long, and keeping room would only make targets idle.
    const full = ahead >= this.#paceOf(request, view).rowsPerMs * this.#leadMs(request, view);
    const held = expected || !full ? 0 : this.heldRows(request, view);
    const estimate = this.#estimate(request, ahead + held, view);
    if (estimate === undefined) return undefined;
    const lateMs = estimate.endInMs - budgetMs;
    if (lateMs <= 0) return undefined;
    const message = `deadline: expected at least a wait of ${round(estimate.startInMs)} ms and a run of ${round(estimate.endInMs - estimate.startInMs)} ms, got ${round(budgetMs)} ms`;
    const retryAfterMs = estimate.soloMs > budgetMs ? undefined : this.retryAfterMs(request, lateMs, view);
    return refuse('DEADLINE_UNREACHABLE', message, retryAfterMs === undefined ? undefined : { retryAfterMs });
  }

  /** A time for a client that is refused, no sooner than `earliestInMs`; undefined when none can be promised. */
  retryAfterMs(request: BatchRequest, earliestInMs: number, view: ArrivalView): number | undefined {
    const band = bandOf(request);
    const capacity = this.#paceOf(request, view).rowsPerMs;
    if (!(capacity > 0)) return Math.max(1, Math.ceil(earliestInMs));
    let rate = promisedShare * capacity;
    for (let above = 0; above < band && above < this.#lines.length; above++) rate -= this.#lines[above]?.rowsPerMs(view.nowMs) ?? 0;
    const line = (this.#lines[band] ??= new RetryLine());
    return line.book(view.nowMs, earliestInMs, request.rows, Math.max(rate, leastLineShare * capacity));
  }

  #estimate(request: BatchRequest, aheadRows: number, view: ArrivalView): WaitEstimate | undefined {
    const { rowRatio } = this.#paceOf(request, view);
    return estimateWait(request, aheadRows * rowRatio, view);
  }

  #leadMs(request: BatchRequest, view: ArrivalView): number {
    const rate = this.#paceOf(request, view).rowsPerMs;
    return rate > 0 ? Math.min(mostLeadMs, (view.maxBatchRows * view.targets.length) / rate) : 0;
  }

  #paceOf({ shapeClass }: BatchRequest, view: ArrivalView): Pace {
    const pace = this.#pace;
    if (view.nowMs - pace.madeAtMs < paceMs && view.nowMs >= pace.madeAtMs && pace.shapeClass === shapeClass) return pace;
    const rate = rowsPerMs(shapeClass, view.maxBatchRows, view);
    this.#pace = { madeAtMs: view.nowMs, shapeClass, rowsPerMs: rate, rowRatio: view.lanes > 1 ? rowRatioOf(rate, view) : 1 };
    return this.#pace;
  }
}

function rowRatioOf(ownRowsPerMs: number, view: ArrivalView): number {
  let rows = 0;
  let ms = 0;
  for (const lane of view.eachLane()) {
    const rate = rowsPerMs(lane.shapeClass, lane.rows, view);
    if (rate <= 0) continue;
    rows += lane.rows;
    ms += lane.rows / rate;
  }
  return rows > 0 && ownRowsPerMs > 0 ? (ms / rows) * ownRowsPerMs : 1;
}

function bandOf({ band, bypass }: BatchRequest): number {
  return bypass ? 0 : Math.min(Math.max(Math.trunc(band), 1), lowestBand) - 1;
}

function round(ms: number): string {
  return ms.toFixed(1);
}
