import type { RefusalReason } from '@headrace/runtime';
import { DurationHistogram } from './histogram.js';

/** What became of the requests of one tenant, tier, priority or model. */
export class Tally {
  /** Share of the service relative to others'; of a tenant, as its policy last said. */
  weight = 1;
  offered = 0;
  offeredRows = 0;
  answered = 0;
  answeredRows = 0;
  /** Answered within the deadline or, without one, the SLO. */
  inTime = 0;
  readonly refused = new Map<RefusalReason, number>();
  readonly latency = new DurationHistogram();

  offer(rows: number): void {
    this.offered += 1;
    this.offeredRows += rows;
  }

  answer(rows: number, latencyMs: number, inTime: boolean): void {
    this.answered += 1;
    this.answeredRows += rows;
    if (inTime) this.inTime += 1;
    this.latency.record(latencyMs);
  }

  refuse(reason: RefusalReason): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
  }

  get refusals(): number {
    let sum = 0;
    for (const count of this.refused.values()) sum += count;
    return sum;
  }
}

/** Where those beyond the bound are counted together. */
export const others = '(others)';

/** Tallies by name, of the first `max` names; a trace may hold any number of them. */
export class Tallies {
  readonly #max: number;
  readonly #byName = new Map<string, Tally>();

  constructor(max: number) {
    this.#max = max;
  }

  of(name: string): Tally {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const key = this.#byName.size < this.#max ? name : others;
    const tally = this.#byName.get(key) ?? new Tally();
    this.#byName.set(key, tally);
    return tally;
  }

  entries(): readonly (readonly [string, Tally])[] {
    return [...this.#byName];
  }
}
