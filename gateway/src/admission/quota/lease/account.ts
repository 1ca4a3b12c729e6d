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
  /** A list of its own links: an array of two would be as large as they are. It grows with the models that the tenant uses and its policy limits. */
  #newest: LeasedBucket | undefined;
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
    for (let known = this.#newest; known !== undefined; known = known.older) {
      if (known.name !== name) continue;
      known.refit(ratePerSecond, burst, nowMs);
      return known;
    }
    this.#newest = new LeasedBucket(name, ratePerSecond, burst, nowMs, this.#newest);
    return this.#newest;
  }

  /** Oldest first. */
  get buckets(): readonly LeasedBucket[] {
    const all: LeasedBucket[] = [];
    for (let each = this.#newest; each !== undefined; each = each.older) all.push(each);
    return all.toReversed();
  }

  /** One of them has something to report, or too little in hand. */
  needsExchange(): boolean {
    for (let each = this.#newest; each !== undefined; each = each.older) if (each.needsExchange()) return true;
    return false;
  }
}

const longAgoMs = -1_000_000;

/** Names come from callers: whatever they hold, a key is 22 harmless characters. 128 bits of SHA-256 do not collide by accident or by effort. */
function digest(name: string): string {
  return createHash('sha256').update(name).digest().subarray(0, 16).toString('base64url');
}
