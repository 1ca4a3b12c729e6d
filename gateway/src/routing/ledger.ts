import { RunQueues } from '@headrace/batching';
import type { QueuedRun } from '@headrace/batching';
import type { RunWatch, SlotRun } from '../domain/slot-turns.js';

/** Outstanding work by instance slot (backend, model, i), the "expected completion" half of the router's score. */
export interface Run extends QueuedRun, SlotRun {
  /** What the slot still had before it when it was handed over, plus its own prediction; 0 without a prediction. */
  readonly expectedMs: number;
}

export class Ledger {
  readonly #slots = new RunQueues<Run>();
  readonly #backends = new Map<string, Set<Run>>();
  readonly #watch: RunWatch | undefined;

  /** `watch` hears of the runs that start here, not of those that siblings told of. */
  constructor(watch?: RunWatch) {
    this.#watch = watch;
    watch?.attachRuns(this);
  }

  start(run: SlotRun): Run {
    const entry = this.enter(run);
    this.#watch?.started(entry);
    return entry;
  }

  /** A run that a sibling handed over: it is in the way as much as an own one. */
  enter(run: SlotRun): Run {
    const expectedMs = run.predictedMs <= 0 ? 0 : this.freeInMs(run.targetId, run.startedMs) + run.predictedMs;
    const entry: Run = { ...run, expectedMs, beganMs: run.startedMs };
    this.#slots.add(run.targetId, entry);
    const all = this.#backends.get(run.backend);
    if (all === undefined) this.#backends.set(run.backend, new Set([entry]));
    else all.add(entry);
    return entry;
  }

  finish(run: Run, nowMs: number): void {
    this.leave(run, nowMs);
    this.#watch?.ended(run);
  }

  /** The end of a run that was entered. */
  leave(run: Run, nowMs: number): void {
    this.#slots.remove(run.targetId, run, nowMs);
    const all = this.#backends.get(run.backend);
    all?.delete(run);
    if (all?.size === 0) this.#backends.delete(run.backend);
  }

  outstanding(targetId: string): number {
    return this.#slots.count(targetId);
  }

  /** Predicted milliseconds until the slot has done all it holds. */
  freeInMs(targetId: string, nowMs: number): number {
    return this.#slots.freeInMs(targetId, nowMs);
  }

  runsOf(backend: string): Iterable<Run> {
    return this.#backends.get(backend) ?? [];
  }

  /** Slots of other models on the backend that are busy now: they share its processors. */
  busySlotsOfOthers(backend: string, model: string): number {
    const runs = this.#backends.get(backend);
    if (runs === undefined) return 0;
    let others: Set<string> | undefined;
    for (const run of runs) if (run.model !== model) (others ??= new Set()).add(run.targetId);
    return others?.size ?? 0;
  }
}
