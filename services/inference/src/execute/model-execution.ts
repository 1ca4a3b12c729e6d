import type { Batch, BatchLimits, BatchRunner, CostBook, Defer, TargetSnapshot } from '@headrace/batching';
import { Batcher } from '@headrace/batching';
import type { Clock, Logger, Refusal } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';
import type { BatchingSettings } from '../config/settings.js';
import type { ModelInstance } from '../instance/instance.js';
import type { RanSession } from '../instance/protocol.js';
import type { RunOutcome } from '../instance/worker-thread.js';
import type { ModelMetrics } from '../metrics.js';
import type { ModelStatistics } from '../statistics/model-statistics.js';
import type { BufferPool } from '../tensors/buffer-pool.js';
import { gather, ungather } from '../tensors/gather.js';
import { scatter } from '../tensors/scatter.js';
import type { ModelSignature } from '../tensors/signature.js';
import type { InferOutcome, PendingInfer } from './pending.js';
import { own } from './pending.js';
import { RunsInFlight } from './runs-in-flight.js';

/** What a hop to the worker thread and back costs besides the run (measured 50-90 us). */
const threadHopMs = 0.07;

export interface ModelExecutionOptions {
  readonly model: string;
  readonly version: number;
  readonly signature: ModelSignature;
  readonly instances: readonly ModelInstance[];
  readonly batching: BatchingSettings;
  /** False: requests are never merged, whatever maxBatchSize says. */
  readonly mayMerge: boolean;
  readonly costs: CostBook;
  /** When the batcher decides; see Defer. Absent: at once. */
  readonly defer?: Defer;
  readonly pool: BufferPool;
  readonly statistics: ModelStatistics;
  readonly metrics: ModelMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Merging stopped at run time, because an output cannot be cut into rows. */
  readonly onMergeStopped: (reason: string) => void;
}

/**
 * The queue and the instances of one loaded model version.
 *
 *     submit --> batcher --> run: gather --> instance --> scatter --> done (each member)
 *                                              | failed, several members: each again alone, on the same instance
 */
export class ModelExecution implements BatchRunner<PendingInfer> {
  readonly #options: ModelExecutionOptions;
  readonly #batcher: Batcher<PendingInfer>;
  readonly #running = new RunsInFlight();
  readonly #emptied: (() => void)[] = [];
  readonly #sharesThreads: boolean;
  #inFlight = 0;
  #mayMerge: boolean;

