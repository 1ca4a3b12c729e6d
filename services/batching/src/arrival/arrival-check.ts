import type { Refusal } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';
import type { BatchRequest } from '../types.js';
import type { EstimateInput, WaitEstimate } from './estimate.js';
import { handOverShare } from '../decide/hand-over.js';
import { estimateWait, paceOf } from './estimate.js';
import type { Pace, ServiceOrder } from './order.js';
import { inflowMemoryMs } from './inflow.js';
import { RetryLine } from './retry-line.js';
import { bandOf } from './waiting-work.js';

/** What a check on arrival looks at. */
export interface ArrivalView extends EstimateInput {
  readonly nowMs: number;
  readonly queuedRows: number;
  /** Lanes in which something waits. */
  readonly lanes: number;
  readonly eachLane: () => Iterable<{ readonly shapeClass: string; readonly rows: number }>;
}

interface ClassPace {
  readonly madeAtMs: number;
  readonly shapeClass: string;
  /** Rows of the class a millisecond, all targets together. */
  readonly rowsPerMs: number;
  readonly ofWaiting: Pace;
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

const nothingKnown: Pace = { rowsPerMs: 0, speed: 1, overheadMs: 0, perRowMs: 0, batchRows: 1 };
/** A refusal under flood must be cheap: what changes slowly is renewed this often. */
const paceMs = 5;
/** Of what can be served, the share that is promised to clients who were refused; the rest is for new ones. */
const promisedShare = 0.5;
/** Never less than this share of what can be served for the line of a band, however long those before it are. */
const leastLineShare = 0.02;
/** Never less than this part of what can be served is taken to be left by other tenants. */
const leastSpare = 0.02;
/** A band that the higher ones leave less than this share of what can be served is told no time: it might come for ever. */
const leastFree = 0.12;
/** What comes before a request scatters: so many standard deviations are allowed for. */
const deviations = 1;
/** Steps from batch to batch in search of the one that it will be in; see #delayMs. */
const mostSteps = 16;
/** Room is kept for those who come back up to so long before their time: one run of this length or less. */
const mostLeadMs = 50;

/**
 * What is known of a request when it comes: how long it would wait, whether that is in time and, if not, when it will be.
 *
 * The time that a refused client is told is its place in a line (RetryLine, one per tenant and band): room for those who were told to
 * come now is kept from new ones, so that what was promised holds although more comes than can be served.
 */
export class ArrivalCheck {
  readonly #order: ServiceOrder;
  #pace: ClassPace = { madeAtMs: -Infinity, shapeClass: '', rowsPerMs: 0, rowRatio: 1, ofWaiting: nothingKnown };
  #ample: Ample = { madeAtMs: -Infinity, shapeClass: '', rows: 0, ms: Infinity };

  constructor(order: ServiceOrder) {
    this.#order = order;
  }

  estimate(request: BatchRequest, view: ArrivalView): WaitEstimate | undefined {
    return this.#estimate(request, this.#rowsAhead(request, view), view);
  }

