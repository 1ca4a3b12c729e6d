import type { Refusal } from '@headrace/runtime';
import type { WaitEstimate } from './arrival/estimate.js';

/**
 * The vocabulary of the batcher.
 *
 *   submit --> lane (one per LaneKey) --> decide --> run(target, members) --> finished --> next
 *
 * A lane holds requests that may be merged with each other. A target is one model instance somewhere: a worker thread
 * of the inference server, or an instance slot of a backend as the gateway sees it. At most one batch runs and one is
 * staged per target, so that what is urgent never waits behind a queue that nobody here can reorder.
 */

/** model, version, dtypes, non-batch dims, requested outputs and all parameters but priority and timeout. */
export type LaneKey = string;

/**
 * Who shares the model's time with others. The object itself is the identity: a tenant whose policy changes may come as
 * a new object, and is another tenant for what it sends from then on.
 */
export interface Tenant {
  /** Share of the model's time relative to other tenants' while more waits than can be served: 1 is usual, 1/1000 to 1000. */
  readonly weight: number;
}

/** What a stage hands in. The stage extends it with its own payload (bytes, reply function, ...). */
export interface BatchRequest {
  readonly lane: LaneKey;
  /** Cost class: model plus non-batch dims. Requests of one lane share it; several lanes may. */
  readonly shapeClass: string;
  /** First dimension of its inputs; 1 for a model without a batch axis. */
  readonly rows: number;
  /** 1 = highest. */
  readonly band: number;
  /** Clock.nowMs() on arrival. */
  readonly arrivedMs: number;
  /** Clock.nowMs() scale; Infinity for none. */
  readonly deadlineMs: number;
  /**
   * When it should be done, by the model's SLO (arrival + the SLO's latency); absent for none. Orders as a due time and is
   * never a reason to drop: only deadlineMs is.
   */
  readonly softDueMs?: number | undefined;
  /** True: it says that it was refused before and comes at the time it was told; counts only if one was told. */
  readonly returning?: boolean | undefined;
  /** False: never merged with others (model not batchable, sequence, retry of a failed batch, bypass). */
  readonly mergeable: boolean;
  /** High priority that skips the lane and goes to the best target at once, within the model's bypass cap. */
  readonly bypass: boolean;
  /** Only this target may run it (a sequence stays on one backend); undefined for any. */
  readonly pinnedTarget?: string | undefined;
  /** Shares the model's time by its weight; absent: one tenant of weight 1 that all such requests have in common. */
  readonly tenant?: Tenant | undefined;
  /** The batcher's own while the request waits; absent or undefined before and after. It waits in one batcher at a time. */
  place?: object | undefined;
}

/** Immutable view of one instance, made by the runner for each decision. */
export interface TargetSnapshot {
  readonly id: string;
  /** Instances of one class share a cost fit, e.g. "cpu", "cuda:0", or a pod class of the routing table. */
  readonly podClass: string;
  /** Batches handed to it and not finished: 0 idle, 1 running, 2 running and staged. */
  readonly outstanding: number;
  /** How many it may hold at once: 2 (one running, one staged) behind a network, 1 where there is no gap to hide. */
  readonly capacity: number;
  /**
   * Predicted milliseconds until all it holds is done, including network; 0 when idle. A run that is overdue must not
   * read as nearly done, or a hung target looks like the best one: see remainingMs.
   */
  readonly freeInMs: number;
  /** Multiplies predicted times: slow start, ejection probes. 1 = normal. */
  readonly penalty: number;
  /** Round trip to it, ms: what a staged batch must cover so that the target never waits. Absent or 0: in this process. */
  readonly networkMs?: number;
  /** What each batch costs besides the run that is measured (an RPC, a thread hop), ms; added to t(b). Absent: 0. */
  readonly batchOverheadMs?: number;
}

/** Port to what executes; declared here because the batcher consumes it. */
export interface BatchRunner<R extends BatchRequest> {
  /** Healthy targets for the model, in a stable order. A batch given to run() counts as outstanding in the very next call. */
  targets(): readonly TargetSnapshot[];
  /** Starts the batch; must lead to exactly one Batcher.finished for the same run. Never throws. */
  run(batch: Batch<R>): void;
  /** A request that will not be run: expired, cancelled meanwhile, pushed out of a full queue (QUEUE_FULL), or the batcher was closed. */
  drop(request: R, refusal: Refusal): void;
}

export interface Batch<R extends BatchRequest> {
  readonly id: number;
  readonly targetId: string;
  readonly podClass: string;
  readonly shapeClass: string;
  readonly members: readonly R[];
  readonly rows: number;
  /** Predicted run time on this target, ms. */
  readonly predictedMs: number;
}

/** What came of a run, for the cost model. */
export interface RunReport {
  /** Pure execution time as the executor measured it; undefined when unknown (failed, or a foreign server that reports none: then the caller gives its own measure, less queueing). */
  readonly runMs: number | undefined;
  /** Rows that ran together, which can exceed the batch's when the server merged several gateways' batches. */
  readonly ranRows: number;
}

export interface BatchLimits {
  /** Largest sum of rows of one run (max_batch_size). A single request may not exceed it. */
  readonly maxBatchRows: number;
  /**
   * Rows that may wait over all lanes of the model; above it submit refuses with QUEUE_FULL, or drops with it what waits
   * of a tenant that holds more than its share, in favour of one that holds less.
   */
  readonly maxQueuedRows: number;
  /** Lanes that may exist at once (an idle lane is dropped at once). */
  readonly maxLanes: number;
  /** A request that waited this long moves up one band: aging against starvation. */
  readonly agingMs: number;
  /** Bypass's largest share of execution time, 0..1; above it high priority goes to the front of its lane instead. */
  readonly bypassMaxShare: number;
}

/** Prediction of t(b) for one (shape class, pod class). */
export interface CostEstimate {
  /** Milliseconds for b rows; until identified b * t(1), and 0 before the first run. */
  predictMs(rows: number): number;
  /** True once a and k are separately known. */
  readonly identified: boolean;
  readonly overheadMs: number;
  readonly perRowMs: number;
  /** 95th percentile of residuals, ms: safety margin for deadlines. */
  readonly residualMs: number;
}

export interface CostBook {
  estimate(shapeClass: string, podClass: string): CostEstimate;
  observe(shapeClass: string, podClass: string, rows: number, runMs: number): void;
  /** Forgets the class on all pod classes: a new model version, whose times the old ones say nothing about. */
  reset(shapeClass: string): void;
}

export interface LaneStats {
  readonly queuedRequests: number;
  readonly queuedRows: number;
  readonly lanes: number;
  /** Age of the oldest request that waits, ms; 0 when none. */
  readonly oldestMs: number;
}

/** What both stages code against. */
export interface BatcherPort<R extends BatchRequest> {
  /** Undefined when taken; otherwise why not (QUEUE_FULL with retryAfterMs from the real queue, DEADLINE_EXCEEDED, ...). May call runner.run synchronously. */
  submit(request: R): Refusal | undefined;
  /** When such a request would start and end if it came now, ms from now; undefined while unknown. */
  estimate(request: R): WaitEstimate | undefined;
  /** True when it was still waiting and is now gone (no drop call follows); false when it runs or is unknown. */
  cancel(request: R): boolean;
  /** A run ended, well or badly. */
  finished(batch: Batch<R>, report: RunReport): void;
  /** Targets came, went or became idle for reasons the batcher did not cause. */
  targetsChanged(): void;
  stats(): LaneStats;
  setLimits(limits: BatchLimits): void;
  /** Drops all that waits with the refusal and takes nothing more. */
  close(refusal: Refusal): void;
}
