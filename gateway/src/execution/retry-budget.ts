import type { RetryBudgetPolicy } from '../domain/gateway-table.js';

/**
 * Retries as a share of requests plus a floor, so that a failing fleet is not buried under second attempts.
 * Counted in one-second buckets over a sliding window of ten: with 500 requests a second, 20 % and a floor of 10 a
 * second, the last ten seconds may hold 0.2 * 5000 + 10 * 10 = 1100 retries.
 */
export class RetryBudget {
  readonly #buckets: { second: number; requests: number; retries: number }[] = [];
  #policy: RetryBudgetPolicy;
  static readonly windowSeconds = 10;

  constructor(policy: RetryBudgetPolicy) {
    this.#policy = policy;
  }

  setPolicy(policy: RetryBudgetPolicy): void {
    this.#policy = policy;
  }

  request(nowMs: number): void {
    this.#bucket(nowMs).requests += 1;
  }

  /** True, and counted, when one more retry fits. */
  tryRetry(nowMs: number): boolean {
    const bucket = this.#bucket(nowMs);
    let requests = 0;
    let retries = 0;
    for (const each of this.#buckets) {
      requests += each.requests;
      retries += each.retries;
    }
    if (retries + 1 > this.#policy.share * requests + this.#policy.minPerSecond * RetryBudget.windowSeconds) return false;
    bucket.retries += 1;
    return true;
  }

  #bucket(nowMs: number): { second: number; requests: number; retries: number } {
    const second = Math.floor(nowMs / 1000);
    while (this.#buckets[0] !== undefined && this.#buckets[0].second <= second - RetryBudget.windowSeconds) this.#buckets.shift();
    const last = this.#buckets.at(-1);
    if (last !== undefined && last.second === second) return last;
    const fresh = { second, requests: 0, retries: 0 };
    this.#buckets.push(fresh);
    return fresh;
  }
}
