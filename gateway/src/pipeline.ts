import type { Batch, CostBook } from '@headrace/batching';
import { metadataKey } from '@headrace/proto';
import type { InferRequestView } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Clock, Logger, Refusal, Timer } from '@headrace/runtime';
import { Metadata } from '@headrace/wire';
import type { Channel } from '@headrace/wire';
import { ByteBudget } from './admission/byte-budget.js';
import { classify } from './admission/classify.js';
import type { Classified } from './admission/classify.js';
import type { Job, JobShape } from './batching/job.js';
import { ModelLane } from './batching/model-lane.js';
import { messageOf, repliesOf } from './batching/run-message.js';
import type { BackendView } from './domain/backend-view.js';
import { policyOf } from './domain/gateway-table.js';
import type { GatewayTable, ModelPolicy } from './domain/gateway-table.js';
import type { Done, Incoming, Outcome, Ticket } from './domain/infer.js';
import { RetryBudget } from './execution/retry-budget.js';
import { decideRetry, isBackendFault } from './execution/retry-policy.js';
import { UpstreamCall } from './execution/upstream-call.js';
import type { UpstreamResult } from './execution/upstream-call.js';
import { unknownModel } from './metrics.js';
import type { GatewayMetrics } from './metrics.js';
import { SequenceAffinity } from './routing/affinity.js';
import type { Run } from './routing/ledger.js';
import { pickTarget } from './routing/pick.js';
import { Router } from './routing/router.js';
import { backendOfTarget } from './routing/targets.js';

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
  readonly backends: PipelineBackends;
  readonly table: GatewayTable;
}

/** A request from its acceptance to its answer. */
interface Live {
  readonly view: InferRequestView;
  readonly incoming: Pick<Incoming, 'requestId' | 'traceparent' | 'tracestate' | 'arrivedMs'>;
  readonly classified: Classified;
  readonly policy: ModelPolicy;
  readonly lane: ModelLane<Attempt>;
  readonly shape: JobShape;
  readonly done: Done;
  /** The latest; a request has two at most: the first, and one retry. */
  attempt: Attempt | undefined;
  attempts: number;
  timer: Timer | undefined;
  over: boolean;
}

