import { remainingMs } from './remaining.js';

export interface QueuedRun {
  readonly predictedMs: number;
  /** When the target was free for it: handed over, or the end of the run before it. */
  beganMs: number;
}

/**
 * What each target was given and has not answered, in order: for TargetSnapshot.outstanding and freeInMs.
 *
 *   target:     [ running: 12 ms predicted, began 5 ms ago ][ next: 20 ms ]
 *   free in     = |12 - 5| + 20 = 27 ms
 */
export class RunQueues<R extends QueuedRun> {
  readonly #queues = new Map<string, R[]>();

  add(targetId: string, run: R): void {
    const queue = this.#queues.get(targetId);
    if (queue === undefined) this.#queues.set(targetId, [run]);
    else queue.push(run);
  }

  /** The run after it begins now, if it was the one that ran. */
  remove(targetId: string, run: R, nowMs: number): void {
    const queue = this.#queues.get(targetId);
    const at = queue?.indexOf(run) ?? -1;
    if (queue === undefined || at < 0) return;
    queue.splice(at, 1);
    const [next] = queue;
    if (next === undefined) this.#queues.delete(targetId);
    else if (at === 0) next.beganMs = nowMs;
  }

  count(targetId: string): number {
    return this.#queues.get(targetId)?.length ?? 0;
  }

  /** Predicted milliseconds until the target has done all that it holds; 0 when that is nothing. What is left of a run that is late: see remainingMs. */
  freeInMs(targetId: string, nowMs: number): number {
    let totalMs = 0;
    let first = true;
    for (const run of this.#queues.get(targetId) ?? []) {
      totalMs += first ? remainingMs(run.predictedMs, nowMs - run.beganMs) : run.predictedMs;
      first = false;
    }
    return totalMs;
  }
}
