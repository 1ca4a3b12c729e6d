import type { Batch, BatchRequest } from '@headrace/batching';
import { remainingMs } from '@headrace/batching';

interface RunInFlight {
  readonly batch: number;
  readonly predictedMs: number;
  /** When the thread was free for it: posted, or the end of the one before. */
  beganMs: number;
}

/**
 * What each instance was given and has not answered. Mostly one run; a bypass is posted behind the one that goes on and
 * waits in the thread's message queue.
 *
 *   instance 0:   [ batch: 12 ms predicted, began 5 ms ago ][ bypass: 2 ms ]     free in |12 - 5| + 2 = 9 ms
 */
export class RunsInFlight {
  readonly #runs = new Map<string, RunInFlight[]>();

  started({ id, targetId, predictedMs }: Batch<BatchRequest>, nowMs: number): void {
    const run = { batch: id, predictedMs, beganMs: nowMs };
    const runs = this.#runs.get(targetId);
    if (runs === undefined) this.#runs.set(targetId, [run]);
    else runs.push(run);
  }

  ended({ id, targetId }: Batch<BatchRequest>, nowMs: number): void {
    const runs = this.#runs.get(targetId) ?? [];
    const rest = runs.filter(({ batch }) => batch !== id);
    const [next] = rest;
    if (next === undefined) {
      this.#runs.delete(targetId);
      return;
    }
    if (next !== runs[0]) next.beganMs = nowMs;
    this.#runs.set(targetId, rest);
  }

  count(targetId: string): number {
    return this.#runs.get(targetId)?.length ?? 0;
  }

  /** Predicted milliseconds until the instance has run all that it was given; 0 when that is nothing. */
  freeInMs(targetId: string, nowMs: number): number {
    const [running, ...behind] = this.#runs.get(targetId) ?? [];
    if (running === undefined) return 0;
    return behind.reduce((sum, { predictedMs }) => sum + predictedMs, remainingMs(running.predictedMs, nowMs - running.beganMs));
  }
}