  /** Whether a client that was refused before comes at the time it was told. Uses up that time. */
  isExpected(request: BatchRequest, view: ArrivalView): boolean {
    if (request.returning !== true) return false;
    const line = this.#order.retryLines(request)[bandOf(request)];
    return line !== undefined && line.take(view.nowMs, request.rows, this.#leadMs(request, view));
  }

  /** Rows for which a new request must leave room: those of its tenant, of its band and the bands above, who were told to come now. */
  heldRows(request: BatchRequest, view: ArrivalView): number {
    let held = 0;
    const band = bandOf(request);
    const lines = this.#order.retryLines(request);
    for (let above = 0; above <= band && above < lines.length; above++)
      held += lines[above]?.heldRows(view.nowMs, this.#leadMs(request, view)) ?? 0;
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
    // Other tenants who bring what they brought of late make it that much longer.
    const spare = Math.max(leastSpare, 1 - this.#order.usedShare(nowMs, this.#paceOf(request, view).ofWaiting));
    const free = this.#freeShare(this.#order.inflow.rowsPerMsBeforeOthers(nowMs), this.#paceOf(request, view));
    const ms = estimate === undefined ? Infinity : (2 * estimate.endInMs) / spare / free;
    this.#ample = { madeAtMs: nowMs, shapeClass: request.shapeClass, rows, ms };
  }

  /** Why it cannot end in time; undefined when it can, or when that is not known. */
  unreachable(request: BatchRequest, expected: boolean, view: ArrivalView): Refusal | undefined {
    const budgetMs = request.deadlineMs - view.nowMs;
    if (!(budgetMs < Infinity)) return undefined;
    this.#noteAmple(request, view);
    const ahead = this.#rowsAhead(request, view);
    // With less than one run before it a queue is not long, and keeping room would only make targets idle.
    const full = ahead >= this.#paceOf(request, view).rowsPerMs * this.#leadMs(request, view);
    const held = expected || !full ? 0 : withScatter(this.heldRows(request, view));
    const estimate = this.#estimate(request, ahead + held, view);
    if (estimate === undefined) return undefined;
    // Who comes back, perhaps at a time that another stage told it, is not sent away again for what may come: it gains no more by saying so.
    const certain = request.returning === true || estimate.endInMs > budgetMs;
    const delayMs = certain ? 0 : this.#delayMs(request, estimate, ahead + held, view);
    const lateMs = estimate.endInMs + delayMs - budgetMs;
    if (lateMs <= 0) return undefined;
    const message = `deadline: expected at least a wait of ${round(estimate.startInMs + delayMs)} ms and a run of ${round(estimate.endInMs - estimate.startInMs)} ms, got ${round(budgetMs)} ms`;
    const retryAfterMs = estimate.soloMs > budgetMs ? undefined : this.retryAfterMs(request, lateMs, view);
    return refuse('DEADLINE_UNREACHABLE', message, retryAfterMs === undefined ? undefined : { retryAfterMs });
  }

  /** A time for a client that is refused, no sooner than `earliestInMs`; undefined when none can be promised. */
  retryAfterMs(request: BatchRequest, earliestInMs: number, view: ArrivalView): number | undefined {
    const band = bandOf(request);
    const capacity = this.#paceOf(request, view).rowsPerMs;
    if (!(capacity > 0)) return Math.max(1, Math.ceil(earliestInMs));
    const lines = this.#order.retryLines(request);
    const free = this.#freeShare(this.#order.inflow.lastingPerMsAbove(band, view.nowMs), this.#paceOf(request, view));
    if (free <= leastFree) return undefined;
    const share = this.#order.shareOf(request) * capacity * free;
    let rate = promisedShare * share;
    for (let above = 0; above < band && above < lines.length; above++) rate -= lines[above]?.rowsPerMs(view.nowMs) ?? 0;
    const line = (lines[band] ??= new RetryLine());
    return line.book(view.nowMs, earliestInMs / free, request.rows, Math.max(rate, leastLineShare * share));
  }

  #rowsAhead(request: BatchRequest, view: ArrivalView): number {
    return this.#order.rowsAhead(request, view.nowMs, this.#paceOf(request, view).ofWaiting);
  }

  /**
   * By how much later it starts for those who come before it although later: from batch to batch, until one has room for it and all
   * who will have come by then. Not by a mean rate: where higher bands leave a part of most batches free, it waits for
   * one of those, and not 1 / (1 - rho) times as long.
   */
  #delayMs(request: BatchRequest, estimate: WaitEstimate, aheadRows: number, view: ArrivalView): number {
    const { rowRatio, rowsPerMs, ofWaiting } = this.#paceOf(request, view);
    const { inflow } = this.#order;
    const { batchRows } = ofWaiting;
    const batchMs = ofWaiting.overheadMs + ofWaiting.perRowMs * batchRows;
    const before = aheadRows * rowRatio + Math.max(request.rows, 1);
    const waiting = Math.max(before, view.queuedRows * rowRatio);
    const coming = inflow.rowsPerMs(view.nowMs) * rowRatio;
    const staged = (view.targets[0]?.capacity ?? 1) > 1;
    const mostMs = request.deadlineMs - view.nowMs - estimate.endInMs;
    let takenRows = before - 1 - ((before - 1) % batchRows) + batchRows;
    let delayMs = 0;
    for (let step = 0; step < mostSteps && delayMs <= mostMs; step++) {
      const waitMs = estimate.startInMs + delayMs;
      // Who comes after its batch was put together is not before it: with as much waiting as fills one, when the run before began.
      const early = staged && waiting + coming * (waitMs - batchMs) > takenRows;
      const openMs = Math.max(0, waitMs - (staged ? (early ? batchMs : handOverShare * batchMs) : 0));
      const rows = this.#order.rowsComing(request, openMs, ofWaiting.rowsPerMs, view.nowMs) * rowRatio;
      if (rows <= 0) return delayMs;
      const scatter = deviations * Math.sqrt(rows * inflow.grainRows * (1 + openMs / inflowMemoryMs));
      const missing = before + rows + scatter - takenRows;
      if (missing <= 0) return delayMs;
      const batches = Math.ceil(missing / batchRows);
      takenRows += batches * batchRows;
      delayMs += (batches * batchRows) / rowsPerMs;
    }
    return delayMs;
  }

  /** Of what can be served, the part that is left when so much comes before. */
  #freeShare(rowsPerMs: number, { ofWaiting }: ClassPace): number {
    return ofWaiting.rowsPerMs > 0 ? Math.max(leastFree, 1 - rowsPerMs / ofWaiting.rowsPerMs) : 1;
  }