  constructor(options: ModelExecutionOptions) {
    this.#options = options;
    this.#mayMerge = options.mayMerge;
    this.#sharesThreads = options.instances.some((instance) => instance.lease.kind === 'shared');
    const { clock, costs, defer } = options;
    this.#batcher = new Batcher({
      clock,
      runner: this,
      costs,
      limits: limitsOf(options.batching),
      ...(defer === undefined ? {} : { defer: (decide) => defer(() => this.#decided(decide)) }),
    });
    for (const instance of options.instances) instance.onLost(() => this.#batcher.targetsChanged());
  }

  get mayMerge(): boolean {
    return this.#mayMerge;
  }

  /** Requests accepted and not answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Undefined when taken; its `done` is called later, or never after a cancel. */
  submit(request: PendingInfer): Refusal | undefined {
    const refusal = this.#batcher.submit(request);
    if (refusal !== undefined) return refusal;
    this.#inFlight++;
    // Not started within the call: what it refers to is only borrowed.
    if (request.state === 'waiting') {
      own(request);
      this.#expireLater(request);
    }
    this.#afterChange();
    return undefined;
  }

  /** The caller no longer wants it: it leaves the queue; a run that has begun goes on and its result is dropped. */
  cancel(request: PendingInfer): void {
    if (request.state === 'done') return;
    const waited = request.state === 'waiting' && this.#batcher.cancel(request);
    const running = request.state === 'running';
    request.state = 'done';
    request.startByTimer?.cancel();
    if (waited || running) this.#left();
  }

  /** Resolves when nothing is in flight. New requests must already go elsewhere. */
  drained(): Promise<void> {
    return this.#inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#emptied.push(resolve));
  }

  close(refusal: Refusal): void {
    this.#batcher.close(refusal);
    for (const instance of this.#options.instances) instance.lease.turns.leave(this);
  }

  // --- BatchRunner

  targets(): readonly TargetSnapshot[] {
    const nowMs = this.#options.clock.nowMs();
    return this.#options.instances
      .filter((instance) => !instance.lost)
      .map((instance) => {
        const runs = this.#running.count(instance.id);
        return {
          id: instance.id,
          podClass: instance.provider === 'cpu' ? 'cpu' : `${instance.provider}:${instance.deviceId}`,
          outstanding: runs > 0 ? runs : instance.busy ? 1 : 0,
          capacity: 1,
          // Busy without a run of ours: a neighbour on a shared thread. Its end is not known here.
          freeInMs: runs > 0 ? this.#running.freeInMs(instance.id, nowMs) : instance.busy ? 1 : 0,
          penalty: 1,
          batchOverheadMs: threadHopMs,
        };
      });
  }

  run(batch: Batch<PendingInfer>): void {
    const { clock, pool } = this.#options;
    const nowMs = clock.nowMs();
    this.#running.started(batch, nowMs);
    // 1. Re-check: who left or ran out of time between the decision and here takes no part.
    const members = batch.members.filter((member) => this.#stillWanted(member, nowMs));
    const instance = this.#options.instances.find((candidate) => candidate.id === batch.targetId);
    if (members.length === 0 || instance === undefined) {
      for (const member of members) this.#finish(member, failure('INTERNAL', `instance ${batch.targetId} does not exist`));
      queueMicrotask(() => this.#runEnded(batch, instance, undefined, 0));
      return;
    }
    // 2. Copy the members' rows into buffers that go to the thread.
    for (const member of members) {
      member.state = 'running';
      member.startByTimer?.cancel();
    }
    if (!this.#mayMerge && members.length > 1) {
      // Queued as mergeable before merging was switched off.
      for (const member of members) own(member);
      return this.#runEach(batch, instance, members, 0, []);
    }
    const outputs = members[0]?.outputs ?? [];
    instance.run(gather(members, pool), outputs, (outcome) => {
      // 3. Answer each member, 4. tell the batcher.
      if (outcome.ok && this.#answer(members, outcome)) return this.#runEnded(batch, instance, outcome.runNs / 1e6, sumRows(members));
      this.#runFailed(batch, instance, members, outcome);
    });
  }

  drop(request: PendingInfer, refusal: Refusal): void {
    this.#finish(request, { ok: false, refusal });
  }

  // --- the end of a run

  /** False when several members' outputs cannot be told apart. */
  #answer(members: readonly PendingInfer[], outcome: RanSession): boolean {
    const { pool, signature, statistics, metrics, clock } = this.#options;
    const outcomeMs = clock.nowMs();
    const declared = (members[0]?.outputs ?? []).map((index) => signature.outputs[index]).filter((output) => output !== undefined);
    const cut = scatter(
      outcome.outputs,
      declared,
      members.map((member) => member.rows),
    );
    if (!cut.ok) {
      this.#stopMerging(cut.message);
      return false;
    }
    for (const buffer of outcome.inputs) pool.release(buffer);
    const rows = sumRows(members);
    statistics.ran(rows, members.length, outcome, clock.wallMs());
    metrics.ran(rows, outcome.runNs);
    members.forEach((member, index) => {
      const parts = cut.parts[index] ?? [];
      this.#finish(
        member,
        { ok: true, parts, runMs: outcome.runNs / 1e6, ranRows: rows, queueMs: waitedMs(member, outcome, outcomeMs) },
        outcomeMs,
      );
    });
    return true;
  }

  /** One bad request must hurt only itself: the members of a failed batch run again one by one. */
  #runFailed(batch: Batch<PendingInfer>, instance: ModelInstance, members: readonly PendingInfer[], outcome: RunOutcome): void {
    const { pool, logger, model, version } = this.#options;
    const message = outcome.ok ? 'its output cannot be cut into rows' : outcome.message;
    if (!outcome.ok && outcome.lost) {
      logger.error({ model, version, instance: instance.id, reason: message }, 'a model instance was lost in a run');
      for (const member of members) this.#finish(member, failure('BACKEND_LOST', `the model instance was lost in the run: ${message}`));
      return this.#runEnded(batch, instance, undefined, 0);
    }
    const only = members.length === 1 ? members[0] : undefined;
    if (only !== undefined) {
      for (const buffer of outcome.inputs) pool.release(buffer);
      this.#finish(only, failure('EXECUTION_FAILED', `model ${JSON.stringify(model)} version ${version} failed: ${message}`));
      return this.#runEnded(batch, instance, undefined, 0);
    }
    logger.warn({ model, version, members: members.length, reason: message }, 'a batch failed and is run again item by item');
    const parts = ungather(members, outcome.inputs);
    members.forEach((member, index) => (member.tensors = parts[index] ?? []));
    this.#runEach(batch, instance, members, 0, outcome.inputs);
  }

  #runEach(
    batch: Batch<PendingInfer>,
    instance: ModelInstance,
    members: readonly PendingInfer[],
    index: number,
    held: readonly ArrayBuffer[],
  ): void {
    const { pool, clock } = this.#options;
    const member = members[index];
    if (member === undefined) {
      for (const buffer of held) pool.release(buffer);
      return this.#runEnded(batch, instance, undefined, 0);
    }
    const next = (): void => this.#runEach(batch, instance, members, index + 1, held);
    if (member.state !== 'running' || member.deadlineMs <= clock.nowMs()) {
      this.#finish(member, failure('DEADLINE_EXCEEDED', 'the deadline passed before the request was run again alone'));
      return next();
    }
    instance.run(gather([member], pool), member.outputs, (outcome) => {
      if (outcome.ok) this.#answer([member], outcome);
      else if (outcome.lost) this.#finish(member, failure('BACKEND_LOST', `the model instance was lost in the run: ${outcome.message}`));
      else {
        for (const buffer of outcome.inputs) pool.release(buffer);
        this.#finish(
          member,
          failure(
            'EXECUTION_FAILED',
            `model ${JSON.stringify(this.#options.model)} version ${this.#options.version} failed: ${outcome.message}`,
          ),
        );
      }
      next();
    });
  }

  #runEnded(batch: Batch<PendingInfer>, instance: ModelInstance | undefined, runMs: number | undefined, ranRows: number): void {
    this.#running.ended(batch, this.#options.clock.nowMs());
    // Neighbours on a shared thread that wait for it go first.
    if (this.#sharesThreads) instance?.lease.turns.offer(this);
    this.#batcher.finished(batch, { runMs, ranRows });
    this.#afterChange();
  }

  #afterChange(): void {
    const { metrics } = this.#options;
    metrics.queued(this.#batcher.queuedRows);
    if (!this.#sharesThreads || this.#batcher.queuedRequests === 0) return;
    for (const { lease } of this.#options.instances) {
      if (lease.turns.busy) lease.turns.wait(this, () => this.#wake());
    }
  }

  #wake(): void {
    this.#decided(() => this.#batcher.targetsChanged());
  }

  /** A decision that found the shared thread taken leaves work that must ask for a turn, or nothing would wake it. */
  #decided(decide: () => void): void {
    decide();
    this.#afterChange();
  }

  #stopMerging(reason: string): void {
    const { logger, model, version, onMergeStopped } = this.#options;
    if (!this.#mayMerge) return;
    this.#mayMerge = false;
    logger.error({ model, version, reason }, 'batching is switched off for this model: an output cannot be cut into rows');
    onMergeStopped(reason);
  }

  #stillWanted(member: PendingInfer, nowMs: number): boolean {
    if (member.state !== 'waiting') return false;
    if (member.startByMs > nowMs && member.deadlineMs > nowMs) return true;
    this.#finish(member, expired(member, nowMs));
    return false;
  }

