import type { Tenant } from '../types.js';
import type { Seat } from './account.js';
import { Account } from './account.js';
import { IndexedHeap } from './heap.js';

/** Requests that name no tenant are one tenant. */
const common: Tenant = { weight: 1 };
/** Tenants with nothing waiting that are remembered: mostly they come again, with a debt or without. */
const maxIdle = 1_024;
/**
 * How far apart tenants may get, in rounds (100 ms of service for weight 1): one that could not be served (its target is
 * gone) catches up on no more than this, and one that is further ahead may not bypass the others.
 */
export const reachRounds = 1_000;
/**
 * Requests of the usual cost that a tenant may have before others' turns when it comes after a while in which it took less than its
 * share, as RFC 8290 (4.2) has new flows go first: a light tenant's requests come in twos and threes, and each would wait for a
 * heavy one's in between. Not more than it left out, so that it has its share all the same.
 */
const creditRequests = 2;
/** Weight of a request in the mean of what one costs. */
const gain = 0.05;
/** No single charge counts for more: what a run costs is measured elsewhere, and a hung one is not the tenant's doing. */
const mostChargeMs = 60_000;

/**
 * The tenants of one model, and whose turn it is: the first round, and in it the one that came first. A tenant that comes to
 * wait begins in the round that is being served (Goyal, Vin & Cheng 1996): idle time is worth nothing, and nobody has to
 * catch up with what others had before. When nothing waits any more all debts are paid: nobody waited for them.
 *
 * Memory: those with something waiting, and maxIdle.
 */
export class Accounts<S extends Seat> {
  readonly #common = new Account<S>(common);
  readonly #known = new Map<Tenant, Account<S>>();
  readonly #mostQueued = new IndexedHeap<Account<S>>(0, (left, right) => left.places * right.weight > right.places * left.weight);
  #lastUsed = this.#common;
  #oldestIdle: Account<S> | undefined;
  #newestIdle: Account<S> | undefined;
  #currentRound = 0;
  #latestRound = 0;
  #turns = 0;
  #grainMs = 0;
  #weights = 0;
  readonly #onForget: ((account: Account<S>) => void) | undefined;

  /** `onForget` is told of each tenant that is not remembered any longer. */
  constructor(onForget?: (account: Account<S>) => void) {
    this.#onForget = onForget;
  }

  /** That of requests which name no tenant. */
  get common(): Account<S> {
    return this.#common;
  }

  get currentRound(): number {
    return this.#currentRound;
  }

  /** Kept, of those that name themselves. */
  get known(): number {
    return this.#known.size;
  }

  of(tenant: Tenant): Account<S> {
    if (this.#lastUsed.tenant === tenant) return this.#lastUsed;
    const account = this.#known.get(tenant) ?? this.#meet(tenant);
    this.#lastUsed = account;
    return account;
  }

  /** To be told before the account's turn is used to order anything. */
  entered(account: Account<S>, places: number): void {
    if (account.requests === 0) {
      this.#wake(account);
      account.join(this.#currentRound, this.#turns++, creditRequests * this.#grainMs);
      this.#weights += account.weight;
    }
    account.requests += 1;
    account.places += places;
    if (account.requests === 1) this.#mostQueued.push(account);
    else this.#mostQueued.update(account);
  }

  left(account: Account<S>, places: number): void {
    account.requests -= 1;
    account.places -= places;
    if (account.requests > 0) return this.#mostQueued.update(account);
    this.#mostQueued.remove(account);
    this.#weights -= account.weight;
    this.#rest(account);
    if (this.#mostQueued.size === 0) this.#allServed();
  }

  /** The round that is served now is that of the account which is first. */
  serving(account: Account<S>): void {
    this.#currentRound = Math.max(this.#currentRound, account.round);
  }

  /** Takes out what a request is about to cost. */
  serve(account: Account<S>, ms: number): void {
    this.#grainMs += (ms - this.#grainMs) * gain;
    this.charge(account, ms);
  }

  /** Takes service out of the account; negative gives back. Its seats are moved by `settle`. */
  charge(account: Account<S>, ms: number): void {
    if (Number.isNaN(ms)) return;
    account.catchUp(this.#currentRound - reachRounds);
    account.charge(Math.min(Math.max(ms, -mostChargeMs), mostChargeMs));
    this.#latestRound = Math.max(this.#latestRound, account.round);
    if (this.#mostQueued.size === 0) this.#allServed();
  }

  /** After the account was charged. */
  settle(account: Account<S>): void {
    for (const seat of account.seats) seat.moved();
  }

  /** Whether the tenant may go before others that wait: not when it has taken far more than they. */
  mayBypass(account: Account<S>): boolean {
    if (account.round - this.#currentRound <= reachRounds) return true;
    return this.#mostQueued.size === (account.requests > 0 ? 1 : 0);
  }

  /** Sum of the weights of those that wait, the account's included. */
  weightsWith(account: Account<S>): number {
    return this.#weights + (account.requests > 0 ? 0 : account.weight);
  }

  /** The tenant that holds the most places for its weight. */
  get mostQueued(): Account<S> | undefined {
    return this.#mostQueued.peek();
  }

  #allServed(): void {
    this.#currentRound = this.#latestRound;
    // Sums of fractions do not come back to 0 by themselves.
    this.#weights = 0;
  }

  #meet(tenant: Tenant): Account<S> {
    const account = new Account<S>(tenant);
    account.join(this.#currentRound, 0);
    this.#known.set(tenant, account);
    this.#rest(account);
    return account;
  }

  #rest(account: Account<S>): void {
    if (account === this.#common) return;
    account.older = this.#newestIdle;
    account.newer = undefined;
    if (this.#newestIdle === undefined) this.#oldestIdle = account;
    else this.#newestIdle.newer = account;
    this.#newestIdle = account;
    const oldest = this.#oldestIdle;
    if (oldest === undefined || this.#known.size - this.#mostQueued.size <= maxIdle) return;
    this.#wake(oldest);
    this.#known.delete(oldest.tenant);
    if (this.#lastUsed === oldest) this.#lastUsed = this.#common;
    this.#onForget?.(oldest);
  }

  #wake(account: Account<S>): void {
    if (account.older === undefined && this.#oldestIdle !== account) return;
    if (account.older === undefined) this.#oldestIdle = account.newer;
    else account.older.newer = account.newer;
    if (account.newer === undefined) this.#newestIdle = account.older;
    else account.newer.older = account.older;
    account.older = undefined;
    account.newer = undefined;
  }
}
