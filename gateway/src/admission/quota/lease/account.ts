import { createHash } from 'node:crypto';
import { LeasedBucket } from './leased-bucket.js';
import type { Exchange } from './keeper.js';

/**
 * The buckets of one tenant at this gateway, and where its exchange stands. What an ask alone needs is made for it and not kept: a gateway has
 * 100,000 of these.
 */
export class LeaseAccount {
  readonly #tenant: string;
  readonly #gateway: string;
  readonly #number: number;
  /** Grows with the models that the tenant uses and its policy limits. Replaced as a whole: an array that grows keeps room for 16 more. */
  buckets: readonly LeasedBucket[] = [];
  sequence = 0;
  /** In the queue for an exchange: a tenant is there once. */
  queued = false;
  /** On the list of those who hold something. */
  listed = false;
  exchange: Exchange | undefined;
  /** Whole milliseconds, which V8 keeps in the object itself. */
  lastSentMs = longAgoMs;
  /** There was an answer; none, and a failing store: nothing is known of this tenant. */
  answered = false;
  /** The last exchange failed. */
  failed = false;

  /** @param number of this tenant's state among all that the gateway ever made */
  constructor(tenant: string, gateway: string, number: number) {
    this.#tenant = tenant;
    this.#gateway = gateway;
    this.#number = number;
  }

  get tenantKey(): string {
    return digest(this.#tenant);
  }

  get epoch(): string {
    return `${this.#gateway}.${this.#number}`;
  }

  /** Of the tenant's limit over all models or at one. One that a reload took away and another brought back is the same one, with what was used of it. */
  bucket(model: string | undefined, kind: 'r' | 'c', ratePerSecond: number, burst: number, nowMs: number): LeasedBucket {
    const name = model === undefined ? kind : `${kind}.${digest(model)}`;
    const known = this.buckets.find((each) => each.name === name);
    if (known !== undefined) {
      known.refit(ratePerSecond, burst, nowMs);
      return known;
    }
    const bucket = new LeasedBucket(name, ratePerSecond, burst, nowMs);
    this.buckets = [...this.buckets, bucket];
    return bucket;
  }
}

const longAgoMs = -1_000_000;

/** Names come from callers: whatever they hold, a key is 22 harmless characters. 128 bits of SHA-256 do not collide by accident or by effort. */
function digest(name: string): string {
  return createHash('sha256').update(name).digest().subarray(0, 16).toString('base64url');
}
