import type { RunBook, SlotRun } from '../domain/slot-turns.js';
import type { ToldRun } from './messages.js';

/** Runs of siblings told of and not over; past this new ones are not entered. */
const maxRuns = 10_000;

/** The siblings' runs in this worker's ledger, so that slots look as busy as they are. */
export class SiblingRuns<R extends SlotRun> {
  readonly #book: RunBook<R>;
  readonly #runs = new Map<number, Map<number, R>>();
  #count = 0;

  constructor(book: RunBook<R>) {
    this.#book = book;
  }

  start(from: number, id: number, run: ToldRun, nowMs: number): void {
    if (this.#count >= maxRuns) return;
    const known = this.#runs.get(from) ?? new Map<number, R>();
    this.#runs.set(from, known);
    this.#count += 1;
    known.set(id, this.#book.enter({ ...run, startedMs: nowMs }));
  }

  /** The model whose slot has one run less; undefined when it was not known. */
  end(from: number, id: number, nowMs: number): string | undefined {
    const known = this.#runs.get(from);
    const run = known?.get(id);
    if (known === undefined || run === undefined) return undefined;
    known.delete(id);
    this.#count -= 1;
    this.#book.leave(run, nowMs);
    return run.model;
  }

  /** All of a sibling, or all of all. */
  forget(nowMs: number, from?: number): void {
    for (const [sibling, known] of this.#runs) {
      if (from !== undefined && sibling !== from) continue;
      for (const id of [...known.keys()]) this.end(sibling, id, nowMs);
      this.#runs.delete(sibling);
    }
  }
}
