/** How many requests of a model may be under way (queued and running), found from how long they take. */
export interface AdaptiveLimit {
  readonly limit: number;
  /**
   * A request has ended. `latencyMs`: from its arrival; Infinity for one that expired. `serviceMs`: of that, its own run, as
   * the executor measured it; undefined when unknown. `underWay`: with it.
   */
  ended(nowMs: number, latencyMs: number, serviceMs: number | undefined, underWay: number): void;
}

/** What a model's latency is held against. */
export interface LatencyGoal {
  /** 0..100, exclusive. */
  readonly percentile: number;
  readonly latencyMs: number;
}
