import type { CostBook, Defer } from '@headrace/batching';
import type { InferRequestView, ModelUse } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Clock, Logger, Refusal, Result, Timer } from '@headrace/runtime';
import { Admission } from '../admission/admission.js';
import type { AdmissionOptions } from '../admission/admission.js';
import { ByteBudget } from '../admission/byte-budget.js';
import { classify } from '../admission/classify.js';
import { LaneRegistry } from '../batching/lane-registry.js';
import type { BackendView } from '../domain/backend-view.js';
import { policyOf } from '../domain/gateway-table.js';
import type { GatewayTable } from '../domain/gateway-table.js';
import type { Done, Incoming, Outcome, Ticket } from '../domain/infer.js';
import { OpenSet } from '../domain/open-set.js';
import { ownView } from '../domain/own-view.js';
import type { Tenant } from '../domain/tenant.js';
import type { SlotTurns } from '../domain/slot-turns.js';
import { DeadlineTimers } from '../execution/deadline-timers.js';
import { RetryBudget } from '../execution/retry-budget.js';
import type { RequestTrail } from '../insight/request-trail.js';
import type { GatewayMetrics } from '../metrics.js';
import { fallbackFor, withModel } from './fallback.js';
import { endingOf, newLive, withTrailers } from './live.js';
import type { Attempt, Live } from './live.js';
import { PipelineRecord } from './record.js';
import { Retries } from './retries.js';
import { Runs } from './runs.js';
import type { PipelineBackends } from './runs.js';
import { SequenceAffinity } from '../routing/affinity.js';
import { longestRunMs } from '../routing/pick.js';
import { Router } from '../routing/router.js';
import { pinSequence, sequenceKey } from '../routing/sequence-pin.js';
import { backendOfTarget } from '../routing/slot-ids.js';

