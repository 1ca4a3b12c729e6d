import type { Quota } from '../../domain/traffic.js';
import type { LeaseAccount } from './lease/account.js';

/** Where the numbers of a scope lie among the cells of its owner: two buckets (gcra.ts), and when requests end. */
export const scopeCells = { requests: 0, compute: 2, releasedAtMs: 4, releaseGapMs: 5, all: 6 } as const;

/** Before two requests have ended nothing is known about how often one does. */
const firstReleaseGapMs = 100;
const longestReleaseGapMs = 10_000;

export interface ScopeOptions {
  /** The Quotas that made it: under another one, with another store of a fleet's quotas, counting starts anew. */
  readonly owner: object;
  /** What it limits; undefined: all models. */
  readonly model: string | undefined;
  readonly quota: Quota;
  /** `scopeCells.all` numbers of its own. */
  readonly cells: Float64Array;
  readonly at: number;
}

/**
 * The limits of one tenant, over all models or for one: two buckets, which a gateway keeps for itself (LocalScope) or shares with a fleet
 * (SharedScope), and a counter of requests under way.
 */
export abstract class QuotaScope {
  readonly owner: object;
  readonly model: string | undefined;
  readonly account: LeaseAccount | undefined;
  /** Of the one over all models: those beside it that the policy limits. */
  models: Map<string, QuotaScope> | undefined;
  protected readonly cells: Float64Array;
  protected readonly at: number;
  #quota: Quota;
  #underWay = 0;

  constructor({ owner, model, quota, cells, at }: ScopeOptions, account?: LeaseAccount) {
    this.owner = owner;
    this.model = model;
    this.account = account;
    this.#quota = quota;
    this.cells = cells;
    this.at = at;
    cells[at + scopeCells.releasedAtMs] = Number.NaN;
    cells[at + scopeCells.releaseGapMs] = firstReleaseGapMs;
  }

  /** True when both buckets would pass it; charges nothing. */
  abstract allows(computeMs: number, nowMs: number): boolean;
  /** True when it would pass on what is paid for already, whatever others say; always, where nobody else has a say. */
  abstract covers(computeMs: number, nowMs: number): boolean;
  /** What could be taken at once; Infinity: no limit. */
  abstract requestsLeft(nowMs: number): number;
  abstract computeLeftMs(nowMs: number): number;
  /** Milliseconds until it would pass if nothing else came; 0: now, Infinity: never. */
  abstract requestsWaitMs(nowMs: number): number;
  abstract computeWaitMs(computeMs: number, nowMs: number): number;
  protected abstract charge(computeMs: number, nowMs: number): void;
  protected abstract refund(computeMs: number, nowMs: number): void;
  protected abstract bucketsAtRest(nowMs: number): boolean;
  protected abstract refitBuckets(after: Quota, nowMs: number): void;

  get quota(): Quota {
    return this.#quota;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get full(): boolean {
    return this.#underWay >= this.#quota.concurrency;
  }

  /** Milliseconds in which of late one request ended. */
  get releaseGapMs(): number {
    return this.cells[this.at + scopeCells.releaseGapMs] ?? 0;
  }

  /** A new policy. A limit that was there keeps what is left of it; one that is new begins full. */
  refit(quota: Quota, nowMs: number): void {
    this.refitBuckets(quota, nowMs);
    this.#quota = quota;
  }

  enter(computeMs: number, nowMs: number): void {
    this.#underWay += 1;
    this.charge(computeMs, nowMs);
  }

  giveBack(computeMs: number, nowMs: number): void {
    this.#underWay = oneLess(this.#underWay);
    this.refund(computeMs, nowMs);
  }

  release(nowMs: number): void {
    this.#underWay = oneLess(this.#underWay);
    const { cells, at } = this;
    const lastMs = cells[at + scopeCells.releasedAtMs] ?? Number.NaN;
    // NaN before the first.
    if (!Number.isNaN(lastMs)) {
      const gapMs = Math.min(longestReleaseGapMs, Math.max(0, nowMs - lastMs));
      cells[at + scopeCells.releaseGapMs] = this.releaseGapMs + (gapMs - this.releaseGapMs) / 8;
    }
    cells[at + scopeCells.releasedAtMs] = nowMs;
  }

  atRest(nowMs: number): boolean {
    return this.#underWay === 0 && this.bucketsAtRest(nowMs);
  }
}

/** A scope that a reload made anew is left by requests that never entered it. */
function oneLess(underWay: number): number {
  return Math.max(0, underWay - 1);
}
