import type { Clock, Refusal, Timer } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';
import { ArrivalCheck } from './arrival/arrival-check.js';
import type { ArrivalView } from './arrival/arrival-check.js';
import type { WaitEstimate } from './arrival/estimate.js';
import { BypassShare } from './bypass/share.js';
import { decide, fruitlessKey } from './decide/decide.js';
import { retryAfterMs } from './decide/drain.js';
import { Lateness } from './decide/lateness.js';
import type { DecideInput } from './decide/snapshot.js';
import { ArrivalGaps } from './lane/arrival-gaps.js';
import { ReturnBurst } from './lane/return-burst.js';
import { Charges } from './lane/charges.js';
import { LaneSet } from './lane/lane-set.js';
import { StartedBatch, isStarted } from './started-batch.js';
import type {
  Batch,
  BatchLimits,
  BatchRequest,
  BatchRunner,
  BatcherPort,
  CostBook,
  LaneStats,
  RunReport,
  TargetSnapshot,
} from './types.js';

export interface BatcherOptions<R extends BatchRequest> {
  readonly clock: Clock;
  readonly runner: BatchRunner<R>;
  /** May be shared by several batchers: shape classes carry the model. */
  readonly costs: CostBook;
  readonly limits: BatchLimits;
  readonly defer?: Defer;
  /** Told what bypass takes out of its share, ms, where others keep the same share: see spendBypass. */
  readonly onBypass?: ((spentMs: number) => void) | undefined;
}

/**
 * When to decide after something changed; default: at once, before submit or finished returns. With setImmediate all that
 * one turn of the event loop brings is seen together: a burst read from one socket forms one batch, and callers who
 * were just answered and ask again are not split over many small ones. `setImmediate` itself fits.
 */
export type Defer = (decideNow: () => void) => void;

/** Predictions refuse nobody when the last run is older than this (or four of the last run's length). */
const freshMs = 1_000;
/** A refusal under flood must be cheap: the estimate of when to retry is renewed this often. */
const retryEstimateMs = 5;

/**
 * The queue of one model: takes requests, asks `decide` what to start, starts it and tells the cost model what it cost.
 *
 * Re-entrant: the runner may call finished, submit or cancel from within run or drop. Such a call changes the queue at
 * once but the decisions that follow from it are made by the loop that is already on the stack, so that no decision is
 * ever applied to a queue that changed under it.
 */
export class Batcher<R extends BatchRequest> implements BatcherPort<R> {
  readonly #clock: Clock;
  readonly #runner: BatchRunner<R>;
  readonly #costs: CostBook;
  readonly #defer: Defer | undefined;
  readonly #onBypass: ((spentMs: number) => void) | undefined;
  #limits: BatchLimits;
  readonly #waiting: LaneSet<R>;
  readonly #charges: Charges<R>;
  readonly #arrivals: ArrivalCheck;
  readonly #gaps = new ArrivalGaps();
  readonly #returns = new ReturnBurst();
  readonly #bypass = new BypassShare();
  readonly #runningOn = new Map<string, number>();
  #nextBatchId = 1;
  #closed: Refusal | undefined;
  #pumping = false;
  #pumpAgain = false;
  #deferred = false;
  #timer: Timer | undefined;
  #timerAtMs = Infinity;
  readonly #timersLate = new Lateness();
  #trustUntilMs = -Infinity;
  readonly #lastView: { -readonly [Key in keyof ArrivalView]: ArrivalView[Key] };
  #retryEstimate = { madeAtMs: -Infinity, retryAfterMs: 0 };

