import { remainingMs } from '@headrace/batching';
import type { QueuedRun } from '@headrace/batching';

/**
 * What one slot was given and has not answered, in order. RunQueues (services/batching) for a slot that may hold many: a proxy that
 * never batches has 128 runs on one slot as easily as 2, and asks two or three times a request when it will be free.
 *
 *   slot:       [ running: 12 ms predicted, began 5 ms ago ][ next: 20 ms ][ 20 ms ]
 *   free in     = |12 - 5| + behindMs, and behindMs = 20 + 20 is kept, not added up
 */
export class SlotQueue {
  readonly #runs: QueuedRun[] = [];
  /** Predictions of all but the first. */
  #behindMs = 0;

  get count(): number {
    return this.#runs.length;
  }

  add(run: QueuedRun): void {
    if (this.#runs.length > 0) this.#behindMs += run.predictedMs;
    this.#runs.push(run);
  }

  /** The run after it begins now, if it was the one that ran. */
  remove(run: QueuedRun, nowMs: number): void {
    const runs = this.#runs;
    const at = runs.indexOf(run);
    if (at < 0) return;
    // Mostly the first, and V8 moves nothing for it.
    if (at === 0) runs.shift();
    else runs.splice(at, 1);
    const [next] = runs;
    // Whatever rounding left is gone with the last one behind.
    if (runs.length < 2) this.#behindMs = 0;
    else this.#behindMs -= at === 0 ? (next?.predictedMs ?? 0) : run.predictedMs;
    if (at === 0 && next !== undefined) next.beganMs = nowMs;
  }

  /** Predicted milliseconds until all that it holds is done; 0 when that is nothing. What is left of a run that is late: see remainingMs. */
  freeInMs(nowMs: number): number {
    const [first] = this.#runs;
    return first === undefined ? 0 : remainingMs(first.predictedMs, nowMs - first.beganMs) + this.#behindMs;
  }
}