export interface PipelineOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly costs: CostBook;
  /** When the batcher decides; see Defer. Absent: at once. */
  readonly defer?: Defer;
  readonly backends: PipelineBackends;
  readonly table: GatewayTable;
  /** Opens the quotas of a traffic policy; absent: each pipeline counts for itself. */
  readonly openQuotas?: AdmissionOptions['openQuotas'];
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
  readonly #clock: Clock;
  readonly #admission: Admission;
  readonly #bytes: ByteBudget;
  readonly #retryBudget: RetryBudget;
  readonly #runs: Runs;
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
    this.#clock = options.clock;
    this.#table = options.table;
    this.#record = new PipelineRecord(options.metrics, options.logger);
    this.#admission = new Admission({
      table: options.table,
      ...(options.openQuotas === undefined ? {} : { openQuotas: options.openQuotas }),
      onShadow: (_tenant, model, reason) => this.#record.shadowed(model, reason),
    });
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
        run: (batch) => this.#runs.start(lane(), batch),
        drop: ({ live }, refusal) => this.#settle(live, { ok: false, refusal }),
      }),
    });
    const retries = new Retries({
      router: this.router,
      budget: this.#retryBudget,
      record: this.#record,
      enter: (live, pinnedTarget, mergeable) => this.#enter(live, pinnedTarget, mergeable, false),
      fail: (live, refusal) => this.#settle(live, { ok: false, refusal }),
    });
    this.#runs = new Runs({
      clock: this.#clock,
      backends: options.backends,
      router: this.router,
      record: this.#record,
      admission: this.#admission,
      costs: options.costs,
      retries,
      settle: (live, outcome, nowMs) => this.#settle(live, outcome, nowMs),
      setDeadline: (live, atMs) => this.#setDeadline(live, atMs),
      slotFreed: (lane) => this.#lanes.slotFreed(lane),
    });
    this.#sweep();
  }

  /** The request's view is borrowed until this returns. */
  submit(incoming: Incoming, done: Done): Ticket {
    const { view } = incoming;
    const tenant = this.#admission.tenantOf(incoming.caller, incoming.arrivedMs);
    const accepted = this.#accept(incoming, view, tenant, done, undefined);
    if (!isRefusal(accepted)) return { cancel: () => this.#cancel(accepted) };
    const other = this.#instead(incoming, tenant, done, accepted);
    if (other !== undefined) return { cancel: () => this.#cancel(other) };
    this.#admission.refused(tenant, accepted);
    this.#record.refused(incoming, tenant, this.#isKnown(view.modelName), accepted, this.#clock.nowMs());
    done({ ok: false, refusal: accepted });
    return spent;
  }

  refusedOnSight(requestId: string, arrivedMs: number, refusal: Refusal, identityMs = 0): void {
    this.#record.refusedOnSight(requestId, arrivedMs, refusal, identityMs, this.#clock.nowMs());
  }

  /** From the door into the batcher; the refusal when it comes no further, and then nothing is held for it. */
  #accept(
    incoming: Incoming,
    view: InferRequestView,
    tenant: Tenant | undefined,
    done: Done,
    askedModel: string | undefined,
  ): Live | Refusal {
    const { arrivedMs } = incoming;
    // 1. Admission: parameters against the policies of model and tier; is there a backend.
    if (this.#draining !== undefined) return this.#draining;
    const policy = policyOf(this.#table, view.modelName);
    const classified = classify(view, policy, arrivedMs, incoming.callDeadlineMs, tenant?.policy);
    if (!classified.ok) return classified.refusal;
    const unserved = this.router.refusal(view.modelName, view.modelVersion, policy);
    if (unserved !== undefined) return unserved;
    // 2. Batching: lane, rows, may it share a run.
    const lane = this.#lanes.of(view.modelName, view.modelVersion);
    const shape = lane.shapeOf(view, classified.value.sequence !== undefined);
    // 3. Admission again, now that its cost is known: quotas, the model's limit, memory.
    const { band } = classified.value;
    const returning = incoming.returning === true;
    const grant = this.#admission.admit(
      { tenant, model: lane.model, policy, revision: lane.revision, rows: shape.rows, band, returning },
      arrivedMs,
    );
    if (isRefusal(grant)) return grant;
    if (!this.#bytes.take(view.bytes.length)) {
      this.#admission.giveBack(grant, arrivedMs);
      return this.#bytes.full();
    }
    // 4. Keep: the one copy of a message that waits, or that may have to be sent again.
    const live = newLive({
      incoming,
      view: ownView(view),
      classified: classified.value,
      policy,
      lane,
      shape,
      done,
      tenant,
      grant,
      askedModel,
      queuedMs: this.#clock.nowMs(),
    });
    this.#live.add(live);
    this.#retryBudget.request(arrivedMs);
    // 5. Routing of a sequence: to the slot that holds its state.
    const pinned = this.#pinSequence(live);
    // 6. Into the batcher, which starts runs (Runs, steps 7 to 9), perhaps at once.
    const refused = pinned.ok ? this.#enter(live, pinned.value, shape.mergeable, classified.value.bypass) : pinned.refusal;
    if (refused === undefined) return live;
    this.#withdraw(live);
    return refused;
  }

  /** Where the model's policy names another one that may answer in its place: the same request there. */
  #instead(incoming: Incoming, tenant: Tenant | undefined, done: Done, refusal: Refusal): Live | undefined {
    const { view } = incoming;
    const model = fallbackFor(view, refusal, this.#table, this.router.backends);
    if (model === undefined) return undefined;
    const renamed = withModel(view, model);
    if (renamed === undefined) return undefined;
    const accepted = this.#accept(incoming, renamed, tenant, done, view.modelName);
    if (isRefusal(accepted)) return undefined;
    this.#record.fellBack(view.modelName, model, refusal.reason);
    return accepted;
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
    this.#admission.setTable(table);
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

  /** Everything is answered when this returns; resolves when what is held of a fleet's quotas has gone back, or could not in time. */
  close(): Promise<void> {
    this.#draining ??= refuse('DRAINING', 'the gateway has shut down', { retryAfterMs: 1000 });
    this.#sweeper?.cancel();
    for (const live of this.#live.all()) this.#leave(live, { ok: false, refusal: this.#draining });
    this.#deadlines.close();
    this.#lanes.close(this.#draining);
    this.router.close();
    return this.#admission.close();
  }

  get admission(): Admission {
    return this.#admission;
  }

  get trail(): RequestTrail {
    return this.#record.trail;
  }

  /** See Runs. */
  get backendQueue(): number {
    return this.#runs.backendQueue;
  }

  modelUse(): ModelUse[] {
    const underWay = new Map<string, number>();
    for (const { lane } of this.#live.all()) underWay.set(lane.model, (underWay.get(lane.model) ?? 0) + 1);
    return this.#lanes.models().map((model) => ({
      model,
      under_way: underWay.get(model) ?? 0,
      limit: this.#admission.limitOf(model)?.limit ?? 0,
      queued_rows: this.#lanes.queuedRows(model),
    }));
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
      tenant: live.tenant,
      softDueMs: live.policy.slo === undefined ? undefined : live.incoming.arrivedMs + live.policy.slo.latencyMs,
      returning: live.incoming.returning,
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
    this.#close(live);
    const refusal = outcome === undefined ? cancelled : outcome.ok ? undefined : outcome.refusal;
    this.#admission.release(live.grant, endingOf(live, refusal, nowMs), nowMs);
    this.#record.ended(live, refusal === undefined || this.#isKnown(live.lane.model), refusal, nowMs);
    const { sequence } = live.classified;
    if (sequence?.end === true) this.#affinity.release(sequenceKey(live.lane, sequence.id));
    if (outcome !== undefined) live.done(withTrailers(live, outcome, nowMs));
    this.#live.delete(live);
  }

  /** The batcher did not take it: as if it had never come. */
  #withdraw(live: Live): void {
    // Dropped by the batcher before it returned: it has been answered.
    if (live.over) return;
    this.#close(live);
    this.#admission.giveBack(live.grant, live.incoming.arrivedMs);
    this.#live.delete(live);
  }

  #close(live: Live): void {
    live.over = true;
    this.#deadlines.clear(live);
    this.#bytes.release(live.view.bytes.length);
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
    this.#forgetLimits();
  }

  /** Those of models that are gone, or have no SLO any more. */
  #forgetLimits(): void {
    const before = this.#admission.limitedModels();
    this.#admission.keepModels((model) => policyOf(this.#table, model).slo !== undefined && this.#lanes.latest(model) !== undefined);
    for (const model of before) if (this.#admission.limitOf(model) === undefined) this.#record.unlimited(model);
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
      this.#admission.sweep(this.#clock.nowMs());
      this.#fitLimits();
      this.#sweep();
    }, sweepMs);
  }

  /** What the targets of the models with a limit need to be busy, as far as their times are known. */
  #fitLimits(): void {
    for (const model of this.#admission.limitedModels()) {
      const policy = policyOf(this.#table, model);
      const lane = this.#lanes.latest(model);
      if (lane === undefined) continue;
      const targets = this.router.targets(model, lane.version, policy);
      const limit = this.#admission.limitOf(model);
      if (limit === undefined) continue;
      limit.setTargets(lane.timesOf(targets), lane.maxBatchRows);
      this.#record.modelLimit(model, limit.limit);
    }
  }

  #isKnown(model: string): boolean {
    return this.router.backends.some(({ models }) => models.has(model));
  }
}

function isRefusal(value: object): value is Refusal {
  return 'reason' in value;
}

const spent: Ticket = { cancel: () => false };
const timedOut = refuse('DEADLINE_EXCEEDED', 'the deadline passed before an answer came');
const cancelled = refuse('CANCELLED', 'the client cancelled the call');
