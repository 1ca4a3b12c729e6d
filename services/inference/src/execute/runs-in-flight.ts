import type { Batch, BatchRequest, QueuedRun } from '@headrace/batching';
import { RunQueues } from '@headrace/batching';

/**
 * What each instance was given and has not answered. Mostly one run; a bypass is posted behind the one that goes on and
 * waits in the thread's message queue.
 */
export class RunsInFlight {
  readonly #queues = new RunQueues<QueuedRun>();
  readonly #byBatch = new Map<number, QueuedRun>();

  started({ id, targetId, predictedMs }: Batch<BatchRequest>, nowMs: number): void {
    const run = { predictedMs, beganMs: nowMs };
    this.#byBatch.set(id, run);
    this.#queues.add(targetId, run);
  }

  ended({ id, targetId }: Batch<BatchRequest>, nowMs: number): void {
    const run = this.#byBatch.get(id);
    if (run === undefined) return;
    this.#byBatch.delete(id);
    this.#queues.remove(targetId, run, nowMs);
  }

  count(targetId: string): number {
    return this.#queues.count(targetId);
  }

  freeInMs(targetId: string, nowMs: number): number {
    return this.#queues.freeInMs(targetId, nowMs);
  }
}
