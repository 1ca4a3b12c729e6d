import type { BatchRequest } from '@headrace/batching';
import type { Refusal, Timer } from '@headrace/runtime';
import type { CheckedTensor } from '../tensors/check-request.js';
import type { TensorPart } from '../tensors/scatter.js';

/** What came of one request. Parts are in the order of `outputs` and are views: to be written out before the next wait. */
export type InferOutcome =
  | {
      readonly ok: true;
      readonly parts: readonly TensorPart[];
      /** Of the run that served it. */
      readonly runMs: number;
      readonly ranRows: number;
      /** From arrival to outcome less the run: queueMs + that run never exceed the request's total. */
      readonly queueMs: number;
    }
  | { readonly ok: false; readonly refusal: Refusal };

/** A request on its way through one model version. */
export interface PendingInfer extends BatchRequest {
  /** Views of the borrowed message until `own` is called; replaced by copies then. */
  tensors: readonly CheckedTensor[];
  /** Indices into the signature's outputs; the same for all members of a batch, as they are part of the lane. */
  readonly outputs: readonly number[];
  /** The run must start before this (Clock.nowMs() scale): the `timeout` parameter. */
  readonly startByMs: number;
  /** Called exactly once unless the request was cancelled. */
  done(outcome: InferOutcome): void;
  state: 'waiting' | 'running' | 'done';
  startByTimer: Timer | undefined;
}

/** Copies what is held beyond the message's life. */
export function own(request: PendingInfer): void {
  request.tensors = request.tensors.map((tensor) => ({ shape: tensor.shape, data: Buffer.from(tensor.data) }));
}
