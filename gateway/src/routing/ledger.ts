/**
 * Outstanding work by instance slot, the "expected completion" half of the router's score.
 *
 *   slot (backend, model, i):   [ running: 12 ms predicted, started 5 ms ago ][ staged: 20 ms ]
 *   free in                     = max(12 - 5, overdue) + 20 = 27 ms
 *
 * A run that takes longer than predicted is given another tenth of its prediction, again and again: the slot neither
 * looks free while it is busy nor is written off for one slow run (that is the outlier detector's business).
 */
export interface Run {
  readonly id: number;
  readonly targetId: string;
  readonly backend: string;
  readonly model: string;
  readonly predictedMs: number;
  readonly startedMs: number;
  /** What the slot still had before it when it was handed over, plus its own prediction. */
  readonly expectedMs: number;
}

const overdueShare = 0.1;

export class Ledger {
  readonly #slots = new Map<string, Run[]>();
  readonly #backends = new Map<string, Set<Run>>();

  start(run: Omit<Run, 'expectedMs'>): Run {
    const entry: Run = { ...run, expectedMs: this.freeInMs(run.targetId, run.startedMs) + run.predictedMs };
    const slot = this.#slots.get(run.targetId);
    if (slot === undefined) this.#slots.set(run.targetId, [entry]);
    else slot.push(entry);
    const all = this.#backends.get(run.backend);
    if (all === undefined) this.#backends.set(run.backend, new Set([entry]));
    else all.add(entry);
    return entry;
  }

  finish(run: Run): void {
    const slot = this.#slots.get(run.targetId)?.filter((other) => other !== run);
    if (slot !== undefined && slot.length > 0) this.#slots.set(run.targetId, slot);
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
    return remainingMs(this.#slots.get(targetId) ?? [], nowMs);
  }

  runsOf(backend: string): Iterable<Run> {
    return this.#backends.get(backend) ?? [];
  }

  /** Slots of other models on the backend that are busy now: they share its processors. */
  busySlotsOfOthers(backend: string, model: string): number {
    const busy = new Set<string>();
    for (const run of this.runsOf(backend)) if (run.model !== model) busy.add(run.targetId);
    return busy.size;
  }
}

/** The first run has been going since it was handed over; what is behind it has not begun. */
function remainingMs(runs: readonly Run[], nowMs: number): number {
  let total = 0;
  let elapsedMs = runs[0] === undefined ? 0 : nowMs - runs[0].startedMs;
  for (const run of runs) {
    total += Math.max(run.predictedMs - elapsedMs, run.predictedMs * overdueShare);
    elapsedMs = 0;
  }
  return total;
}
