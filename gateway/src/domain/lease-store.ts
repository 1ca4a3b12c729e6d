/**
 * The place where a fleet's gateways share the buckets of a tenant. One call is one round trip. A store need not know a gateway:
 * the first ask of an epoch introduces it, and a gateway that is silent for `ttlMs` is forgotten.
 */
export interface LeaseStore {
  /** One answer for each bucket, in their order; undefined: this ask was overtaken by a later one. Rejects when the store cannot be asked; settles in any case, as asks are bounded by those that have not. */
  exchange(ask: LeaseAsk): Promise<readonly LeaseAnswer[] | undefined>;
}

export interface LeaseAsk {
  /** Names the tenant without its name; what a store shards by. */
  readonly tenantKey: string;
  /** Of this tenant at this gateway since its state was made; never used again. */
  readonly epoch: string;
  /** Grows with each ask of an epoch: the lease's number. */
  readonly sequence: number;
  /** The lease ends this long after the store answered, by the store's clock. */
  readonly ttlMs: number;
  readonly buckets: readonly BucketAsk[];
}

export interface BucketAsk {
  /** Among the tenant's buckets. */
  readonly name: string;
  readonly ratePerSecond: number;
  readonly burst: number;
  /** All that the epoch has admitted so far: a sum instead of a difference, so that an answer or a store that was lost is made good by the next ask. */
  readonly total: number;
  /** The part of it that no lease covered; counts where the store does not know the epoch. */
  readonly owed: number;
  /** How much the gateway wants to hold after the exchange; what it holds above that goes back. */
  readonly want: number;
  /** What it was asked for of late, per second: decides its share. */
  readonly usePerSecond: number;
  /** What a bucket holds that the store does not know. */
  readonly initial: number;
}

export interface LeaseAnswer {
  /** What the gateway holds now, counted from `total`. */
  readonly lease: number;
  /** What the bucket holds after that; negative while it pays off. */
  readonly level: number;
  /** This gateway's part of the tenant's use, in (0, 1]; those of a fleet add up to 1. */
  readonly share: number;
}
