import type { Quota } from '../../../domain/traffic.js';
import { QuotaScope } from '../scope.js';
import type { ScopeOptions } from '../scope.js';
import type { LeaseAccount } from './account.js';
import type { LeasedBucket } from './leased-bucket.js';

/** Both buckets of a scope that a fleet shares; undefined: no such limit. */
export class SharedScope extends QuotaScope {
  declare readonly account: LeaseAccount;
  #requests: LeasedBucket | undefined;
  #compute: LeasedBucket | undefined;

  constructor(options: ScopeOptions, account: LeaseAccount, nowMs: number) {
    super(options, account);
    this.refit(options.quota, nowMs);
  }

  allows(computeMs: number, nowMs: number): boolean {
    // Both are always asked: they learn from it what is wanted.
    const passes = this.#requests === undefined || this.#requests.allows(1, nowMs);
    return (this.#compute === undefined || this.#compute.allows(computeMs, nowMs)) && passes;
  }

  covers(computeMs: number, nowMs: number): boolean {
    return (this.#requests?.covered(1, nowMs) ?? true) && (this.#compute?.covered(computeMs, nowMs) ?? true);
  }

  requestsLeft(nowMs: number): number {
    return this.#requests?.left(nowMs) ?? Infinity;
  }

  computeLeftMs(nowMs: number): number {
    return this.#compute?.left(nowMs) ?? Infinity;
  }

  requestsWaitMs(nowMs: number): number {
    return this.#requests?.waitMs(1, nowMs) ?? 0;
  }

  computeWaitMs(computeMs: number, nowMs: number): number {
    return this.#compute?.waitMs(computeMs, nowMs) ?? 0;
  }

  protected charge(computeMs: number, nowMs: number): void {
    this.#requests?.charge(1, nowMs);
    this.#compute?.charge(computeMs, nowMs);
  }

  protected refund(computeMs: number, nowMs: number): void {
    this.#requests?.giveBack(1, nowMs);
    this.#compute?.giveBack(computeMs, nowMs);
  }

  protected bucketsAtRest(nowMs: number): boolean {
    if (this.account.queued || this.account.exchange !== undefined) return false;
    return (this.#requests?.atRest(nowMs) ?? true) && (this.#compute?.atRest(nowMs) ?? true);
  }

  protected refitBuckets(after: Quota, nowMs: number): void {
    this.#requests = open(this, 'r', after.requestsPerSecond, after.burst, nowMs);
    this.#compute = open(this, 'c', after.computeMsPerSecond, after.computeBurstMs, nowMs);
  }
}

function open(
  { account, model }: SharedScope,
  kind: 'r' | 'c',
  ratePerSecond: number,
  burst: number,
  nowMs: number,
): LeasedBucket | undefined {
  return ratePerSecond === Infinity || burst === Infinity ? undefined : account.bucket(model, kind, ratePerSecond, burst, nowMs);
}
