import { remainingMs } from '@headrace/batching';

/**
 * Outstanding work by instance slot, the "expected completion" half of the router's score.
 *
 *   slot (backend, model, i):   [ running: 12 ms predicted, began 5 ms ago ][ staged: 20 ms ]
 *   free in                     = |12 - 5| + 20 = 27 ms
 *
 * What is left of a run that is late: see remainingMs.
 */
export interface Run {
  readonly targetId: string;
  readonly backend: string;
  readonly model: string;
  readonly predictedMs: number;
  /** When it was handed over. */
  readonly startedMs: number;
  /** What the slot still had before it when it was handed over, plus its own prediction; 0 without a prediction. */
  readonly expectedMs: number;
  /** When the slot was free for it: handed over, or the end of the run before it. */
  beganMs: number;
}

export class Ledger {
  readonly #slots = new Map<string, Run[]>();
  readonly #backends = new Map<string, Set<Run>>();

  start(run: Pick<Run, 'targetId' | 'backend' | 'model' | 'predictedMs' | 'startedMs'>): Run {
    const expectedMs = run.predictedMs <= 0 ? 0 : this.freeInMs(run.targetId, run.startedMs) + run.predictedMs;
    const entry: Run = { ...run, expectedMs, beganMs: run.startedMs };
    const slot = this.#slots.get(run.targetId);
    if (slot === undefined) this.#slots.set(run.targetId, [entry]);
    else slot.push(entry);
    const all = this.#backends.get(run.backend);
    if (all === undefined) this.#backends.set(run.backend, new Set([entry]));
    else all.add(entry);
    return entry;
  }

  finish(run: Run, nowMs: number): void {
    const slot = this.#slots.get(run.targetId) ?? [];
    const wasFirst = slot[0] === run;
    const rest = slot.filter((other) => other !== run);
    if (wasFirst && rest[0] !== undefined) rest[0].beganMs = nowMs;
    if (rest.length > 0) this.#slots.set(run.targetId, rest);
    else this.#slots.delete(run.targetId);
    const all = this.#backends.get(run.backend);
    all?.delete(run);
    if (all?.size === 0) this.#backends.delete(run.backend);
  }

  outstanding(targetId: string): number {
    return this.#slots.get(targetId)?.length ?? 0;
  }

  /** Predicted milliseconds until the slot has done all it holds. */
  freeInMs(targetId: string, nowMs: number): number {
    let totalMs = 0;
    let first = true;
    for (const run of this.#slots.get(targetId) ?? []) {
      totalMs += first ? remainingMs(run.predictedMs, nowMs - run.beganMs) : run.predictedMs;
      first = false;
    }
    return totalMs;
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
