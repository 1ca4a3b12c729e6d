import type { Charge } from './lane/charges.js';
import type { Batch, BatchRequest, TargetSnapshot } from './types.js';

/**
 * A run under way with what its batcher keeps of it until it ends: in the batch itself, as a Map of runs would be made anew every few
 * dozen of them and keep the ended ones alive (docs/design/0006).
 */
export class StartedBatch<R extends BatchRequest> implements Batch<R> {
  readonly id: number;
  readonly targetId: string;
  readonly podClass: string;
  readonly shapeClass: string;
  readonly members: readonly R[];
  readonly rows: number;
  readonly predictedMs: number;
  readonly bypass: boolean;
  readonly charge: Charge;
  /** Undefined: it has ended. */
  #batcher: object | undefined;

  constructor(
    batcher: object,
    id: number,
    target: TargetSnapshot,
    shapeClass: string,
    members: readonly R[],
    rows: number,
    predictedMs: number,
    bypass: boolean,
    charge: Charge,
  ) {
    this.#batcher = batcher;
    this.id = id;
    this.targetId = target.id;
    this.podClass = target.podClass;
    this.shapeClass = shapeClass;
    this.members = members;
    this.rows = rows;
    this.predictedMs = predictedMs;
    this.bypass = bypass;
    this.charge = charge;
  }

  /** True once, for the batcher that started it. */
  end(batcher: object): boolean {
    if (this.#batcher !== batcher) return false;
    this.#batcher = undefined;
    return true;
  }
}

/** Batchers make no others; a batch that somebody else put together was started by none. */
export function isStarted<R extends BatchRequest>(batch: Batch<R>): batch is StartedBatch<R> {
  return batch instanceof StartedBatch;
}
