import { tenantNameProblem } from '../domain/tenant-name.js';
import { endpointProblem } from './address.js';
import { checkIdentity } from './check-identity.js';
import { checkUnique } from './report.js';
import type { Report } from './report.js';
import type { TrafficSpec } from './resolve-traffic.js';

type Tier = NonNullable<TrafficSpec['tiers']>[number];
type QuotaWords = Omit<NonNullable<Tier['models']>[number], 'name'>;
type TierWords = Omit<Tier, 'name'>;

/** What the schema of a TrafficPolicy cannot say; `path` is where the spec is in its document. All problems at once. */
export function checkTraffic(spec: TrafficSpec, path: string, report: Report): void {
  const { identity = [], tiers = [], tenants = [], defaultTier } = spec;
  identity.forEach((source, i) => checkIdentity(source, `${path}.identity[${i}]`, report));
  if (spec.requireIdentity === true && identity.length === 0) {
    report(`${path}.requireIdentity`, 'refuses everybody: identity has no source that could name a caller');
  }

  checkNames(tiers, `${path}.tiers`, report);
  checkNames(tenants, `${path}.tenants`, report);
  const byName = new Map(tiers.map((tier) => [tier.name, tier]));
  const unknown = (name: string): string =>
    `no tier is called ${JSON.stringify(name)}; the policy has ${[...byName.keys()].slice(0, 10).join(', ') || 'no tiers'}`;
  if (defaultTier === undefined && tiers.length > 0) {
    report(`${path}.defaultTier`, 'is required where there are tiers: it limits the callers that nothing puts into another');
  }
  if (defaultTier !== undefined && !byName.has(defaultTier)) report(`${path}.defaultTier`, unknown(defaultTier));

  tiers.forEach((tier, i) => checkTier(tier, {}, `${path}.tiers[${i}]`, report));
  tenants.forEach((tenant, i) => {
    const here = `${path}.tenants[${i}]`;
    const problem = tenantNameProblem(tenant.name);
    if (problem !== undefined) report(`${here}.name`, problem);
    if (tenant.tier !== undefined && !byName.has(tenant.tier)) report(`${here}.tier`, unknown(tenant.tier));
    checkTier(tenant, byName.get(tenant.tier ?? defaultTier ?? '') ?? {}, here, report);
  });
  if (spec.shared !== undefined) checkRedis(spec.shared.redis, `${path}.shared.redis`, report);
}

function checkNames(list: readonly { readonly name: string }[], path: string, report: Report): void {
  checkUnique(
    list.map(({ name }) => name),
    path,
    report,
  );
}

/** `base` is what holds where `own` says nothing. */
function checkTier(own: TierWords, base: TierWords, path: string, report: Report): void {
  checkQuota(own, base, path, report);
  const highest = own.maxPriority ?? base.maxPriority ?? 1;
  const preset = own.defaultPriority ?? base.defaultPriority;
  if (preset !== undefined && preset < highest && (own.maxPriority ?? own.defaultPriority) !== undefined) {
    const field = own.defaultPriority === undefined ? 'maxPriority' : 'defaultPriority';
    report(
      `${path}.${field}`,
      `a request without a priority would get ${preset}, which is above the highest allowed, ${highest} (1 is the highest of all)`,
    );
  }
  const baseModels = new Map((base.models ?? []).map((model) => [model.name, model]));
  checkNames(own.models ?? [], `${path}.models`, report);
  (own.models ?? []).forEach((model, i) => checkQuota(model, baseModels.get(model.name) ?? {}, `${path}.models[${i}]`, report));
}

function checkQuota(own: QuotaWords, base: QuotaWords, path: string, report: Report): void {
  const pairs = [
    ['burst', 'requestsPerSecond'],
    ['computeBurstMilliseconds', 'computeMillisecondsPerSecond'],
  ] as const;
  for (const [burst, rate] of pairs) {
    if (own[burst] === undefined || (own[rate] ?? base[rate]) !== undefined) continue;
    report(`${path}.${burst}`, `limits nothing without ${rate}; give that too`);
  }
}

function checkRedis(redis: NonNullable<TrafficSpec['shared']>['redis'], path: string, report: Report): void {
  redis.addresses.forEach((address, i) => {
    const problem = endpointProblem(address);
    if (problem !== undefined) report(`${path}.addresses[${i}]`, problem);
  });
  checkUnique(redis.addresses, `${path}.addresses`, report, '');
  const several = redis.addresses.length > 1;
  if (redis.cluster === true && redis.sentinelName !== undefined) {
    report(`${path}.sentinelName`, 'a cluster has no sentinels: expected one of cluster and sentinelName');
  } else if (several && redis.cluster !== true && redis.sentinelName === undefined) {
    report(
      `${path}.sentinelName`,
      `${redis.addresses.length} addresses: expected sentinelName (they are sentinels) or cluster: true (they are nodes of a cluster)`,
    );
  }
}