/** One way of a request through batcher, router and backend. */
interface Attempt extends Job {
  readonly live: Live;
  call: UpstreamCall | undefined;
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
  readonly #affinity: SequenceAffinity;
  readonly #lanes = new Map<string, ModelLane<Attempt>>();
  readonly #live = new Set<Live>();
  readonly router: Router;
  #table: GatewayTable;
  #draining: Refusal | undefined;
  #onEmpty: (() => void) | undefined;
  #sweeper: Timer | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#table = options.table;
    this.#bytes = new ByteBudget(options.table.maxQueuedBytes);
    this.#retryBudget = new RetryBudget(options.table.routing.retryBudget);
    this.#affinity = new SequenceAffinity(options.clock, { maxEntries: maxSequences, ttlMs: sequenceTtlMs });
    this.router = new Router(options.clock, options.table.routing, {
      onStanding: (backend, standing) => this.#onStanding(backend, standing),
      onBreaker: (backend, state) => this.#onBreaker(backend, state),
    });
    this.#sweep();
  }

  /** The request's view is borrowed until this returns. */
  submit(incoming: Incoming, done: Done): Ticket {
    const { view } = incoming;
    const refuseNow = (refusal: Refusal): Ticket => {
      this.#count(view.modelName, refusal.reason, refusal);
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
    if (!this.#bytes.take(view.bytes.length)) return refuseNow(this.#outOfMemory());
    // 2. Keep: the one copy of a message that waits, or that may have to be sent again.
    const kept: InferRequestView = { ...view, bytes: Buffer.from(view.bytes) };
    // 3. Batching: lane, rows, may it share a run.
    const lane = this.#laneOf(view.modelName, view.modelVersion, policy);
    const shape = lane.shapeOf(kept, classified.value.sequence !== undefined);
    const live: Live = { view: kept, incoming, classified: classified.value, policy, lane, shape, done, attempt: undefined, attempts: 0, timer: undefined, over: false };
    this.#live.add(live);
    this.#retryBudget.request(incoming.arrivedMs);
    // 4. Routing of a sequence: to the slot that holds its state.
    const pinned = this.#pinSequence(live);
    // 5. Into the batcher, which starts runs through run() below, perhaps at once.
    const refused = 'refusal' in pinned ? pinned.refusal : this.#enter(live, pinned.targetId, shape.mergeable, classified.value.bypass);
    if (refused !== undefined) this.#settle(live, { ok: false, refusal: refused });
    return { cancel: () => this.#cancel(live) };
  }

  /** Backends came, went or changed. */
  setBackends(views: readonly BackendView[]): void {
    const { metrics } = this.#options;
    for (const { name } of this.router.backends) if (!views.some((view) => view.name === name)) this.#forgetBackend(name);
    for (const { name, state } of views) metrics.backendReady.set({ backend: name }, state === 'ready' ? 1 : 0);
    this.router.setBackends(views);
    this.#refreshLanes();
    this.#failUnserved();
    this.#targetsChanged();
  }

  setTable(table: GatewayTable): void {
    this.#table = table;
    this.#bytes.setMax(table.maxQueuedBytes);
    this.#retryBudget.setPolicy(table.routing.retryBudget);
    this.router.setPolicy(table.routing);
    this.#refreshLanes();
    this.#failUnserved();
    this.#targetsChanged();
  }

  /** Refuses what comes; resolves when everything accepted before is answered. */
  drain(): Promise<void> {
    this.#draining ??= refuse('DRAINING', 'the gateway is shutting down', { retryAfterMs: 1000 });
    if (this.#live.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.#onEmpty;
      this.#onEmpty = () => {
        before?.();
        resolve();
      };
    });
  }

  close(): void {
    this.#draining ??= refuse('DRAINING', 'the gateway has shut down', { retryAfterMs: 1000 });
    this.#sweeper?.cancel();
    for (const live of [...this.#live]) this.#leave(live, { ok: false, refusal: this.#draining });
    for (const lane of this.#lanes.values()) lane.batcher.close(this.#draining);
    this.router.close();
  }

  get heldRequests(): number {
    return this.#live.size;
  }

  get heldBytes(): number {
    return this.#bytes.usedBytes;
  }

  get queuedRows(): number {
    let rows = 0;
    for (const lane of this.#lanes.values()) rows += lane.batcher.stats().queuedRows;
    return rows;
  }

  // ---- a run -----------------------------------------------------------------------------------------------------

  /** 6. Execution: the batcher has formed a run and chosen its slot. */
  #run(lane: ModelLane<Attempt>, batch: Batch<Attempt>): void {
    const { backends, metrics } = this.#options;
    const startedMs = this.#clock.nowMs();
    const backend = backendOfTarget(batch.targetId);
    const run = this.router.ledger.start({ targetId: batch.targetId, backend, model: lane.model, predictedMs: batch.predictedMs, startedMs });
    metrics.batchRows.observe({ model: lane.model }, batch.rows);
    for (const { live } of batch.members) {
      metrics.queueSeconds.observe({ model: lane.model }, (startedMs - live.incoming.arrivedMs) / 1000);
      this.#armTimer(live, live.classified.answerByMs);
    }
    const channel = backends.channel(backend);
    const message = this.#messageOf(batch);
    if (channel === undefined || message === undefined) {
      const lost = channel === undefined;
      const refusal = lost ? refuse('BACKEND_LOST', `backend ${backend} left the table`) : refuse('INTERNAL', 'the batch could not be formed');
      this.#clock.setTimer(() => this.#ended(lane, batch, run, { kind: 'failed', refusal, lost }), 0);
      return;
    }
    const request = {
      message,
      metadata: upstreamMetadata(batch.members),
      deadlineMs: Math.max(...batch.members.map(({ live }) => live.classified.answerByMs)),
      members: batch.members.length,
    };
    const call = new UpstreamCall(channel, this.#clock, request, (result) => this.#ended(lane, batch, run, result));
    for (const member of batch.members) member.call = call;
  }

  /** Undefined when the members do not fit together after all: a defect, answered by running each alone. */
  #messageOf(batch: Batch<Attempt>): Buffer | undefined {
    try {
      return messageOf(batch.members);
    } catch (error) {
      this.#options.logger.error({ error, members: batch.members.length }, 'a batch could not be formed');
      return undefined;
    }
  }

  /** 7. The run ended: tell router and cost model, then answer, split or try again. */
  #ended(lane: ModelLane<Attempt>, batch: Batch<Attempt>, run: Run, result: UpstreamResult): void {
    const elapsedMs = this.#clock.nowMs() - run.startedMs;
    switch (result.kind) {
      case 'answered': {
        const ownMs = this.#clock.nowMs() - run.beganMs;
        const reported = result.runMs === undefined ? undefined : result.runMs + result.queueMs;
        this.router.finish(run, 'ok', reported);
        this.#options.metrics.runSeconds.observe({ model: lane.model, backend: run.backend }, elapsedMs / 1000);
        // A foreign server reports nothing: our own measure, from when the slot was free for it.
        const runMs = result.runMs ?? ownMs;
        const replies = repliesOf(batch, result.response);
        lane.batcher.finished(batch, { runMs, ranRows: result.ranRows ?? batch.rows });
        if (replies.ok) batch.members.forEach(({ live }, i) => this.#settle(live, { ok: true, message: replies.messages[i] ?? empty }));
        else this.#unsplittable(lane, batch, replies.message);
        return;
      }
      case 'failed': {
        this.router.finish(run, isBackendFault(result.refusal.code, result.lost) ? 'backendFault' : 'requestFault');
        if (result.lost || result.refusal.code === refusalUnavailable) this.#options.backends.suspect(run.backend);
        // Retries are queued before the batcher decides anew, so that they go first.
        this.#failed(batch, run, result.refusal, result.lost);
        lane.batcher.finished(batch, { runMs: undefined, ranRows: batch.rows });
        return;
      }
      case 'abandoned':
        this.router.finish(run, 'requestFault');
        lane.batcher.finished(batch, { runMs: undefined, ranRows: batch.rows });
    }
  }

  /** 8. Again, where that is safe. */
  #failed(batch: Batch<Attempt>, run: Run, refusal: Refusal, lost: boolean): void {
    const waiting = batch.members.map(({ live }) => live).filter((live) => !live.over);
    const [first] = waiting;
    if (first === undefined) return;
    const decision = decideRetry({ members: batch.members.length, code: refusal.code, lost, idempotent: first.policy.idempotent });
    for (const live of waiting) {
      const again = decision === 'fail' ? refusal : decision === 'itemByItem' ? this.#again(live, undefined, false, 'alone') : this.#elsewhere(live, run.backend, refusal);
      if (again !== undefined) this.#settle(live, { ok: false, refusal: again });
    }
  }

  /** Undefined when it is under way again; else what to tell. */
  #elsewhere(live: Live, failedBackend: string, refusal: Refusal): Refusal | undefined {
    const { metrics } = this.#options;
    // A sequence's state is where it is; everything else may go once more.
    if (live.attempts >= 2 || live.classified.sequence !== undefined) return refusal;
    const targets = this.router.targets(live.lane.model, live.lane.version, live.policy);
    const others = targets.filter(({ id }) => backendOfTarget(id) !== failedBackend);
    const best = pickTarget(others, (podClass) => live.lane.predictMs(live.shape, podClass));
    if (best === undefined) return refusal;
    if (!this.#retryBudget.tryRetry(this.#clock.nowMs())) {
      metrics.retriesDenied.inc({ model: live.lane.model });
      return refusal;
    }
    // Once the failed one is out, the batcher chooses among the others itself, and may merge.
    const pinned = others.length === targets.length ? undefined : best.id;
    return this.#again(live, pinned, live.shape.mergeable, 'elsewhere');
  }

  #again(live: Live, pinnedTarget: string | undefined, mergeable: boolean, kind: 'elsewhere' | 'alone'): Refusal | undefined {
    if (live.attempts >= 3) return refuse('EXECUTION_FAILED', 'the request failed again and again');
    const refused = this.#enter(live, pinnedTarget ?? live.attempt?.pinnedTarget, mergeable, false);
    if (refused === undefined) this.#options.metrics.retries.inc({ model: live.lane.model, kind });
    return refused;
  }

  #unsplittable(lane: ModelLane<Attempt>, batch: Batch<Attempt>, problem: string): void {
    const { logger, metrics } = this.#options;
    metrics.unsplittable.inc({ model: lane.model });
    if (lane.stopMerging()) {
      logger.error({ model: lane.model, version: lane.version, problem }, 'a batch reply cannot be split by rows: batching of this model has stopped; declare max_batch_size 0 for it');
    }
    const refusal = refuse('BACKEND_PROTOCOL', `the reply to a batch cannot be split by rows: ${problem}`);
    for (const { live } of batch.members) {
      if (live.over) continue;
      const again = live.policy.idempotent ? this.#again(live, undefined, false, 'alone') : refusal;
      if (again !== undefined) this.#settle(live, { ok: false, refusal: again });
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
      ...(pinnedTarget === undefined ? {} : { pinnedTarget }),
    };
    live.attempt = attempt;
    live.attempts += 1;
    this.#armTimer(live, classified.startByMs);
    return lane.batcher.submit(attempt);
  }

  #longestRunMs(live: Live): number {
    let longest = 0;
    for (const { podClass, penalty, batchOverheadMs } of this.router.targets(live.lane.model, live.lane.version, live.policy)) {
      longest = Math.max(longest, penalty * live.lane.predictMs(live.shape, podClass) + batchOverheadMs);
    }
    return 2 * longest;
  }

  /** One timer a request: until it must have started, then until it must be answered. */
  #armTimer(live: Live, atMs: number): void {
    live.timer?.cancel();
    live.timer = undefined;
    if (live.over || atMs === Infinity) return;
    live.timer = this.#clock.setTimer(() => this.#leave(live, { ok: false, refusal: timedOut }), atMs - this.#clock.nowMs());
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
  #settle(live: Live, outcome: Outcome | undefined): void {
    if (live.over) return;
    live.over = true;
    live.timer?.cancel();
    this.#bytes.release(live.view.bytes.length);
    this.#live.delete(live);
    const { model } = live.lane;
    const refusal = outcome === undefined ? cancelled : outcome.ok ? undefined : outcome.refusal;
    this.#count(model, refusal?.reason ?? 'OK', refusal);
    if (refusal === undefined) this.#options.metrics.requestSeconds.observe({ model }, (this.#clock.nowMs() - live.incoming.arrivedMs) / 1000);
    if (live.classified.sequence?.end === true) this.#affinity.release(sequenceKey(live));
    if (outcome !== undefined) live.done(outcome);
    if (this.#live.size === 0) this.#onEmpty?.();
  }

  #pinSequence(live: Live): { readonly targetId: string | undefined } | { readonly refusal: Refusal } {
    const { sequence } = live.classified;
    if (sequence === undefined) return { targetId: undefined };
    const key = sequenceKey(live);
    const lifeOf = (name: string): number | undefined => this.router.backends.find((view) => view.name === name && view.state === 'ready')?.life;
    const pin = this.#affinity.find(key, sequence.start, lifeOf);
    switch (pin.kind) {
      case 'pinned':
        return { targetId: pin.targetId };
      case 'lost':
        return { refusal: refuse('BACKEND_LOST', `sequence ${sequence.id}: backend ${pin.backend} was lost, and the sequence's state with it; begin it again`) };
      case 'free': {
        const targets = this.router.targets(live.lane.model, live.lane.version, live.policy);
        const best = pickTarget(targets, (podClass) => live.lane.predictMs(live.shape, podClass));
        const backend = best === undefined ? undefined : backendOfTarget(best.id);
        if (best !== undefined && backend !== undefined) this.#affinity.pin(key, best.id, backend, lifeOf(backend) ?? 0);
        return { targetId: best?.id };
      }
    }
  }

  // ---- the state around ------------------------------------------------------------------------------------------

  #laneOf(model: string, version: string, policy: ModelPolicy): ModelLane<Attempt> {
    const key = `${model}\u0000${version}`;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const { costs } = this.#options;
    const runner = {
      targets: () => this.router.targets(model, version, policyOf(this.#table, model)),
      run: (batch: Batch<Attempt>) => this.#run(lane, batch),
      drop: ({ live }: Attempt, refusal: Refusal) => this.#settle(live, { ok: false, refusal }),
    };
    const lane: ModelLane<Attempt> = new ModelLane({ model, version, clock: this.#clock, costs, runner }, this.router.backends, policy);
    this.#lanes.set(key, lane);
    return lane;
  }

  #refreshLanes(): void {
    const used = new Set([...this.#live].map(({ lane }) => lane));
    for (const [key, lane] of this.#lanes) {
      const policy = policyOf(this.#table, lane.model);
      const gone = this.router.refusal(lane.model, lane.version, policy);
      const forGood = gone?.reason === 'MODEL_NOT_FOUND' || gone?.reason === 'VERSION_NOT_FOUND';
      if (forGood && !used.has(lane)) this.#lanes.delete(key);
      else lane.refresh(this.router.backends, policy);
    }
  }

  /** What waits for a model that nobody serves any more, or for a slot that is gone, is told now rather than at its deadline. */
  #failUnserved(): void {
    for (const live of [...this.#live]) {
      const { attempt, lane } = live;
      if (attempt === undefined || attempt.call !== undefined) continue;
      const policy = policyOf(this.#table, lane.model);
      const backend = attempt.pinnedTarget === undefined ? undefined : backendOfTarget(attempt.pinnedTarget);
      const pinLost = backend !== undefined && !this.router.backends.some((view) => view.name === backend && view.state === 'ready');
      const refusal = pinLost ? refuse('BACKEND_LOST', `backend ${backend} was lost while the request waited for it`) : this.router.refusal(lane.model, lane.version, policy);
      if (refusal === undefined || refusal.reason === 'CIRCUIT_OPEN') continue;
      if (lane.batcher.cancel(attempt)) this.#settle(live, { ok: false, refusal });
    }
  }

  #targetsChanged(): void {
    for (const lane of this.#lanes.values()) lane.batcher.targetsChanged();
  }

  #sweep(): void {
    this.#sweeper = this.#clock.setTimer(() => {
      if (this.router.sweep()) this.#targetsChanged();
      this.#sweep();
    }, sweepMs);
  }

  #onStanding(backend: string, standing: 'steady' | 'ejected' | 'probing'): void {
    const { logger, metrics } = this.#options;
    metrics.backendEjected.set({ backend }, standing === 'ejected' ? 1 : 0);
    if (standing === 'ejected') {
      metrics.backendEjections.inc({ backend });
      logger.warn({ backend }, 'backend is slow and was set aside');
    } else logger.info({ backend, standing }, 'backend takes part again');
  }

  #onBreaker(backend: string, state: 'closed' | 'open' | 'halfOpen'): void {
    this.#options.metrics.breakerOpen.set({ backend }, state === 'open' ? 1 : 0);
    this.#options.logger.warn({ backend, state }, 'circuit breaker changed');
    this.#clock.setTimer(() => this.#targetsChanged(), 0);
  }

  #forgetBackend(backend: string): void {
    const { metrics } = this.#options;
    for (const gauge of [metrics.backendReady, metrics.backendEjected, metrics.breakerOpen]) gauge.remove({ backend });
  }

  #outOfMemory(): Refusal {
    const { usedBytes, maxBytes } = this.#bytes;
    return refuse('QUEUE_FULL', `memory for requests: expected at most ${maxBytes} bytes held, ${usedBytes} are`, { retryAfterMs: 100 });
  }

  /** A model that no backend has is a client's invention and gets no series of its own. */
  #count(model: string, reason: string, refusal: Refusal | undefined): void {
    const unknown = refusal !== undefined && (reason === 'MODEL_NOT_FOUND' || !this.router.backends.some(({ models }) => models.has(model)));
    this.#options.metrics.requests.inc({ model: unknown ? unknownModel : model, reason });
  }
}

const empty = Buffer.alloc(0);
const spent: Ticket = { cancel: () => false };
const refusalUnavailable = refuse('BACKEND_LOST', '').code;
const timedOut = refuse('DEADLINE_EXCEEDED', 'the deadline passed before an answer came');
const cancelled = refuse('CANCELLED', 'the client cancelled the call');

function sequenceKey({ lane, classified }: Live): string {
  return `${lane.model}\u0000${lane.version}\u0000${classified.sequence?.id ?? ''}`;
}

/** A batch carries the ids of its first member; the others' are in the gateway's log and spans. */
function upstreamMetadata(members: readonly Attempt[]): Metadata {
  const metadata = new Metadata();
  const incoming = members[0]?.live.incoming;
  if (incoming === undefined) return metadata;
  metadata.set(metadataKey.requestId, incoming.requestId);
  if (incoming.traceparent !== undefined) metadata.set(metadataKey.traceparent, incoming.traceparent);
  if (incoming.tracestate !== undefined) metadata.set(metadataKey.tracestate, incoming.tracestate);
  return metadata;
}
