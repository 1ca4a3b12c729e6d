import type { Batch } from '@headrace/batching';
import { refuse } from '@headrace/runtime';
import type { Refusal } from '@headrace/runtime';
import type { ModelLane } from '../batching/model-lane.js';
import type { RetryBudget } from '../execution/retry-budget.js';
import { decideRetry } from '../execution/retry-policy.js';
import type { Run } from '../routing/ledger.js';
import { pickTarget } from '../routing/pick.js';
import type { Router } from '../routing/router.js';
import { backendOfTarget } from '../routing/slot-ids.js';
import type { Attempt, Live } from './live.js';
import type { PipelineRecord } from './record.js';

export interface RetriesOptions {
  readonly router: Router;
  readonly budget: RetryBudget;
  readonly record: PipelineRecord;
  /** Into the batcher once more; the refusal when it does not take it. */
  readonly enter: (live: Live, pinnedTarget: string | undefined, mergeable: boolean) => Refusal | undefined;
  /** No more attempts. */
  readonly fail: (live: Live, refusal: Refusal) => void;
}

/** A request has so many attempts at most: the first, one elsewhere, and one alone. */
const maxAttempts = 3;

/** What becomes of a batch that failed: again where that is safe, else its members are told. */
export class Retries {
  readonly #options: RetriesOptions;

  constructor(options: RetriesOptions) {
    this.#options = options;
  }

  failed(batch: Batch<Attempt>, run: Run, refusal: Refusal, lost: boolean, nowMs: number): void {
    const waiting = batch.members.map(({ live }) => live).filter((live) => !live.over);
    const [first] = waiting;
    if (first === undefined) return;
    const decision = decideRetry({ members: batch.members.length, code: refusal.code, lost, idempotent: first.policy.idempotent });
    for (const live of waiting) {
      const again =
        decision === 'fail'
          ? refusal
          : decision === 'itemByItem'
            ? this.#again(live, undefined, false, 'alone')
            : this.#elsewhere(live, run.backend, refusal, nowMs);
      if (again !== undefined) this.#options.fail(live, again);
    }
  }

  /** The reply of a batch does not fall apart by rows: batching of this model is over, and each member runs alone where that is safe. */
  unsplittable(lane: ModelLane<Attempt>, batch: Batch<Attempt>, problem: string): void {
    const { record, fail } = this.#options;
    record.unsplittable(lane.model, lane.version, problem, lane.stopMerging());
    const refusal = refuse('BACKEND_PROTOCOL', `the reply to a batch cannot be split by rows: ${problem}`);
    for (const { live } of batch.members) {
      if (live.over) continue;
      const again = live.policy.idempotent ? this.#again(live, undefined, false, 'alone') : refusal;
      if (again !== undefined) fail(live, again);
    }
  }

  /** Undefined when it is under way again; else what to tell. */
  #elsewhere(live: Live, failedBackend: string, refusal: Refusal, nowMs: number): Refusal | undefined {
    const { router, budget, record } = this.#options;
    // A sequence's state is where it is; everything else may go once more.
    if (live.attempts >= 2 || live.classified.sequence !== undefined) return refusal;
    const targets = router.targets(live.lane.model, live.lane.version, live.policy);
    const others = targets.filter(({ id }) => backendOfTarget(id) !== failedBackend);
    const best = pickTarget(others, (podClass) => live.lane.predictMs(live.shape, podClass));
    if (best === undefined) return refusal;
    if (!budget.tryRetry(nowMs)) {
      record.retryDenied(live.lane.model);
      return refusal;
    }
    // Once the failed one is out, the batcher chooses among the others itself, and may merge.
    const pinned = others.length === targets.length ? undefined : best.id;
    return this.#again(live, pinned, live.shape.mergeable, 'elsewhere');
  }

  #again(live: Live, pinnedTarget: string | undefined, mergeable: boolean, kind: 'elsewhere' | 'alone'): Refusal | undefined {
    if (live.attempts >= maxAttempts) return refuse('EXECUTION_FAILED', 'the request failed again and again');
    const refused = this.#options.enter(live, pinnedTarget ?? live.attempt?.pinnedTarget, mergeable);
    if (refused === undefined) this.#options.record.retried(live.lane.model, kind);
    return refused;
  }
}
