import type { Batch, CostBook, Defer } from '@headrace/batching';
import { refuse } from '@headrace/runtime';
import type { Clock, Logger, Refusal, Result, Timer } from '@headrace/runtime';
import type { Channel } from '@headrace/wire';
import { ByteBudget } from '../admission/byte-budget.js';
import { classify } from '../admission/classify.js';
import { LaneRegistry } from '../batching/lane-registry.js';
import type { ModelLane } from '../batching/model-lane.js';
import { messageOf, repliesOf } from '../batching/run-message.js';
import type { BackendView } from '../domain/backend-view.js';
import { policyOf } from '../domain/gateway-table.js';
import type { GatewayTable } from '../domain/gateway-table.js';
import type { Done, Incoming, Outcome, Ticket } from '../domain/infer.js';
import { OpenSet } from '../domain/open-set.js';
import { ownView } from '../domain/own-view.js';
import type { SlotTurns } from '../domain/slot-turns.js';
import { DeadlineTimers } from '../execution/deadline-timers.js';
import { RetryBudget } from '../execution/retry-budget.js';
import { isBackendFault } from '../execution/retry-policy.js';
import { UpstreamCall } from '../execution/upstream-call.js';
import type { UpstreamResult } from '../execution/upstream-call.js';
import { upstreamMetadata } from '../execution/upstream-metadata.js';
import type { GatewayMetrics } from '../metrics.js';
import type { Attempt, Live } from './live.js';
import { PipelineRecord } from './record.js';
import { Retries } from './retries.js';
import { SequenceAffinity } from '../routing/affinity.js';
import type { Run } from '../routing/ledger.js';
import { longestRunMs } from '../routing/pick.js';
import { Router } from '../routing/router.js';
import { pinSequence, sequenceKey } from '../routing/sequence-pin.js';
import { backendOfTarget } from '../routing/slot-ids.js';

/** Connections to the backends, by name. */
export interface PipelineBackends {
  channel(backend: string): Channel | undefined;
  /** Something went wrong there: look at it now. */
  suspect(backend: string): void;
}

export interface PipelineOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly costs: CostBook;
  /** When the batcher decides; see Defer. Absent: at once. */
  readonly defer?: Defer;
  readonly backends: PipelineBackends;
  readonly table: GatewayTable;
  readonly turns?: SlotTurns | undefined;
}

const sweepMs = 250;
const maxSequences = 100_000;
const sequenceTtlMs = 600_000;

