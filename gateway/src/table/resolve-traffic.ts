import { noQuota, unlimitedTier } from '../domain/traffic.js';
import type { IdentitySource, Quota, RedisTarget, SharedQuotaPolicy, TenantPolicy, TierPolicy, TrafficPolicy } from '../domain/traffic.js';
import type { TrafficPolicy as TrafficPolicyDocument } from '../gen/traffic-policy.js';

export type TrafficSpec = TrafficPolicyDocument['spec'];
type Tier = NonNullable<TrafficSpec['tiers']>[number];
type Tenant = NonNullable<TrafficSpec['tenants']>[number];
type Identity = NonNullable<TrafficSpec['identity']>[number];
type Shared = NonNullable<TrafficSpec['shared']>;
type QuotaWords = Omit<NonNullable<Tier['models']>[number], 'name'>;

/** Fills in every default. The policy has been validated and its meaning checked. */
export function resolveTraffic(spec: TrafficSpec): TrafficPolicy {
  const tiers = new Map((spec.tiers ?? []).map((tier) => [tier.name, resolveTier(tier, { ...unlimitedTier, name: tier.name })]));
  const defaultTier = tiers.get(spec.defaultTier ?? '') ?? unlimitedTier;
  const percent = spec.bypass?.maxSharePercent;
  return {
    identity: (spec.identity ?? []).map(resolveIdentity),
    requireIdentity: spec.requireIdentity ?? false,
    tiers,
    tenants: new Map((spec.tenants ?? []).map((tenant) => [tenant.name, resolveTenant(tenant, tiers, defaultTier)])),
    defaultTier,
    shared: spec.shared === undefined ? undefined : resolveShared(spec.shared),
    bypassMaxShare: percent === undefined ? undefined : percent / 100,
    shadow: spec.mode === 'Shadow',
  };
}

function resolveTenant(tenant: Tenant, tiers: ReadonlyMap<string, TierPolicy>, defaultTier: TierPolicy): TenantPolicy {
  return { name: tenant.name, policy: resolveTier(tenant, tiers.get(tenant.tier ?? '') ?? defaultTier) };
}

/** What is said wins key by key over `base`; the name stays that of the tier. */
function resolveTier(own: Omit<Tier, 'name'>, base: TierPolicy): TierPolicy {
  return {
    ...resolveQuota(own, base),
    name: base.name,
    weight: own.weight ?? base.weight,
    defaultPriority: own.defaultPriority ?? base.defaultPriority,
    maxPriority: own.maxPriority ?? base.maxPriority,
    deadlineMs: own.deadlineMilliseconds ?? base.deadlineMs,
    models: new Map([
      ...base.models,
      ...(own.models ?? []).map((model) => [model.name, resolveQuota(model, base.models.get(model.name) ?? noQuota)] as const),
    ]),
  };
}

/**
 * A burst that is not said follows a rate that is: a tenant with 500 requests per second in a tier of 20 with burst 40
 * may send 500 at once, not 40.
 */
function resolveQuota(own: QuotaWords, base: Quota): Quota {
  const { requestsPerSecond: rate, computeMillisecondsPerSecond: computeRate } = own;
  return {
    requestsPerSecond: rate ?? base.requestsPerSecond,
    burst: own.burst ?? (rate === undefined ? base.burst : Math.max(rate, 1)),
    computeMsPerSecond: computeRate ?? base.computeMsPerSecond,
    computeBurstMs: own.computeBurstMilliseconds ?? (computeRate === undefined ? base.computeBurstMs : Math.max(computeRate, 1)),
    concurrency: own.concurrency ?? base.concurrency,
  };
}

function resolveIdentity(source: Identity): IdentitySource {
  const { clientCertificate, jwt, apiKeys, header = '' } = source;
  if (clientCertificate !== undefined) return { kind: 'clientCertificate', from: clientCertificate };
  if (apiKeys !== undefined) return { kind: 'apiKey', file: apiKeys.file, header: apiKeys.header ?? 'authorization' };
  if (jwt === undefined) return { kind: 'header', header };
  return {
    kind: 'jwt',
    issuer: jwt.issuer,
    audience: jwt.audience,
    claim: jwt.claim ?? 'sub',
    tierClaim: jwt.tierClaim,
    keys: jwt.jwksUri === undefined ? { kind: 'file', file: jwt.jwksFile ?? '' } : { kind: 'uri', uri: jwt.jwksUri },
  };
}

function resolveShared({ redis, onUnavailable }: Shared): SharedQuotaPolicy {
  return { redis: resolveRedis(redis), onUnavailable: onUnavailable === 'Refuse' ? 'refuse' : 'localShare' };
}

function resolveRedis(redis: Shared['redis']): RedisTarget {
  return {
    kind: redis.sentinelName !== undefined ? 'sentinel' : redis.cluster === true ? 'cluster' : 'single',
    addresses: redis.addresses,
    sentinelName: redis.sentinelName,
    username: redis.username,
    passwordFile: redis.passwordFile,
    tls: redis.tls === undefined ? undefined : { authorityFile: redis.tls.authorityFile, serverName: redis.tls.serverName },
  };
}
