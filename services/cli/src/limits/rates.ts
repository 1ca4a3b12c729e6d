import type { LimitsResponse__Output, TenantUse__Output } from '@headrace/proto';

/** One sample of what a gateway says. */
export interface LimitsSample {
  readonly atMs: number;
  readonly response: LimitsResponse__Output;
}

/** A line of the table: what a tenant takes per second, of what it may. Limit 0: none. */
export interface TenantLine {
  readonly tenant: string;
  readonly tier: string;
  readonly weight: number;
  readonly requests: RateOf;
  readonly computeMs: RateOf;
  readonly inFlight: number;
  readonly concurrencyLimit: number;
  readonly admittedPerSecond: number;
  readonly refusedPerSecond: number;
  /** The most frequent first. */
  readonly refusedBy: readonly { readonly reason: string; readonly perSecond: number }[];
}

export interface RateOf {
  readonly usedPerSecond: number;
  readonly limitPerSecond: number;
  /** What could be taken at the moment of the second sample. */
  readonly left: number;
}

/** Counters of two samples -> rates. A counter that fell is one that started anew (the gateway did, or forgot an idle tenant). */
export function tenantLines(before: LimitsSample, after: LimitsSample): TenantLine[] {
  const seconds = Math.max(after.atMs - before.atMs, 1) / 1000;
  const earlier = new Map(before.response.tenants.map((tenant) => [tenant.tenant, tenant]));
  return after.response.tenants.map((tenant) => lineOf(tenant, earlier.get(tenant.tenant), seconds));
}

function lineOf(now: TenantUse__Output, before: TenantUse__Output | undefined, seconds: number): TenantLine {
  // Unknown a moment ago: it came meanwhile, and all it did is of this interval.
  const perSecond = (later: number | string, sooner: number | string | undefined): number => {
    const grown = Number(later) - Number(sooner ?? 0);
    return (grown < 0 ? Number(later) : grown) / seconds;
  };
  const rate = (use: TenantUse__Output['requests'], sooner: TenantUse__Output['requests'] | undefined): RateOf => ({
    usedPerSecond: perSecond(use?.used ?? 0, sooner?.used),
    limitPerSecond: use?.limit ?? 0,
    left: use?.left ?? 0,
  });
  const refusedBy = Object.entries(now.refused)
    .map(([reason, count]) => ({ reason, perSecond: perSecond(count, before?.refused[reason]) }))
    .filter((refused) => refused.perSecond > 0)
    .sort((left, right) => right.perSecond - left.perSecond);
  return {
    tenant: now.tenant,
    tier: now.tier,
    weight: now.weight,
    requests: rate(now.requests, before?.requests),
    computeMs: rate(now.compute_ms, before?.compute_ms),
    inFlight: Number(now.in_flight),
    concurrencyLimit: Number(now.concurrency_limit),
    admittedPerSecond: perSecond(now.admitted, before?.admitted),
    refusedPerSecond: refusedBy.reduce((sum, refused) => sum + refused.perSecond, 0),
    refusedBy,
  };
}
