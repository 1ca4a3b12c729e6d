import type { AdaptiveLimit } from '../adaptive-limit.js';

/** Calls step() once a window with what was seen in it, as WindowedLimit of concurrency-limits does; 100 ms, 10 samples. */
export abstract class Windowed implements AdaptiveLimit {
  #limit: number;
  #sinceMs = -Infinity;
  readonly #latencies: number[] = [];
  #peak = 0;

  constructor(initial: number) {
    this.#limit = initial;
  }

  get limit(): number {
    return this.#limit;
  }

  ended(nowMs: number, latencyMs: number, _serviceMs: number | undefined, underWay: number): void {
    if (this.#sinceMs === -Infinity) this.#sinceMs = nowMs;
    this.#latencies.push(latencyMs);
    this.#peak = Math.max(this.#peak, underWay);
    if (nowMs - this.#sinceMs < 100 || this.#latencies.length < 10) return;
    const sorted = this.#latencies.toSorted((left, right) => left - right);
    this.#limit = Math.min(Math.max(this.step(this.#limit, sorted, this.#peak), 1), 65_536);
    this.#latencies.length = 0;
    this.#peak = 0;
    this.#sinceMs = nowMs;
  }

  protected abstract step(limit: number, sortedLatenciesMs: readonly number[], peak: number): number;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}
