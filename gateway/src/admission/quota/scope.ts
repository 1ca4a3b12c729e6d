import type { Quota } from '../../domain/traffic.js';
import type { Bucket } from './bucket.js';
import { CellBlocks } from './cells.js';

/** Makes the bucket of a limit; `kind` is a letter of its name where buckets are shared. */
export type OpenBucket = (kind: 'r' | 'c', ratePerSecond: number, burst: number, nowMs: number) => Bucket;

/** Before two requests have ended nothing is known about how often one does. */
const firstReleaseGapMs = 100;
const longestReleaseGapMs = 10_000;

const blocks = new CellBlocks(2);

/** The limits of one tenant, over all models or for one: both buckets, and a counter of requests under way. */
export class QuotaScope {
  /** What it limits; undefined: all models. */
  readonly model: string | undefined;
  readonly #open: OpenBucket;
  #quota: Quota;
  requests: Bucket | undefined;
  compute: Bucket | undefined;
  #underWay = 0;
  readonly #cells: Float64Array;
  readonly #at: number;

  constructor(model: string | undefined, quota: Quota, open: OpenBucket, nowMs: number) {
    this.model = model;
    this.#open = open;
    this.#quota = quota;
    const { cells, at } = blocks.next();
    this.#cells = cells;
    this.#at = at;
    this.#releasedAtMs = Number.NaN;
    this.#releaseGapMs = firstReleaseGapMs;
    this.refit(quota, nowMs);
  }

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
    return this.#releaseGapMs;
  }

  /** A new policy. A limit that was there keeps what is left of it; one that is new begins full. */
  refit(quota: Quota, nowMs: number): void {
    this.#quota = quota;
    this.requests = this.#refitted('r', this.requests, quota.requestsPerSecond, quota.burst, nowMs);
    this.compute = this.#refitted('c', this.compute, quota.computeMsPerSecond, quota.computeBurstMs, nowMs);
  }

  /** True when both buckets would pass it; charges nothing. */
  allows(computeMs: number, nowMs: number): boolean {
    // Both are always asked: a shared bucket learns from it what is wanted.
    const requests = this.requests === undefined || this.requests.allows(1, nowMs);
    return (this.compute === undefined || this.compute.allows(computeMs, nowMs)) && requests;
  }

  enter(computeMs: number, nowMs: number): void {
    this.#underWay += 1;
    this.requests?.charge(1, nowMs);
    this.compute?.charge(computeMs, nowMs);
  }

  giveBack(computeMs: number, nowMs: number): void {
    this.#leave();
    this.requests?.giveBack(1, nowMs);
    this.compute?.giveBack(computeMs, nowMs);
  }

  release(nowMs: number): void {
    this.#leave();
    if (!Number.isNaN(this.#releasedAtMs)) {
      const gapMs = Math.min(longestReleaseGapMs, Math.max(0, nowMs - this.#releasedAtMs));
      this.#releaseGapMs += (gapMs - this.#releaseGapMs) / 8;
    }
    this.#releasedAtMs = nowMs;
  }

  atRest(nowMs: number): boolean {
    return this.#underWay === 0 && (this.requests?.atRest(nowMs) ?? true) && (this.compute?.atRest(nowMs) ?? true);
  }

  /** NaN before the first. */
  get #releasedAtMs(): number {
    return this.#cells[this.#at] ?? 0;
  }
  set #releasedAtMs(value: number) {
    this.#cells[this.#at] = value;
  }
  get #releaseGapMs(): number {
    return this.#cells[this.#at + 1] ?? 0;
  }
  set #releaseGapMs(value: number) {
    this.#cells[this.#at + 1] = value;
  }

  /** A scope that a reload made anew is left by requests that never entered it. */
  #leave(): void {
    this.#underWay = Math.max(0, this.#underWay - 1);
  }

  #refitted(kind: 'r' | 'c', bucket: Bucket | undefined, ratePerSecond: number, burst: number, nowMs: number): Bucket | undefined {
    if (ratePerSecond === Infinity || burst === Infinity) return undefined;
    if (bucket === undefined) return this.#open(kind, ratePerSecond, burst, nowMs);
    bucket.refit(ratePerSecond, burst, nowMs);
    return bucket;
  }
}