  #estimate(request: BatchRequest, aheadRows: number, view: ArrivalView): WaitEstimate | undefined {
    const { rowRatio } = this.#paceOf(request, view);
    const coming = this.#order.inflow.rowsPerMs(view.nowMs) * rowRatio;
    const budgetMs = request.deadlineMs - request.arrivedMs;
    return estimateWait(request, aheadRows * rowRatio, view, this.#order.rowsBeside(request), coming, budgetMs);
  }

  #leadMs(request: BatchRequest, view: ArrivalView): number {
    const rate = this.#paceOf(request, view).rowsPerMs;
    return rate > 0 ? Math.min(mostLeadMs, (view.maxBatchRows * view.targets.length) / rate) : 0;
  }

  #paceOf({ shapeClass }: BatchRequest, view: ArrivalView): ClassPace {
    const last = this.#pace;
    if (view.nowMs - last.madeAtMs < paceMs && view.nowMs >= last.madeAtMs && last.shapeClass === shapeClass) return last;
    const pace = paceOf(shapeClass, view.maxBatchRows, view);
    const { rowsPerMs } = pace;
    const rowRatio = view.lanes > 1 ? rowRatioOf(rowsPerMs, view) : 1;
    this.#pace = { madeAtMs: view.nowMs, shapeClass, rowsPerMs, rowRatio, ofWaiting: { ...pace, rowsPerMs: rowsPerMs / rowRatio } };
    return this.#pace;
  }
}

/** Clients do not come back as evenly as they were told to. */
function withScatter(rows: number): number {
  return rows + deviations * Math.sqrt(rows);
}

function rowRatioOf(ownRowsPerMs: number, view: ArrivalView): number {
  let rows = 0;
  let ms = 0;
  for (const lane of view.eachLane()) {
    const rate = paceOf(lane.shapeClass, lane.rows, view).rowsPerMs;
    if (rate <= 0) continue;
    rows += lane.rows;
    ms += lane.rows / rate;
  }
  return rows > 0 && ownRowsPerMs > 0 ? (ms / rows) * ownRowsPerMs : 1;
}

function round(ms: number): string {
  return ms.toFixed(1);
}
