import { Batcher, laneKey, rowsOf, shapeClass } from '@headrace/batching';
import type { BatchLimits, BatchRunner, CostBook, CostEstimate, Defer } from '@headrace/batching';
import type { InferRequestView, RequestForm } from '@headrace/proto';
import type { Clock } from '@headrace/runtime';
import type { BackendView } from '../domain/backend-view.js';
import type { ModelPolicy } from '../domain/gateway-table.js';
import { commonSignature, maxBatchRowsOf } from './batchability.js';
import type { Job, JobShape } from './job.js';
import { MergeCheck } from './merge-check.js';

export interface ModelLaneOptions<J extends Job> {
  readonly model: string;
  /** As requested; "" leaves it to the backends. */
  readonly version: string;
  readonly clock: Clock;
  readonly costs: CostBook;
  readonly defer?: Defer;
  readonly runner: BatchRunner<J>;
  readonly onBypass?: ((spentMs: number) => void) | undefined;
}

/**
 * The batcher of one model and requested version, with what decides whether its requests may share a run. Versions are
 * apart because they may live on different backends.
 */
export class ModelLane<J extends Job> {
  readonly model: string;
  readonly version: string;
  readonly batcher: Batcher<J>;
  readonly #costs: CostBook;
  #maxBatchRows = 0;
  /** Undefined while backends disagree on the model's metadata, or none tells it: nothing is merged then. */
  #mergeCheck: MergeCheck | undefined;
  #identity = '';
  #unbatchable = false;
  #revision = '';
  #lastShapeClass = '';
  /** Of requests of a form; made anew with whatever they were worked out from. */
  #shapes = new WeakMap<RequestForm, JobShape>();

  constructor(options: ModelLaneOptions<J>, backends: readonly BackendView[], policy: ModelPolicy) {
    this.model = options.model;
    this.version = options.version;
    this.#costs = options.costs;
    this.batcher = new Batcher({ ...options, limits: limitsOf(policy, 0) });
    this.refresh(backends, policy);
  }

  /** The version that answers, or those that may where the request leaves it open. */
  get revision(): string {
    return this.#revision;
  }

  get maxBatchRows(): number {
    return this.#maxBatchRows;
  }

  /** Backends or the table changed. */
  refresh(backends: readonly BackendView[], policy: ModelPolicy): void {
    const signature = commonSignature(this.model, backends, policy);
    const versions = backends.map((backend) => [backend.name, backend.models.get(this.model)?.readyVersions ?? []] as const);
    const identity = JSON.stringify([signature, versions, policy.batching]);
    if (identity === this.#identity) return;
    this.#identity = identity;
    this.#mergeCheck = signature === undefined ? undefined : new MergeCheck(signature);
    // A new version or setting deserves a new trial.
    this.#unbatchable = false;
    this.#shapes = new WeakMap();
    this.#revision = this.version || [...new Set(versions.flatMap(([, ready]) => ready ?? []))].toSorted().join();
    this.#maxBatchRows = maxBatchRowsOf(this.model, backends, policy);
    this.batcher.setLimits(limitsOf(policy, this.#maxBatchRows));
  }

  /** Batching gave a reply that cannot be split by rows: from now on every request runs alone. False when that was so already. */
  stopMerging(): boolean {
    const first = !this.#unbatchable;
    this.#unbatchable = true;
    this.#shapes = new WeakMap();
    return first;
  }

  /** How the request goes through the batcher. A request of a sequence, or one larger than a batch, goes alone. */
  shapeOf(view: InferRequestView, inSequence: boolean): JobShape {
    const known = view.form === undefined ? undefined : this.#shapes.get(view.form);
    if (known !== undefined) {
      this.#lastShapeClass = known.shapeClass;
      return known;
    }
    const shape = this.#shapeOf(view, inSequence);
    this.#lastShapeClass = shape.shapeClass;
    // Whether a request is in a sequence is a parameter, and so part of its form; the lengths of its texts are not.
    if (view.form !== undefined && !view.inputs.some(({ datatype }) => datatype === 'BYTES')) this.#shapes.set(view.form, shape);
    return shape;
  }

  #shapeOf(view: InferRequestView, inSequence: boolean): JobShape {
    const counted = rowsOf(view);
    const max = this.#maxBatchRows;
    const rows = max > 0 && counted.ok ? Math.min(Math.max(counted.rows, 1), max) : 1;
    const fits = max > 0 && counted.ok && counted.rows >= 1 && counted.rows <= max;
    const mayMerge = fits && !inSequence && !this.#unbatchable;
    const mergeable = mayMerge && this.#mergeCheck !== undefined && this.#mergeCheck.whyNotMergeable(view) === undefined;
    return { lane: laneKey(view, this.version), shapeClass: shapeClass(view), rows, mergeable };
  }

  /** t(b) of each target for requests like the latest; those whose terms are not separately known are left out. */
  timesOf(targets: readonly { readonly podClass: string }[]): readonly CostEstimate[] {
    return targets.map(({ podClass }) => this.#costs.estimate(this.#lastShapeClass, podClass)).filter(({ identified }) => identified);
  }

  predictMs(shape: Pick<JobShape, 'shapeClass' | 'rows'>, podClass: string): number {
    return this.#costs.estimate(shape.shapeClass, podClass).predictMs(shape.rows);
  }
}

function limitsOf(policy: ModelPolicy, maxBatchRows: number): BatchLimits {
  return {
    maxBatchRows,
    maxQueuedRows: policy.batching.maxQueuedRows,
    maxLanes: policy.batching.maxLanes,
    agingMs: policy.batching.agingMs,
    bypassMaxShare: policy.priority.bypassMaxShare,
  };
}
