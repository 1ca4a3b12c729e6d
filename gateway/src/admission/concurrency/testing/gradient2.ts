import { Windowed, mean } from './windowed.js';

/**
 * Gradient2 as Netflix's concurrency-limits has it (github.com/Netflix/concurrency-limits, Gradient2Limit): the gradient of
 * the window's mean latency against its long-term average, plus room for a queue of 4.
 */
export class Gradient2 extends Windowed {
  #longMs = 0;
  #windows = 0;

  constructor(initial = 20) {
    super(initial);
  }

  protected step(limit: number, latencies: readonly number[], peak: number): number {
    const shortMs = mean(latencies);
    this.#windows += 1;
    // An average over 600 windows, the plain mean for the first 10.
    this.#longMs += (shortMs - this.#longMs) * (this.#windows <= 10 ? 1 / this.#windows : 2 / 601);
    if (this.#longMs / shortMs > 2) this.#longMs *= 0.9;
    if (peak < limit / 2) return limit;
    const gradient = Math.max(0.5, Math.min(1, this.#longMs / shortMs));
    return Math.max(1, limit * 0.8 + (limit * gradient + 4) * 0.2);
  }
}
