import type { BucketAsk, LeaseAnswer, LeaseAsk } from '../../../domain/lease-store.js';
import { exchangeBucket } from './book.js';
import type { SharedBucket } from './book.js';

export interface LeaseBookOptions {
  /** Buckets kept; about a kilobyte each with four gateways. Default: 65,536. */
  readonly maxBuckets?: number;
}

const defaultMaxBuckets = 65_536;
/** As in redis/script.ts. */
const maxBucketsPerAsk = 64;
const longestTtlMs = 3_600_000;
/** Of one bucket at a time. Many more than there are workers, since a tenant that is forgotten and comes again has a new epoch. */
const maxGateways = 256;
/** Looked at by one sweep: all of a full book in 16 s of beats. */
const sweptAtOnce = 1_024;

/**
 * The shared buckets of a fleet that lives on one machine, in memory: what Redis is to others. Bounded: a bucket that would be full again
 * and has no leases is forgotten by sweeps, and beyond `maxBuckets` the one that was not asked about for longest is; its tenant then begins
 * anew, as if a Redis had lost its data. Tenants that invent names cost those who are busy nothing, as these were asked about of late.
 */
export class LeaseBook {
  readonly #maxBuckets: number;
  /** Those asked about last come last. */
  readonly #buckets = new Map<string, SharedBucket>();
  #toSweep: string[] = [];

  constructor(options: LeaseBookOptions = {}) {
    this.#maxBuckets = options.maxBuckets ?? defaultMaxBuckets;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** See LeaseStore. Throws on an ask that no gateway makes; nothing is changed then. */
  exchange(ask: LeaseAsk, nowMs: number): readonly LeaseAnswer[] | undefined {
    check(ask);
    for (const { name } of ask.buckets) this.#checkRoom(keyOf(ask, name), ask.epoch, nowMs);
    const answers: LeaseAnswer[] = [];
    for (const bucketAsk of ask.buckets) {
      const key = keyOf(ask, bucketAsk.name);
      const answer = exchangeBucket(this.#buckets, key, ask, bucketAsk, nowMs);
      if (answer === undefined) return undefined;
      this.#askedLast(key);
      answers.push(answer);
    }
    return answers;
  }

  /** To be called a few times a second: forgets what is at rest. Bounded in work. */
  sweep(nowMs: number): void {
    if (this.#toSweep.length === 0) this.#toSweep = [...this.#buckets.keys()];
    for (const key of this.#toSweep.splice(-sweptAtOnce)) {
      if ((this.#buckets.get(key)?.untilMs ?? Infinity) <= nowMs) this.#buckets.delete(key);
    }
  }

  #askedLast(key: string): void {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size <= this.#maxBuckets) return;
    for (const longest of this.#buckets.keys()) {
      this.#buckets.delete(longest);
      break;
    }
  }

  #checkRoom(key: string, epoch: string, nowMs: number): void {
    const gateways = this.#buckets.get(key)?.gateways;
    if (gateways === undefined || gateways.size < maxGateways || gateways.has(epoch)) return;
    let live = 0;
    for (const { untilMs } of gateways.values()) if (untilMs > nowMs) live += 1;
    if (live >= maxGateways)
      throw new Error(`lease book: expected at most ${maxGateways} gateways with leases of one bucket, one more asks`);
  }
}

function keyOf({ tenantKey }: LeaseAsk, name: string): string {
  return `${tenantKey}:${name}`;
}

/** The same ranges as in redis/script.ts: what comes by message may have lost numbers on the way (JSON has no NaN and no Infinity). */
function check({ tenantKey, epoch, sequence, ttlMs, buckets }: LeaseAsk): void {
  const named = [tenantKey, epoch, ...buckets.map(({ name }) => name)].every((text) => /^[\w.-]{1,64}$/.test(text));
  const counted = inRange(sequence, 1) && inRange(ttlMs, 1, longestTtlMs) && buckets.length > 0 && buckets.length <= maxBucketsPerAsk;
  if (named && counted && buckets.every(isBucketAsk)) return;
  throw new Error('lease book: expected names of 1 to 64 letters and digits, 1 to 64 buckets, and all numbers in their ranges');
}

function isBucketAsk({ ratePerSecond, burst, total, owed, want, usePerSecond, initial }: BucketAsk): boolean {
  return [ratePerSecond, burst, owed, want, usePerSecond].every((value) => inRange(value, 0)) && inRange(total) && inRange(initial);
}

function inRange(value: number, least = -Number.MAX_SAFE_INTEGER - 1, most = Number.MAX_SAFE_INTEGER + 1): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}
