import { Windowed, mean } from './windowed.js';

/**
 * Vegas as concurrency-limits has it (VegasLimit), after Brakmo and Peterson, TCP Vegas, 1995: the queue is taken to be
 * limit (1 - least latency / latency), and kept between 3 and 6 times log10(limit). The least latency is taken anew every
 * 30 x limit samples; at the middle of the random range, so that it repeats.
 */
export class Vegas extends Windowed {
  #leastMs = Infinity;
  #probe = 0;

  constructor(initial = 20) {
    super(initial);
  }

  protected step(limit: number, latencies: readonly number[], peak: number): number {
    const latencyMs = mean(latencies);
    this.#probe += latencies.length;
    if (this.#probe >= 0.75 * 30 * limit) {
      this.#probe = 0;
      this.#leastMs = latencyMs;
      return limit;
    }
    if (latencyMs < this.#leastMs) {
      this.#leastMs = latencyMs;
      return limit;
    }
    if (peak * 2 < limit) return limit;
    const queue = Math.ceil(limit * (1 - this.#leastMs / latencyMs));
    const unit = Math.max(1, Math.floor(Math.log10(limit)));
    if (queue <= unit) return limit + 6 * unit;
    if (queue < 3 * unit) return limit + unit;
    return queue > 6 * unit ? limit - unit : limit;
  }
}
