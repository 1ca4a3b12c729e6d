import type { LatencyGoal } from '../adaptive-limit.js';
import { Windowed } from './windowed.js';

/** AIMD as concurrency-limits has it (AIMDLimit): a window whose percentile misses the goal takes a tenth, another adds one. */
export class Aimd extends Windowed {
  readonly #goal: LatencyGoal;

  constructor(goal: LatencyGoal, initial = 20) {
    super(initial);
    this.#goal = goal;
  }

  protected step(limit: number, latencies: readonly number[], peak: number): number {
    const at = Math.min(latencies.length - 1, Math.floor((latencies.length * this.#goal.percentile) / 100));
    if ((latencies[at] ?? 0) > this.#goal.latencyMs) return Math.max(1, Math.min(limit - 1, limit * 0.9));
    return peak * 2 >= limit ? limit + 1 : limit;
  }
}
