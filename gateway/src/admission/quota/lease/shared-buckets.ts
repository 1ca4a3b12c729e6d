import { randomBytes } from 'node:crypto';
import type { Clock } from '@headrace/runtime';
import type { SharedQuotaPolicy } from '../../../domain/traffic.js';
import type { QuotaScope } from '../scope.js';
import { LeaseAccount } from './account.js';
import { LeaseKeeper } from './keeper.js';
import type { KeeperCounts, LeaseMeter } from './keeper.js';
import type { LeaseStore } from '../../../domain/lease-store.js';

export interface SharedBucketsOptions {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly onUnavailable: SharedQuotaPolicy['onUnavailable'];
  /** Names this process among the fleet's gateways; default: 96 random bits. */
  readonly gateway?: string;
  readonly meter?: LeaseMeter;
}

/** Quotas that a fleet shares: opens a tenant's account, and carries its leases. */
export class SharedBuckets {
  readonly #keeper: LeaseKeeper;
  readonly #onUnavailable: SharedQuotaPolicy['onUnavailable'];
  readonly #gateway: string;
  readonly #meter: LeaseMeter | undefined;
  #opened = 0;

  constructor(options: SharedBucketsOptions) {
    this.#keeper = new LeaseKeeper(options.store, options.clock, options.meter);
    this.#meter = options.meter;
    this.#onUnavailable = options.onUnavailable;
    this.#gateway = options.gateway ?? randomBytes(12).toString('hex');
  }

  get counts(): Readonly<KeeperCounts> {
    return this.#keeper.counts;
  }

  /** Tenants that this gateway holds a lease for now. */
  get held(): number {
    return this.#keeper.held;
  }

  /** True while the store does not answer. */
  get failing(): boolean {
    return this.#keeper.failing;
  }

  open(tenant: string): LeaseAccount {
    this.#opened += 1;
    return new LeaseAccount(tenant, this.#gateway, this.#opened);
  }

  /** False where the policy wants to know for sure and nobody can say: no answers, and the leases do not pay for it. */
  answers(account: LeaseAccount | undefined, all: QuotaScope, one: QuotaScope | undefined, computeMs: number, nowMs: number): boolean {
    if (this.#onUnavailable === 'localShare' || account === undefined || !this.#keeper.unavailable(account)) return true;
    return all.covers(computeMs, nowMs) && (one === undefined || one.covers(computeMs, nowMs));
  }

  /** To be called before a request that is admitted is charged. */
  admitted(all: QuotaScope, one: QuotaScope | undefined, computeMs: number, nowMs: number): void {
    if (this.#meter === undefined) return;
    if (!all.covers(computeMs, nowMs) || one?.covers(computeMs, nowMs) === false) this.#meter.admittedLocally();
  }

  touch(account: LeaseAccount | undefined): void {
    if (account !== undefined) this.#keeper.touch(account);
  }

  /** Ends orderly: what is held goes back to the fleet. Bounded in time. */
  close(): Promise<void> {
    return this.#keeper.close();
  }
}