  constructor(options: BatcherOptions<R>) {
    this.#clock = options.clock;
    this.#runner = options.runner;
    this.#costs = options.costs;
    this.#waiting = new LaneSet<R>(options.limits.agingMs);
    this.#charges = new Charges(this.#waiting, options.costs);
    this.#limits = options.limits;
    this.#defer = options.defer;
    this.#onBypass = options.onBypass;
    this.#arrivals = new ArrivalCheck(this.#waiting);
    this.#lastView = {
      nowMs: -Infinity,
      targets: [],
      costs: options.costs,
      maxBatchRows: 1,
      queuedRows: 0,
      lanes: 0,
      eachLane: () => this.#waiting.all(),
    };
  }

  submit(request: R): Refusal | undefined {
    const nowMs = this.#clock.nowMs();
    const refusal = this.#refusal(request, nowMs);
    if (refusal !== undefined) return refusal;
    if (request.bypass && this.#startBypass(request, nowMs)) return undefined;
    const late = this.#isAdmitted(request, nowMs) ? undefined : this.#check(request, nowMs);
    if (late !== undefined) return late;
    const pushedOut = this.#makeRoom(request);
    // Over its share, high priority still goes to the front: of its tenant's turn.
    const lane = this.#waiting.push(request, request.bypass ? 1 : request.band, this.#limits.agingMs);
    this.#gaps.note(lane.key, nowMs, this.#limits.maxLanes);
    this.#returns.noteArrival(nowMs);
    if (pushedOut !== undefined) for (const each of pushedOut) this.#runner.drop(each, this.#overShare(each, nowMs));
    this.#decideSoon();
    return undefined;
  }

  cancel(request: R): boolean {
    return this.#waiting.cancel(request);
  }

  /**
   * When such a request would start and end if it came now: what is queued before it (bands above, its tenant's
   * by earliest deadline, and of other tenants their share), what runs, and t(b) of each target. Undefined while that is not known: see estimateWait; or when nothing
   * has run of late, so that the fits may be stale.
   */
  estimate(request: R): WaitEstimate | undefined {
    const nowMs = this.#clock.nowMs();
    return nowMs <= this.#trustUntilMs ? this.#arrivals.estimate(request, this.#view(nowMs)) : undefined;
  }

  finished(batch: Batch<R>, report: RunReport): void {
    if (!isStarted(batch) || !batch.end(this)) return;
    this.#countRun(batch.targetId, -1);
    const nowMs = this.#clock.nowMs();
    this.#returns.noteRunEnd(nowMs);
    this.#charges.ended(batch.members, batch.rows, batch.charge, report);
    if (report.runMs !== undefined) {
      this.#costs.observe(batch.shapeClass, batch.podClass, report.ranRows, report.runMs);
      this.#trustUntilMs = nowMs + Math.max(freshMs, 4 * report.runMs);
      if (batch.bypass) this.#spend(report.runMs - batch.predictedMs);
    }
    this.#decideSoon();
  }

  targetsChanged(): void {
    this.#pump();
  }

  /** What bypass took elsewhere out of the share that is also this batcher's: another process serves the same targets. */
  spendBypass(spentMs: number): void {
    this.#bypass.spend(spentMs);
  }

  get queuedRequests(): number {
    return this.#waiting.requests;
  }

  get queuedRows(): number {
    return this.#waiting.rows;
  }

  /** Looks at each request that waits: for people, not for each request. */
  stats(): LaneStats {
    const oldestArrivedMs = this.#waiting.oldestArrivedMs();
    return {
      queuedRequests: this.#waiting.requests,
      queuedRows: this.#waiting.rows,
      lanes: this.#waiting.lanes,
      oldestMs: oldestArrivedMs === undefined ? 0 : Math.max(0, this.#clock.nowMs() - oldestArrivedMs),
    };
  }

  setLimits(limits: BatchLimits): void {
    this.#limits = limits;
    this.#pump();
  }

  close(refusal: Refusal): void {
    this.#closed ??= refusal;
    for (let request = this.#waiting.takeAny(); request !== undefined; request = this.#waiting.takeAny())
      this.#runner.drop(request, refusal);
    this.#setTimer(Infinity);
  }

  #decideSoon(): void {
    if (this.#defer === undefined) return this.#pump();
    if (this.#deferred) return;
    this.#deferred = true;
    this.#defer(() => {
      this.#deferred = false;
      this.#pump();
    });
  }

  #refusal(request: R, nowMs: number): Refusal | undefined {
    if (this.#closed !== undefined) return this.#closed;
    const { maxBatchRows } = this.#limits;
    if (!Number.isSafeInteger(request.rows) || request.rows < 0) {
      return refuse('INVALID_TENSOR', `rows: expected a whole number of rows, got ${request.rows}`);
    }
    if (maxBatchRows > 0 && request.rows > maxBatchRows) {
      return refuse(
        'INVALID_TENSOR',
        `first dimension of the inputs: expected at most ${maxBatchRows} rows (max_batch_size), got ${request.rows}`,
      );
    }
    if (request.deadlineMs <= nowMs) return expired();
    if (this.#waiting.has(request)) return refuse('INTERNAL', 'the same request was submitted twice');
    return undefined;
  }

  /** The usual case, which must cost nothing: plenty of room, plenty of time. */
  #isAdmitted(request: R, nowMs: number): boolean {
    const { maxQueuedRows, maxLanes } = this.#limits;
    const { rows, lanes, requests } = this.#waiting;
    if (request.returning === true || Math.max(rows, requests) * 2 >= maxQueuedRows || lanes >= maxLanes) return false;
    if (this.#waiting.isFull(request, maxQueuedRows)) return false;
    return !this.#hasPrediction(request, nowMs) || this.#arrivals.isAmple(request, rows, nowMs);
  }

  /**
   * Whether there is room, or others have to make it, and whether it would end in time; changes nothing in the queue. Of a request that is
   * refused only one time to come back is booked, and nobody is pushed out for one that cannot end in time.
   */
  #check(request: R, nowMs: number): Refusal | undefined {
    const view = this.#view(nowMs);
    const expected = this.#arrivals.isExpected(request, view);
    const { maxQueuedRows, maxLanes } = this.#limits;
    const { rows, requests } = this.#waiting;
    // Room for those who were told to come now is kept from new ones, in the upper half of the queue.
    const upperHalf = !expected && Math.max(rows, requests) * 2 >= maxQueuedRows;
    const held = upperHalf ? Math.min(this.#arrivals.heldRows(request, view), maxQueuedRows / 2) : 0;
    const noRows = this.#waiting.isFull(request, maxQueuedRows - held);
    const noLane = this.#lacksLane(request);
    if ((noRows || noLane) && !this.#waiting.mayMakeRoom(request, maxQueuedRows, maxLanes, held)) {
      const message = noRows
        ? `expected at most ${maxQueuedRows} rows waiting, got ${rows} and ${request.rows} more`
        : `expected at most ${maxLanes} kinds of request (shapes, parameters) waiting, got one more`;
      return refuse('QUEUE_FULL', `queue of the model: ${message}`, this.#retry(request, view));
    }
    return this.#hasPrediction(request, nowMs) ? this.#arrivals.unreachable(request, expected, view) : undefined;
  }

  #hasPrediction(request: R, nowMs: number): boolean {
    return request.deadlineMs < Infinity && nowMs <= this.#trustUntilMs;
  }

  /** Who goes so that a request which was found to have a right to come in can. */
  #makeRoom(request: R): readonly R[] | undefined {
    const { maxQueuedRows, maxLanes } = this.#limits;
    const room = !this.#lacksLane(request) && !this.#waiting.isFull(request, maxQueuedRows);
    return room ? undefined : this.#waiting.makeRoom(request, maxQueuedRows, maxLanes);
  }

  /** It would be one kind of request too many; the first kind always has a lane. */
  #lacksLane(request: R): boolean {
    const { lanes } = this.#waiting;
    return lanes >= this.#limits.maxLanes && lanes > 0 && this.#waiting.needsLane(request);
  }

  #overShare(request: R, nowMs: number): Refusal {
    return refuse(
      'QUEUE_FULL',
      'queue of the model: expected no more of the tenant than its share while others need theirs, got more',
      this.#retry(request, this.#view(nowMs)),
    );
  }

  /** When all that waits now has run, or after others who were told so before. */
  #retry(request: R, view: ArrivalView): { readonly retryAfterMs: number } | undefined {
    const { nowMs, targets } = view;
    if (nowMs - this.#retryEstimate.madeAtMs >= retryEstimateMs) {
      const drainMs = retryAfterMs(this.#waiting.all(), targets, this.#costs, this.#limits.maxBatchRows);
      this.#retryEstimate = { madeAtMs: nowMs, retryAfterMs: drainMs };
    }
    const { retryAfterMs: earliestInMs } = this.#retryEstimate;
    const atMs = targets.length === 0 ? earliestInMs : this.#arrivals.retryAfterMs(request, earliestInMs, view);
    return atMs === undefined ? undefined : { retryAfterMs: atMs };
  }

  /** One object for all checks: none of them keeps it. */
  #view(nowMs: number): ArrivalView {
    const view = this.#lastView;
    view.nowMs = nowMs;
    view.targets = this.#targets();
    view.maxBatchRows = Math.max(1, this.#limits.maxBatchRows);
    view.queuedRows = this.#waiting.rows;
    view.lanes = this.#waiting.lanes;
    return view;
  }

  /** Runs it at once and alone on the target that ends it soonest, whatever that holds, while bypass has share left. */
  #startBypass(request: R, nowMs: number): boolean {
    const targets = this.#targets();
    if (!this.#bypass.available(nowMs, this.#limits.bypassMaxShare, targets.length)) return false;
    if (!this.#waiting.mayBypass(request)) return false;
    // Behind a running and a staged batch everywhere it would be third, as it is at the front of its lane: there it takes its
    // rows' time, and not a run's whole overhead from those who fill the targets. Where tenants take turns batches are
    // staged later, and half of one that waits will soon be.
    const batchWaits = this.#waiting.plural && this.#waiting.rowsBeside(request) * 2 >= Math.max(1, this.#limits.maxBatchRows);
    if (request.mergeable && targets.every(({ outstanding }) => outstanding > (batchWaits ? 0 : 1))) return false;
    let best: TargetSnapshot | undefined;
    let bestMs = Infinity;
    let predictedMs = 0;
    for (const target of targets) {
      if (request.pinnedTarget !== undefined && request.pinnedTarget !== target.id) continue;
      const runMs = this.#predictMs(request.shapeClass, target, request.rows);
      if (best !== undefined && target.freeInMs + runMs >= bestMs) continue;
      best = target;
      bestMs = target.freeInMs + runMs;
      predictedMs = runMs;
    }
    if (best === undefined) return false;
    const batch = this.#start([request], best, targets, 0, predictedMs);
    this.#spend(batch.predictedMs);
    this.#runner.run(batch);
    return true;
  }

  #spend(runMs: number): void {
    this.#bypass.spend(runMs);
    this.#onBypass?.(runMs);
  }

  /**
   * 1. take stock: aging, targets, lanes  2. decide  3. apply: start, expire, or wait with a timer  4. again until wait.
   */
  #pump(): void {
    if (this.#pumping) {
      this.#pumpAgain = true;
      return;
    }
    this.#pumping = true;
    try {
      do {
        this.#pumpAgain = false;
        this.#decideUntilWait();
      } while (this.#pumpAgain);
    } finally {
      this.#pumping = false;
    }
  }

  #decideUntilWait(): void {
    const fruitless = new Set<string>();
    while (this.#waiting.requests > 0) {
      const nowMs = this.#clock.nowMs();
      this.#waiting.age(nowMs, this.#limits.agingMs);
      const targets = this.#targets();
      const decision = decide(this.#input(targets, nowMs, fruitless));
      if (decision.kind === 'wait') return this.#setTimer(decision.untilMs);
      const lane = this.#waiting.lane(decision.lane);
      if (lane === undefined) return;
      if (decision.kind !== 'start') {
        const { throughMs } = decision;
        const next = (): R | undefined => {
          if (decision.kind === 'expire') return this.#waiting.takeExpired(lane, throughMs);
          return lane.rows > decision.keepRows ? this.#waiting.takeLate(lane, throughMs, decision.leastBudgetMs) : undefined;
        };
        for (let late = next(); late !== undefined; late = next()) this.#runner.drop(late, expired());
        continue;
      }
      const target = targets.find(({ id }) => id === decision.targetId);
      if (target === undefined) return;
      const perRowMs = this.#charges.perRowMs(lane.shapeClass, Math.min(decision.rows, lane.rows), targets);
      const members =
        decision.from === 'head'
          ? this.#waiting.take(lane, decision.rows, perRowMs)
          : this.#waiting.takeTail(lane, decision.rows, nowMs + decision.finishInMs, perRowMs, target.outstanding > 0);
      if (members.length === 0) fruitless.add(fruitlessKey(decision.lane, decision.targetId));
      else this.#runner.run(this.#start(members, target, targets, perRowMs, undefined));
    }
    this.#setTimer(Infinity);
  }

  #input(targets: readonly TargetSnapshot[], nowMs: number, fruitless: ReadonlySet<string>): DecideInput {
    return {
      lanes: this.#waiting.all(),
      targets,
      costs: this.#costs,
      maxBatchRows: Math.max(1, this.#limits.maxBatchRows),
      nowMs,
      trustPredictions: nowMs <= this.#trustUntilMs,
      takesTurns: this.#waiting.plural,
      timersLateMs: this.#timersLate.ms,
      arrivals: (lane) => this.#gaps.of(lane),
      returns: this.#returns,
      fruitless,
    };
  }

  /** The runner's view, with at least the runs that were started from here: a snapshot that lags must not over-fill a target. */
  #targets(): readonly TargetSnapshot[] {
    const targets = this.#runner.targets();
    const lags = targets.some(({ id, outstanding }) => outstanding < (this.#runningOn.get(id) ?? 0));
    if (!lags) return targets;
    return targets.map((target) => ({ ...target, outstanding: Math.max(target.outstanding, this.#runningOn.get(target.id) ?? 0) }));
  }

  #start(
    members: readonly R[],
    target: TargetSnapshot,
    targets: readonly TargetSnapshot[],
    paidPerRowMs: number,
    /** Given: a bypass, predicted already. */
    bypassMs: number | undefined,
  ): Batch<R> {
    const [first] = members;
    let rows = 0;
    for (const member of members) rows += member.rows;
    const shapeClass = first?.shapeClass ?? '';
    const predictedMs = bypassMs ?? this.#predictMs(shapeClass, target, rows);
    const charge = this.#charges.started(members, shapeClass, target, targets, paidPerRowMs);
    this.#countRun(target.id, 1);
    return new StartedBatch(this, this.#nextBatchId++, target, shapeClass, members, rows, predictedMs, bypassMs !== undefined, charge);
  }

  #countRun(targetId: string, change: 1 | -1): void {
    const count = (this.#runningOn.get(targetId) ?? 0) + change;
    if (count > 0) this.#runningOn.set(targetId, count);
    else this.#runningOn.delete(targetId);
  }

  #predictMs(shapeClass: string, target: TargetSnapshot, rows: number): number {
    return this.#costs.estimate(shapeClass, target.podClass).predictMs(rows) * target.penalty + (target.batchOverheadMs ?? 0);
  }

  #setTimer(atMs: number): void {
    if (atMs === Infinity) {
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#timerAtMs = Infinity;
      return;
    }
    // One that fires earlier than needed only looks once too often: cheaper than to make a new one for each submit.
    if (this.#timer !== undefined && this.#timerAtMs <= atMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#clock.setTimer(
      () => {
        this.#timer = undefined;
        this.#timerAtMs = Infinity;
        this.#timersLate.note(this.#clock.nowMs() - atMs);
        this.#pump();
      },
      Math.max(0, atMs - this.#clock.nowMs()),
    );
  }
}

function expired(): Refusal {
  return refuse('DEADLINE_EXCEEDED', 'deadline: expected to reach a run before it, but it passed or the run would end after it');
}