/**
 * The way of an inference request. Every decision is made in the stage that the step names; this file hands values
 * from one to the next.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #clock: Clock;
  readonly #bytes: ByteBudget;
  readonly #retryBudget: RetryBudget;
  readonly #retries: Retries;
  readonly #affinity: SequenceAffinity;
  readonly #record: PipelineRecord;
  readonly #lanes: LaneRegistry<Attempt>;
  readonly #live = new OpenSet<Live>();
  /** Until a request must have started, then until it must be answered. */
  readonly #deadlines: DeadlineTimers<Live>;
  readonly router: Router;
  #table: GatewayTable;
  #draining: Refusal | undefined;
  #sweeper: Timer | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#table = options.table;
    this.#record = new PipelineRecord(options.metrics, options.logger);
    this.#deadlines = new DeadlineTimers(options.clock, (live) => this.#leave(live, { ok: false, refusal: timedOut }));
    this.#bytes = new ByteBudget(options.table.maxQueuedBytes);
    this.#retryBudget = new RetryBudget(options.table.routing.retryBudget);
    this.#affinity = new SequenceAffinity(options.clock, { maxEntries: maxSequences, ttlMs: sequenceTtlMs });
    this.router = new Router(options.clock, options.table.routing, {
      onStanding: (backend, standing) => this.#record.standing(backend, standing),
      onBreaker: (backend, state) => {
        this.#record.breaker(backend, state);
        this.#clock.setTimer(() => this.#lanes.targetsChanged(), 0);
      },
      runs: options.turns,
    });
    this.#lanes = new LaneRegistry<Attempt>({
      clock: options.clock,
      costs: options.costs,
      ...(options.defer === undefined ? {} : { defer: options.defer }),
      policy: (model) => policyOf(this.#table, model),
      backends: () => this.router.backends,
      turns: options.turns,
      runner: (lane, model, version) => ({
        targets: () => this.router.targets(model, version, policyOf(this.#table, model)),
        run: (batch) => this.#run(lane(), batch),
        drop: ({ live }, refusal) => this.#settle(live, { ok: false, refusal }),
      }),
    });
    this.#retries = new Retries({
      router: this.router,
      budget: this.#retryBudget,
      record: this.#record,
      enter: (live, pinnedTarget, mergeable) => this.#enter(live, pinnedTarget, mergeable, false),
      fail: (live, refusal) => this.#settle(live, { ok: false, refusal }),
    });
    this.#sweep();
  }

  /** The request's view is borrowed until this returns. */
  submit(incoming: Incoming, done: Done): Ticket {
    const { view } = incoming;
    const refuseNow = (refusal: Refusal): Ticket => {
      this.#record.ended(view.modelName, this.#isKnown(view.modelName), refusal.reason);
      done({ ok: false, refusal });
      return spent;
    };
    // 1. Admission: parameters against the model's policy; is there a backend; is there room.
    if (this.#draining !== undefined) return refuseNow(this.#draining);
    const policy = policyOf(this.#table, view.modelName);
    const classified = classify(view, policy, incoming.arrivedMs, incoming.callDeadlineMs);
    if (!classified.ok) return refuseNow(classified.refusal);
    const unserved = this.router.refusal(view.modelName, view.modelVersion, policy);
    if (unserved !== undefined) return refuseNow(unserved);
    if (!this.#bytes.take(view.bytes.length)) return refuseNow(this.#bytes.full());
    // 2. Keep: the one copy of a message that waits, or that may have to be sent again.
    const kept = ownView(view);
    // 3. Batching: lane, rows, may it share a run.
    const lane = this.#lanes.of(view.modelName, view.modelVersion);
    const shape = lane.shapeOf(kept, classified.value.sequence !== undefined);
    const live: Live = {
      view: kept,
      incoming: {
        requestId: incoming.requestId,
        traceparent: incoming.traceparent,
        tracestate: incoming.tracestate,
        arrivedMs: incoming.arrivedMs,
      },
      classified: classified.value,
      policy,
      lane,
      shape,
      done,
      attempt: undefined,
      attempts: 0,
      dueMs: Infinity,
      at: [-1],
      openAt: -1,
      over: false,
    };
    this.#live.add(live);
    this.#retryBudget.request(incoming.arrivedMs);
    // 4. Routing of a sequence: to the slot that holds its state.
    const pinned = this.#pinSequence(live);
    // 5. Into the batcher, which starts runs through run() below, perhaps at once.
    const refused = !pinned.ok ? pinned.refusal : this.#enter(live, pinned.value, shape.mergeable, classified.value.bypass);
    if (refused !== undefined) this.#settle(live, { ok: false, refusal: refused });
    return { cancel: () => this.#cancel(live) };
  }

  /** Backends came, went or changed. */
  setBackends(views: readonly BackendView[]): void {
    this.#record.backends(this.router.backends, views);
    this.router.setBackends(views);
    this.#refreshLanes();
    this.#failUnserved();
    this.#lanes.targetsChanged();
  }

  setTable(table: GatewayTable): void {
    this.#table = table;
    this.#bytes.setMax(table.maxQueuedBytes);
    this.#retryBudget.setPolicy(table.routing.retryBudget);
    this.router.setPolicy(table.routing);
    this.#refreshLanes();
    this.#failUnserved();
    this.#lanes.targetsChanged();
  }

  /** Refuses what comes; resolves when everything accepted before is answered. */
  drain(): Promise<void> {
    this.#draining ??= refuse('DRAINING', 'the gateway is shutting down', { retryAfterMs: 1000 });
    return this.#live.whenEmpty();
  }

  close(): void {
    this.#draining ??= refuse('DRAINING', 'the gateway has shut down', { retryAfterMs: 1000 });
    this.#sweeper?.cancel();
    for (const live of this.#live.all()) this.#leave(live, { ok: false, refusal: this.#draining });
    this.#deadlines.close();
    this.#lanes.close(this.#draining);
    this.router.close();
  }

  get heldRequests(): number {
    return this.#live.size;
  }

  get heldBytes(): number {
    return this.#bytes.usedBytes;
  }

  get queuedRows(): number {
    return this.#lanes.queuedRows();
  }

  // ---- a run -----------------------------------------------------------------------------------------------------

  /** 6. Execution: the batcher has formed a run and chosen its slot. */
  #run(lane: ModelLane<Attempt>, batch: Batch<Attempt>): void {
    const { backends } = this.#options;
    const startedMs = this.#clock.nowMs();
    const backend = backendOfTarget(batch.targetId);
    const run = this.router.ledger.start({
      targetId: batch.targetId,
      backend,
      model: lane.model,
      predictedMs: batch.predictedMs,
      startedMs,
    });
    this.#record.runStarted(lane.model, batch.rows);
    let deadlineMs = startedMs;
    for (const { live } of batch.members) {
      deadlineMs = Math.max(deadlineMs, live.classified.answerByMs);
      this.#record.waited(lane.model, startedMs - live.incoming.arrivedMs);
      this.#setDeadline(live, live.classified.answerByMs);
    }
    const channel = backends.channel(backend);
    const message = this.#messageOf(batch);
    if (channel === undefined || message === undefined) {
      const lost = channel === undefined;
      const refusal = lost
        ? refuse('BACKEND_LOST', `backend ${backend} left the table`)
        : refuse('INTERNAL', 'the batch could not be formed');
      this.#clock.setTimer(() => this.#ended(lane, batch, run, { kind: 'failed', refusal, lost }), 0);
      return;
    }
    const request = {
      message,
      metadata: upstreamMetadata(batch.members[0]?.live.incoming ?? nobody),
      deadlineMs,
      members: batch.members.length,
    };
    const call = new UpstreamCall(channel, request, (result) => this.#ended(lane, batch, run, result));
    for (const member of batch.members) member.call = call;
  }

  /** Undefined when the members do not fit together after all: a defect, answered by running each alone. */
  #messageOf(batch: Batch<Attempt>): Buffer | undefined {
    try {
      return messageOf(batch.members);
    } catch (error) {
      this.#record.unformed(error, batch.members.length);
      return undefined;
    }
  }

  /** 7. The run ended: tell router and cost model, then answer, split or try again. */
  #ended(lane: ModelLane<Attempt>, batch: Batch<Attempt>, run: Run, result: UpstreamResult): void {
    this.#conclude(lane, batch, run, result);
    this.#lanes.slotFreed(lane);
  }

  #conclude(lane: ModelLane<Attempt>, batch: Batch<Attempt>, run: Run, result: UpstreamResult): void {
    const nowMs = this.#clock.nowMs();
    switch (result.kind) {
      case 'answered': {
        const reported = result.runMs === undefined ? undefined : result.runMs + result.queueMs;
        this.router.finish(run, 'ok', nowMs, reported);
        this.#record.runAnswered(lane.model, run.backend, nowMs - run.startedMs);
        // A foreign server reports nothing: our own measure, from when the slot was free for it.
        const runMs = result.runMs ?? nowMs - run.beganMs;
        const replies = repliesOf(batch, result.response);
        lane.batcher.finished(batch, { runMs, ranRows: result.ranRows ?? batch.rows });
        if (replies.ok)
          batch.members.forEach(({ live }, i) => this.#settle(live, { ok: true, message: replies.messages[i] ?? empty }, nowMs));
        else this.#retries.unsplittable(lane, batch, replies.message);
        return;
      }
      case 'failed': {
        this.router.finish(run, isBackendFault(result.refusal.code, result.lost) ? 'backendFault' : 'requestFault', nowMs);
        if (result.lost || result.refusal.code === refusalUnavailable) this.#options.backends.suspect(run.backend);
        // 8. Again, where that is safe: queued before the batcher decides anew, so that retries go first.
        this.#retries.failed(batch, run, result.refusal, result.lost, nowMs);
        lane.batcher.finished(batch, { runMs: undefined, ranRows: batch.rows });
        return;
      }
      case 'abandoned':
        this.router.finish(run, 'abandoned', nowMs);
        lane.batcher.finished(batch, { runMs: undefined, ranRows: batch.rows });
    }
  }

  // ---- a request's life ------------------------------------------------------------------------------------------

  /** Hands an attempt to the batcher. The refusal when it does not take it. */
  #enter(live: Live, pinnedTarget: string | undefined, mergeable: boolean, bypass: boolean): Refusal | undefined {
    const { classified, shape, lane } = live;
    const attempt: Attempt = {
      live,
      call: undefined,
      model: lane.model,
      version: lane.version,
      view: live.view,
      lane: shape.lane,
      shapeClass: shape.shapeClass,
      rows: shape.rows,
      band: classified.band,
      arrivedMs: live.incoming.arrivedMs,
      // `timeout` limits waiting alone, so what the run itself takes is added for a batcher that thinks in ends of runs.
      deadlineMs: classified.startByMs < classified.answerByMs ? classified.startByMs + this.#longestRunMs(live) : classified.answerByMs,
      mergeable,
      bypass,
      pinnedTarget,
      place: undefined,
    };
    live.attempt = attempt;
    live.attempts += 1;
    this.#setDeadline(live, classified.startByMs);
    return lane.batcher.submit(attempt);
  }

  /** Twice what is predicted, for a batcher that refuses what it thinks cannot end in time. */
  #longestRunMs({ lane, policy, shape }: Live): number {
    const targets = this.router.targets(lane.model, lane.version, policy);
    return 2 * longestRunMs(targets, (podClass) => lane.predictMs(shape, podClass));
  }

  #setDeadline(live: Live, atMs: number): void {
    if (!live.over) this.#deadlines.set(live, atMs);
  }

  #cancel(live: Live): boolean {
    if (live.over) return false;
    this.#leave(live, undefined);
    return true;
  }

  /** Ends a request from this side: out of its lane, or out of its run. */
  #leave(live: Live, outcome: Outcome | undefined): void {
    const { attempt, lane } = live;
    if (attempt !== undefined && !lane.batcher.cancel(attempt)) attempt.call?.memberLeft();
    this.#settle(live, outcome);
  }

  /** Exactly once. Without an outcome nobody is told: the client went away. */
  #settle(live: Live, outcome: Outcome | undefined, nowMs = this.#clock.nowMs()): void {
    if (live.over) return;
    live.over = true;
    this.#deadlines.clear(live);
    this.#bytes.release(live.view.bytes.length);
    const { model } = live.lane;
    const refusal = outcome === undefined ? cancelled : outcome.ok ? undefined : outcome.refusal;
    this.#record.ended(model, refusal === undefined || this.#isKnown(model), refusal?.reason ?? 'OK');
    if (refusal === undefined) this.#record.answered(model, nowMs - live.incoming.arrivedMs);
    const { sequence } = live.classified;
    if (sequence?.end === true) this.#affinity.release(sequenceKey(live.lane, sequence.id));
    if (outcome !== undefined) live.done(outcome);
    this.#live.delete(live);
  }

  /** Undefined: any slot will do. */
  #pinSequence(live: Live): Result<string | undefined> {
    const { classified, lane, policy, shape } = live;
    const { sequence } = classified;
    if (sequence === undefined) return { ok: true, value: undefined };
    return pinSequence(
      { key: sequenceKey(lane, sequence.id), name: sequence.id, start: sequence.start },
      {
        affinity: this.#affinity,
        backends: this.router.backends,
        targets: () => this.router.targets(lane.model, lane.version, policy),
        predictMs: (podClass) => lane.predictMs(shape, podClass),
      },
    );
  }

  // ---- the state around ------------------------------------------------------------------------------------------

  #refreshLanes(): void {
    const used = new Set(this.#live.all().map(({ lane }) => lane));
    this.#lanes.refresh((lane) => {
      const refusal = this.router.refusal(lane.model, lane.version, policyOf(this.#table, lane.model));
      const forGood = refusal?.reason === 'MODEL_NOT_FOUND' || refusal?.reason === 'VERSION_NOT_FOUND';
      return forGood && !used.has(lane);
    });
  }

  /** What waits for a model that nobody serves any more, or for a slot that is gone, is told now rather than at its deadline. */
  #failUnserved(): void {
    for (const live of this.#live.all()) {
      const { attempt, lane } = live;
      if (attempt === undefined || attempt.call !== undefined) continue;
      const policy = policyOf(this.#table, lane.model);
      const backend = attempt.pinnedTarget === undefined ? undefined : backendOfTarget(attempt.pinnedTarget);
      const pinLost = backend !== undefined && !this.router.backends.some((view) => view.name === backend && view.state === 'ready');
      const refusal = pinLost
        ? refuse('BACKEND_LOST', `backend ${backend} was lost while the request waited for it`)
        : this.router.refusal(lane.model, lane.version, policy);
      if (refusal === undefined || refusal.reason === 'CIRCUIT_OPEN') continue;
      if (lane.batcher.cancel(attempt)) this.#settle(live, { ok: false, refusal });
    }
  }

  #sweep(): void {
    this.#sweeper = this.#clock.setTimer(() => {
      if (this.router.sweep()) this.#lanes.targetsChanged();
      this.#sweep();
    }, sweepMs);
  }

  #isKnown(model: string): boolean {
    return this.router.backends.some(({ models }) => models.has(model));
  }
}

const empty = Buffer.alloc(0);
/** A run always has a member; the type does not know. */
const nobody = { requestId: '', traceparent: undefined, tracestate: undefined };
const spent: Ticket = { cancel: () => false };
const refusalUnavailable = refuse('BACKEND_LOST', '').code;
const timedOut = refuse('DEADLINE_EXCEEDED', 'the deadline passed before an answer came');
const cancelled = refuse('CANCELLED', 'the client cancelled the call');
