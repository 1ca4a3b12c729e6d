import type { OutlierPolicy } from '../domain/gateway-table.js';

/**
 * Sets a backend aside that has become slow, as a function of what was seen and of the time given.
 *
 *   slowness of a run = elapsed / expected, where expected is the prediction at dispatch (work before it + its own t(b))
 *   slowness of a backend = median over its last `minRuns` runs: one collection pause or one odd request is not enough
 *
 * Ejected when both hold: slowness >= factor x the median slowness of the other backends (when all are slow together it
 * is load, and ejecting would make it worse), and slowness >= factor by itself with at least minExcessMs over the
 * prediction. E.g. predicted 10 ms, runs of 60 ms, others at 1.1: 6 >= 3 x 1.1 and 50 ms >= 20 ms => out.
 *
 *   steady --slow--> ejected(until) --time--> probing --3 good runs--> steady
 *                        ^----------- one slow run, twice as long -----'
 */
type Standing =
  | { readonly kind: 'steady' }
  | { readonly kind: 'ejected'; readonly untilMs: number; readonly times: number }
  | { readonly kind: 'probing'; readonly good: number; readonly times: number };

interface Seen {
  life: number;
  standing: Standing;
  /** The latest runs, at most `minRuns` of them. */
  runs: { readonly slowness: number; readonly excessMs: number }[];
}

export interface InFlight {
  readonly backend: string;
  readonly expectedMs: number;
  readonly elapsedMs: number;
}

const probesToReturn = 3;
const maxDoublings = 10;
/** A run this many times over the limit that ejects, and a second over its prediction, counts as stuck before it ends. */
const stuckFactor = 3;
const stuckExcessMs = 1000;

export class OutlierDetector {
  #policy: OutlierPolicy;
  readonly #seen = new Map<string, Seen>();

  constructor(policy: OutlierPolicy) {
    this.#policy = policy;
  }

  setPolicy(policy: OutlierPolicy): void {
    this.#policy = policy;
  }

  /** The backends that take part now. A new life forgets what the old one did; who is gone is forgotten. */
  setMembers(members: readonly { readonly name: string; readonly life: number }[]): void {
    const names = new Set(members.map(({ name }) => name));
    for (const name of this.#seen.keys()) if (!names.has(name)) this.#seen.delete(name);
    for (const { name, life } of members) {
      if (this.#seen.get(name)?.life !== life) this.#seen.set(name, { life, standing: { kind: 'steady' }, runs: [] });
    }
  }

  /** A run ended well. True when the backend's standing changed. `expectedMs` 0 means: no prediction yet, nothing to judge. */
  observe(backend: string, expectedMs: number, elapsedMs: number, nowMs: number): boolean {
    const seen = this.#seen.get(backend);
    if (seen === undefined || expectedMs <= 0) return false;
    const run = { slowness: elapsedMs / expectedMs, excessMs: elapsedMs - expectedMs };
    seen.runs.push(run);
    while (seen.runs.length > this.#policy.minRuns) seen.runs.shift();
    switch (seen.standing.kind) {
      case 'steady':
        return seen.runs.length >= this.#policy.minRuns &&
          this.#mostAreLate(seen.runs) &&
          this.#isSlow(backend, median(seen.runs.map(({ slowness }) => slowness)), median(seen.runs.map(({ excessMs }) => excessMs)))
          ? this.#eject(seen, 1, nowMs)
          : false;
      case 'probing':
        return this.#judgeProbe(backend, seen, seen.standing, run, nowMs);
      case 'ejected':
        return false;
    }
  }

  /** Called now and then: ends ejections, and ejects who does not answer at all. True when any standing changed. */
  sweep(inFlight: readonly InFlight[], nowMs: number): boolean {
    let changed = false;
    for (const seen of this.#seen.values()) {
      if (seen.standing.kind !== 'ejected' || seen.standing.untilMs > nowMs) continue;
      seen.standing = { kind: 'probing', good: 0, times: seen.standing.times };
      seen.runs = [];
      changed = true;
    }
    const stuck = new Map<string, InFlight>();
    for (const run of inFlight) if (this.#isStuck(run)) stuck.set(run.backend, run);
    if (stuck.size === this.#seen.size) return changed;
    for (const [backend, run] of stuck) {
      const seen = this.#seen.get(backend);
      if (seen === undefined || seen.standing.kind === 'ejected') continue;
      const times = seen.standing.kind === 'probing' ? seen.standing.times + 1 : 1;
      if (this.#isSlow(backend, run.elapsedMs / run.expectedMs, run.elapsedMs - run.expectedMs))
        changed = this.#eject(seen, times, nowMs) || changed;
    }
    return changed;
  }

  standing(backend: string): 'steady' | 'ejected' | 'probing' {
    return this.#seen.get(backend)?.standing.kind ?? 'steady';
  }

  #judgeProbe(
    backend: string,
    seen: Seen,
    standing: { readonly good: number; readonly times: number },
    run: Seen['runs'][number],
    nowMs: number,
  ): boolean {
    if (this.#isSlow(backend, run.slowness, run.excessMs)) return this.#eject(seen, standing.times + 1, nowMs);
    const good = standing.good + 1;
    seen.standing = good >= probesToReturn ? { kind: 'steady' } : { kind: 'probing', good, times: standing.times };
    return good >= probesToReturn;
  }

  /** The median can be over the limit only if half of them are: cheaper to know than the median, and mostly false. */
  #mostAreLate(runs: Seen['runs']): boolean {
    let late = 0;
    for (const { excessMs } of runs) if (excessMs >= this.#policy.minExcessMs) late++;
    return 2 * late >= runs.length;
  }

  #isSlow(backend: string, slowness: number, excessMs: number): boolean {
    const { slownessFactor, minExcessMs } = this.#policy;
    if (excessMs < minExcessMs || slowness < slownessFactor) return false;
    const others: number[] = [];
    for (const [name, seen] of this.#seen) {
      if (name === backend || seen.standing.kind === 'ejected') continue;
      // The latest run too: when load slows all, another's median may lag by a few runs.
      const last = seen.runs.at(-1);
      if (last !== undefined) others.push(Math.max(median(seen.runs.map((run) => run.slowness)), last.slowness));
    }
    // Nobody to compare with (the others are new, say): it may as well be load.
    return others.length > 0 && slowness >= slownessFactor * Math.max(median(others), 1);
  }

  #isStuck(run: InFlight): boolean {
    return (
      run.expectedMs > 0 &&
      run.elapsedMs >= run.expectedMs * this.#policy.slownessFactor * stuckFactor &&
      run.elapsedMs - run.expectedMs >= stuckExcessMs
    );
  }

  #eject(seen: Seen, times: number, nowMs: number): boolean {
    let ejected = 0;
    for (const other of this.#seen.values()) if (other !== seen && other.standing.kind === 'ejected') ejected += 1;
    const allowed = Math.min(Math.floor((this.#seen.size * this.#policy.maxEjectedPercent) / 100), this.#seen.size - 1);
    if (ejected + 1 > allowed) return false;
    seen.standing = { kind: 'ejected', untilMs: nowMs + this.#policy.ejectMs * Math.min(2 ** (times - 1), maxDoublings), times };
    seen.runs = [];
    return true;
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
