/**
 * The TrafficPolicy with every default filled in; immutable, replaced as a whole on reload. Amounts are in the units of
 * their names; Infinity is "no limit". Priorities are Triton's: 1 is the highest.
 */
export interface TrafficPolicy {
  /** Tried in this order; the first that says who it is decides. */
  readonly identity: readonly IdentitySource[];
  /** Refuse callers that nothing names; otherwise they are one anonymous tenant. */
  readonly requireIdentity: boolean;
  readonly tiers: ReadonlyMap<string, TierPolicy>;
  /** Those that the policy names; only they may be a metric's label. */
  readonly tenants: ReadonlyMap<string, TenantPolicy>;
  readonly defaultTier: TierPolicy;
  /** Quotas that a fleet shares; undefined: each gateway counts for itself. */
  readonly shared: SharedQuotaPolicy | undefined;
  /** 0..1 of a model's execution time that what skips the lanes may take; undefined: the models' own setting. */
  readonly bypassMaxShare: number | undefined;
  /** Counts what it would refuse, and refuses nothing. */
  readonly shadow: boolean;
}

/** What each tenant of a tier may use. Limits hold for one tenant, not for the tier as a whole. */
export interface TierPolicy extends Quota {
  readonly name: string;
  /** Share of the service relative to other tenants' while there is more than can be served. */
  readonly weight: number;
  /** Of a request without one; undefined: the model's default band. */
  readonly defaultPriority: number | undefined;
  /** A request that asks for more (a smaller number) is lowered to this and told so. */
  readonly maxPriority: number;
  /** Longest time from arrival to reply. */
  readonly deadlineMs: number;
  /** Limits for one model beside those above: both must hold. */
  readonly models: ReadonlyMap<string, Quota>;
}

export interface Quota {
  readonly requestsPerSecond: number;
  /** Requests that may come at once after a quiet time. */
  readonly burst: number;
  /** Rows x the model's reference cost, per second. */
  readonly computeMsPerSecond: number;
  readonly computeBurstMs: number;
  /** Requests under way at once. */
  readonly concurrency: number;
}

export const noQuota: Quota = {
  requestsPerSecond: Infinity,
  burst: Infinity,
  computeMsPerSecond: Infinity,
  computeBurstMs: Infinity,
  concurrency: Infinity,
};

/** A tier that limits nothing: what holds where a policy says nothing. */
export const unlimitedTier: TierPolicy = {
  ...noQuota,
  name: 'default',
  weight: 1,
  defaultPriority: undefined,
  maxPriority: 1,
  deadlineMs: Infinity,
  models: new Map(),
};

export interface TenantPolicy {
  readonly name: string;
  /** The tier's policy with the tenant's own words over it. */
  readonly policy: TierPolicy;
}

export type IdentitySource =
  | { readonly kind: 'clientCertificate'; readonly from: 'uri' | 'dns' | 'commonName' }
  | {
      readonly kind: 'jwt';
      readonly issuer: string;
      /** Undefined: any. */
      readonly audience: string | undefined;
      /** Where the tenant's name is. */
      readonly claim: string;
      /** Where a tier's name is; undefined: tokens name none. */
      readonly tierClaim: string | undefined;
      readonly keys: { readonly kind: 'uri'; readonly uri: string } | { readonly kind: 'file'; readonly file: string };
    }
  | { readonly kind: 'apiKey'; readonly file: string; readonly header: string }
  | { readonly kind: 'header'; readonly header: string };

export interface SharedQuotaPolicy {
  readonly redis: RedisTarget;
  /** What happens to a tenant's requests while Redis cannot be asked. */
  readonly onUnavailable: 'localShare' | 'refuse';
}

export interface RedisTarget {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** "host:port" each. */
  readonly addresses: readonly string[];
  /** Of the primary that the sentinels watch; undefined for the other kinds. */
  readonly sentinelName: string | undefined;
  readonly username: string | undefined;
  /** Read when a connection is opened, so that a rotated secret is taken. */
  readonly passwordFile: string | undefined;
  readonly tls: { readonly authorityFile: string | undefined; readonly serverName: string | undefined } | undefined;
}

/** Who asks, as far as it is known. Proven: by a certificate, a signed token or a key, and not by its own word alone. */
export interface Caller {
  /** '' for a caller that nothing names. */
  readonly tenant: string;
  /** A tier that a proven source names; it wins over the policy's default, not over a tenant's own entry. */
  readonly tier: string | undefined;
  readonly proven: boolean;
}

export const anonymous: Caller = { tenant: '', tier: undefined, proven: false };
