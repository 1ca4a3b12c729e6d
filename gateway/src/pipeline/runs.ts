import type { Batch, CostBook } from '@headrace/batching';
import { refuse } from '@headrace/runtime';
import type { Clock } from '@headrace/runtime';
import type { Channel } from '@headrace/wire';
import type { Admission } from '../admission/admission.js';
import type { ModelLane } from '../batching/model-lane.js';
import { messageOf, repliesOf } from '../batching/run-message.js';
import type { Outcome } from '../domain/infer.js';
import { isBackendFault } from '../execution/retry-policy.js';
import { UpstreamCall } from '../execution/upstream-call.js';
import type { UpstreamResult } from '../execution/upstream-call.js';
import { upstreamMetadata } from '../execution/upstream-metadata.js';
import type { Run } from '../routing/ledger.js';
import type { Router } from '../routing/router.js';
import { backendOfTarget } from '../routing/slot-ids.js';
import type { Attempt, Live } from './live.js';
import type { PipelineRecord } from './record.js';
import type { Retries } from './retries.js';

/** Connections to the backends, by name. */
export interface PipelineBackends {
  channel(backend: string): Channel | undefined;
  /** Something went wrong there: look at it now. */
  suspect(backend: string): void;
}

export interface RunsOptions {
  readonly clock: Clock;
  readonly backends: PipelineBackends;
  readonly router: Router;
  readonly record: PipelineRecord;
  readonly admission: Admission;
  readonly costs: CostBook;
  readonly retries: Retries;
  readonly settle: (live: Live, outcome: Outcome, nowMs: number) => void;
  readonly setDeadline: (live: Live, atMs: number) => void;
  /** A slot that the lane shares with others of its model is free. */
  readonly slotFreed: (lane: ModelLane<Attempt>) => void;
}

/** A run from the batcher's decision to its members' answers. */
export class Runs {
  readonly #options: RunsOptions;
  #backendQueue = 0;

  constructor(options: RunsOptions) {
    this.#options = options;
  }

  /** Wait at the backends by run time there, smoothed: 1 = each waits for as long as it runs. */
  get backendQueue(): number {
    return this.#backendQueue;
  }

  /** 7. Execution: the batcher has formed a run and chosen its slot. */
  start(lane: ModelLane<Attempt>, batch: Batch<Attempt>): void {
    const { backends } = this.#options;
    const startedMs = this.#options.clock.nowMs();
    const backend = backendOfTarget(batch.targetId);
    const run = this.#options.router.ledger.start({
      targetId: batch.targetId,
      backend,
      model: lane.model,
      predictedMs: batch.predictedMs,
      startedMs,
    });
    this.#options.record.runStarted(lane.model, batch.rows);
    let deadlineMs = startedMs;
    for (const { live } of batch.members) {
      deadlineMs = Math.max(deadlineMs, live.classified.answerByMs);
      this.#options.record.waited(lane.model, startedMs - live.incoming.arrivedMs);
      this.#options.setDeadline(live, live.classified.answerByMs);
      live.startedMs = startedMs;
      live.batchRows = batch.rows;
      live.backend = backend;
    }
    const channel = backends.channel(backend);
    const message = this.#messageOf(batch);
    if (channel === undefined || message === undefined) {
      const lost = channel === undefined;
      const refusal = lost
        ? refuse('BACKEND_LOST', `backend ${backend} left the table`)
        : refuse('INTERNAL', 'the batch could not be formed');
      this.#options.clock.setTimer(() => this.#ended(lane, batch, run, { kind: 'failed', refusal, lost }), 0);
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
      this.#options.record.unformed(error, batch.members.length);
      return undefined;
    }
  }

  /** 8. The run ended: tell router and cost model, then answer, split or try again. */
  #ended(lane: ModelLane<Attempt>, batch: Batch<Attempt>, run: Run, result: UpstreamResult): void {
    this.#conclude(lane, batch, run, result);
    this.#options.slotFreed(lane);
  }

  #conclude(lane: ModelLane<Attempt>, batch: Batch<Attempt>, run: Run, result: UpstreamResult): void {
    const nowMs = this.#options.clock.nowMs();
    switch (result.kind) {
      case 'answered': {
        const reported = result.runMs === undefined ? undefined : result.runMs + result.queueMs;
        this.#options.router.finish(run, 'ok', nowMs, reported);
        this.#options.record.runAnswered(lane.model, run.backend, nowMs - run.startedMs);
        if (result.runMs !== undefined) this.#backendQueue += (result.queueMs / Math.max(result.runMs, 0.1) - this.#backendQueue) / 64;
        // A foreign server reports nothing: our own measure, from when the slot was free for it.
        const runMs = result.runMs ?? nowMs - run.beganMs;
        const replies = repliesOf(batch, result.response);
        const ranRows = result.ranRows ?? batch.rows;
        lane.batcher.finished(batch, { runMs, ranRows });
        this.#learn(lane, batch, ranRows, runMs);
        for (const { live } of batch.members) {
          live.answeredMs = nowMs;
          live.serviceMs = runMs;
        }
        if (replies.ok)
          batch.members.forEach(({ live }, i) => this.#options.settle(live, { ok: true, message: replies.messages[i] ?? empty }, nowMs));
        else this.#options.retries.unsplittable(lane, batch, replies.message);
        return;
      }
      case 'failed': {
        this.#options.router.finish(run, isBackendFault(result.refusal.code, result.lost) ? 'backendFault' : 'requestFault', nowMs);
        if (result.lost || result.refusal.code === refusalUnavailable) this.#options.backends.suspect(run.backend);
        // 9. Again, where that is safe: queued before the batcher decides anew, so that retries go first.
        this.#options.retries.failed(batch, run, result.refusal, result.lost, nowMs);
        lane.batcher.finished(batch, { runMs: undefined, ranRows: batch.rows });
        return;
      }
      case 'abandoned':
        this.#options.router.finish(run, 'abandoned', nowMs);
        lane.batcher.finished(batch, { runMs: undefined, ranRows: batch.rows });
    }
  }

  #learn(lane: ModelLane<Attempt>, batch: Batch<Attempt>, ranRows: number, runMs: number): void {
    if (!this.#options.admission.learns(lane.model, lane.revision)) return;
    const fit = this.#options.costs.estimate(batch.shapeClass, batch.podClass);
    this.#options.admission.observeRun(lane.model, lane.revision, ranRows, runMs, fit);
  }
}

const empty = Buffer.alloc(0);
/** A run always has a member; the type does not know. */
const nobody = { requestId: '', traceparent: undefined, tracestate: undefined };
const refusalUnavailable = refuse('BACKEND_LOST', '').code;
