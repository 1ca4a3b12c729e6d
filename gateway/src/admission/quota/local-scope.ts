import type { Quota } from '../../domain/traffic.js';
import { gcraAllows, gcraAtRest, gcraBegin, gcraCharge, gcraGiveBack, gcraLeft, gcraLimit, gcraRefit, gcraWaitMs } from './gcra.js';
import type { GcraLimit } from './gcra.js';
import { QuotaScope, scopeCells } from './scope.js';
import type { ScopeOptions } from './scope.js';

const { requests, compute } = scopeCells;

/** Both buckets of a scope that this gateway counts for itself: numbers among the cells of their owner. */
export class LocalScope extends QuotaScope {
  #limits: LocalLimits;

  constructor(options: ScopeOptions, nowMs: number) {
    super(options);
    this.#limits = localLimitsOf(options.quota);
    gcraBegin(this.cells, this.at + requests, this.#limits.requests, nowMs);
    gcraBegin(this.cells, this.at + compute, this.#limits.compute, nowMs);
  }

  allows(computeMs: number, nowMs: number): boolean {
    const { cells, at } = this;
    const limits = this.#limits;
    return gcraAllows(cells, at + requests, limits.requests, 1, nowMs) && gcraAllows(cells, at + compute, limits.compute, computeMs, nowMs);
  }

  covers(): boolean {
    return true;
  }

  requestsLeft(nowMs: number): number {
    return gcraLeft(this.cells, this.at + requests, this.#limits.requests, nowMs);
  }

  computeLeftMs(nowMs: number): number {
    return gcraLeft(this.cells, this.at + compute, this.#limits.compute, nowMs);
  }

  requestsWaitMs(nowMs: number): number {
    return gcraWaitMs(this.cells, this.at + requests, this.#limits.requests, 1, nowMs);
  }

  computeWaitMs(computeMs: number, nowMs: number): number {
    return gcraWaitMs(this.cells, this.at + compute, this.#limits.compute, computeMs, nowMs);
  }

  protected charge(computeMs: number, nowMs: number): void {
    gcraCharge(this.cells, this.at + requests, this.#limits.requests, 1, nowMs);
    gcraCharge(this.cells, this.at + compute, this.#limits.compute, computeMs, nowMs);
  }

  protected refund(computeMs: number, nowMs: number): void {
    gcraGiveBack(this.cells, this.at + requests, this.#limits.requests, 1, nowMs);
    gcraGiveBack(this.cells, this.at + compute, this.#limits.compute, computeMs, nowMs);
  }

  protected bucketsAtRest(nowMs: number): boolean {
    return (
      gcraAtRest(this.cells, this.at + requests, this.#limits.requests, nowMs) &&
      gcraAtRest(this.cells, this.at + compute, this.#limits.compute, nowMs)
    );
  }

  protected refitBuckets(after: Quota, nowMs: number): void {
    const before = this.#limits;
    this.#limits = localLimitsOf(after);
    refit(this.cells, this.at + requests, before.requests, this.#limits.requests, nowMs);
    refit(this.cells, this.at + compute, before.compute, this.#limits.compute, nowMs);
  }
}

/** A limit that is lifted, or is new, begins full. */
function refit(cells: Float64Array, at: number, before: GcraLimit, after: GcraLimit, nowMs: number): void {
  if (before === unlimited || after === unlimited) gcraBegin(cells, at, after, nowMs);
  else gcraRefit(cells, at, before, after, nowMs);
}

interface LocalLimits {
  readonly requests: GcraLimit;
  readonly compute: GcraLimit;
}

/** Always full: what is taken from infinity leaves infinity. */
const unlimited: GcraLimit = { perMs: 0, burst: Infinity };

/** All tenants of a tier have the same limits, so they share the objects, which therefore are in the cache. */
const known = new WeakMap<Quota, LocalLimits>();

function localLimitsOf(quota: Quota): LocalLimits {
  const found = known.get(quota);
  if (found !== undefined) return found;
  const limits: LocalLimits = {
    requests: limitOf(quota.requestsPerSecond, quota.burst),
    compute: limitOf(quota.computeMsPerSecond, quota.computeBurstMs),
  };
  known.set(quota, limits);
  return limits;
}

function limitOf(ratePerSecond: number, burst: number): GcraLimit {
  return ratePerSecond === Infinity || burst === Infinity ? unlimited : gcraLimit(ratePerSecond, burst);
}
