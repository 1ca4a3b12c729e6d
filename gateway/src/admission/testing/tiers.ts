import { unlimitedTier } from '../../domain/traffic.js';
import type { TierPolicy, TrafficPolicy } from '../../domain/traffic.js';

/** A tier without limits, but for what a test says. */
export function tierOf(words: Partial<TierPolicy> = {}): TierPolicy {
  return { ...unlimitedTier, name: 'free', ...words };
}

/** A policy of these tiers, the first being everybody's, and of tenants by name. */
export function policyOf(tiers: readonly TierPolicy[] = [tierOf()], tenants: Readonly<Record<string, TierPolicy>> = {}): TrafficPolicy {
  return {
    identity: [],
    requireIdentity: false,
    tiers: new Map(tiers.map((tier) => [tier.name, tier])),
    tenants: new Map(Object.entries(tenants).map(([name, policy]) => [name, { name, policy }])),
    defaultTier: tiers[0] ?? tierOf(),
    shared: undefined,
    bypassMaxShare: undefined,
    shadow: false,
  };
}