  #expireLater(request: PendingInfer): void {
    if (request.startByMs === Infinity) return;
    const { clock } = this.#options;
    request.startByTimer = clock.setTimer(() => {
      if (request.state === 'waiting' && this.#batcher.cancel(request)) this.#finish(request, expired(request, clock.nowMs()));
    }, request.startByMs - clock.nowMs());
  }

  #finish(request: PendingInfer, outcome: InferOutcome, nowMs = this.#options.clock.nowMs()): void {
    if (request.state === 'done') return;
    request.state = 'done';
    request.startByTimer?.cancel();
    const { statistics, metrics } = this.#options;
    const totalMs = nowMs - request.arrivedMs;
    if (outcome.ok) statistics.succeeded(totalMs, outcome.queueMs);
    else statistics.failed(totalMs);
    metrics.answered(outcome.ok ? 'OK' : outcome.refusal.reason, totalMs, outcome.ok ? outcome.queueMs : undefined);
    request.done(outcome);
    this.#left();
  }

  #left(): void {
    if (--this.#inFlight > 0) return;
    for (const resolve of this.#emptied.splice(0)) resolve();
  }
}

function limitsOf(batching: BatchingSettings): BatchLimits {
  return {
    maxBatchRows: Math.max(1, batching.maxBatchSize),
    maxQueuedRows: batching.maxQueuedRows,
    maxLanes: batching.maxLanes,
    agingMs: batching.agingMs,
    bypassMaxShare: batching.bypassMaxShare,
  };
}

function sumRows(members: readonly PendingInfer[]): number {
  return members.reduce((sum, member) => sum + member.rows, 0);
}

/**
 * All between arrival and outcome that is not the run that served the request: the lane, the thread's message queue behind
 * a run that goes on, the hop there and back, and for a member of a failed batch that run and those of the members before
 * it. The worker tells durations only, because clocks of two threads are not compared.
 */
function waitedMs(member: PendingInfer, { inputNs, runNs, outputNs }: RanSession, outcomeMs: number): number {
  return Math.max(0, outcomeMs - member.arrivedMs - (inputNs + runNs + outputNs) / 1e6);
}

function failure(reason: 'INTERNAL' | 'BACKEND_LOST' | 'EXECUTION_FAILED' | 'DEADLINE_EXCEEDED', message: string): InferOutcome {
  return { ok: false, refusal: refuse(reason, message) };
}

function expired(request: PendingInfer, nowMs: number): InferOutcome {
  const waitedMs = (nowMs - request.arrivedMs).toFixed(1);
  const limit = request.startByMs <= nowMs ? 'parameter timeout' : 'the deadline';
  return failure('DEADLINE_EXCEEDED', `${limit} passed before the run could start: waited ${waitedMs} ms`);
}
