import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '@headrace/runtime';
import type { SharedQuotaPolicy } from '../../../domain/traffic.js';
import type { QuotaScope } from '../scope.js';
import type { OpenScope } from '../tenant-quota.js';
import { LeaseKeeper, openAccount } from './keeper.js';
import type { KeeperCounts, LeaseAccount } from './keeper.js';
import { LeasedBucket } from './leased-bucket.js';
import type { LeaseStore } from '../../../domain/lease-store.js';

export interface SharedBucketsOptions {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly onUnavailable: SharedQuotaPolicy['onUnavailable'];
  /** Names this process among the fleet's gateways; default: 96 random bits. */
  readonly gateway?: string;
}

/** Quotas that a fleet shares: makes the buckets of a tenant, and carries their leases. */
export class SharedBuckets {
  readonly #keeper: LeaseKeeper;
  readonly #onUnavailable: SharedQuotaPolicy['onUnavailable'];
  readonly #gateway: string;
  #opened = 0;

  constructor(options: SharedBucketsOptions) {
    this.#keeper = new LeaseKeeper(options.store, options.clock);
    this.#onUnavailable = options.onUnavailable;
    this.#gateway = options.gateway ?? randomBytes(12).toString('hex');
  }

  get counts(): Readonly<KeeperCounts> {
    return this.#keeper.counts;
  }

  /** True while the store does not answer. */
  get failing(): boolean {
    return this.#keeper.failing;
  }

  open(tenant: string): LeaseAccount {
    this.#opened += 1;
    return openAccount(digest(tenant), `${this.#gateway}.${this.#opened}`);
  }

  scopes(account: LeaseAccount): OpenScope {
    return (model) => {
      const suffix = model === undefined ? '' : `.${digest(model)}`;
      return (kind, ratePerSecond, burst, nowMs) => {
        // A limit that a reload took away and another brought back is the same one, with what was used of it.
        const known = account.buckets.find(({ name }) => name === kind + suffix);
        known?.refit(ratePerSecond, burst, nowMs);
        if (known !== undefined) return known;
        const bucket = new LeasedBucket(kind + suffix, ratePerSecond, burst, nowMs);
        account.buckets.push(bucket);
        return bucket;
      };
    };
  }

  /** False where the policy wants to know for sure and nobody can say: no answers, and the leases do not pay for it. */
  answers(account: LeaseAccount | undefined, all: QuotaScope, one: QuotaScope | undefined, computeMs: number, nowMs: number): boolean {
    if (this.#onUnavailable === 'localShare' || account === undefined || !this.#keeper.unavailable(account)) return true;
    return covers(all, computeMs, nowMs) && (one === undefined || covers(one, computeMs, nowMs));
  }

  touch(account: LeaseAccount | undefined): void {
    if (account !== undefined) this.#keeper.touch(account);
  }

  /** Ends orderly: what is held goes back to the fleet. Bounded in time. */
  close(): Promise<void> {
    return this.#keeper.close();
  }
}

function covers(scope: QuotaScope, computeMs: number, nowMs: number): boolean {
  return (scope.requests?.covered(1, nowMs) ?? true) && (scope.compute?.covered(computeMs, nowMs) ?? true);
}

/** Names come from callers: whatever they hold, a key is 22 harmless characters. 128 bits of SHA-256 do not collide by accident or by effort. */
function digest(name: string): string {
  return createHash('sha256').update(name).digest().subarray(0, 16).toString('base64url');
}
