import type { PriorityPolicy } from '../../domain/gateway-table.js';
import type { TierPolicy } from '../../domain/traffic.js';

export interface TierPriority {
  /** 1 = highest. */
  readonly band: number;
  /** What was asked for, where that is more than the tier allows. */
  readonly loweredFrom: number | undefined;
}

/**
 * Band of a request within its tier. 0 is "none asked": the tier's default, else the model's, and neither above what the
 * tier allows. E.g. tier with maxPriority 3: asked 1 -> priority 3, lowered from 1; asked 4 -> 4; asked 0 where the
 * model's default band is 2 -> the band of priority 3, and nothing was lowered as nothing was asked for.
 *
 * @param asked 0 to 2^32 - 1, Triton's scale: 1 is the highest
 */
export function priorityFor(tier: TierPolicy, asked: number, policy: PriorityPolicy): TierPriority {
  if (asked !== 0 && asked < tier.maxPriority) return { band: bandOf(tier.maxPriority, policy), loweredFrom: asked };
  const wanted = asked === 0 ? (tier.defaultPriority ?? 0) : asked;
  const band = bandOf(wanted, policy);
  // The model's default band knows nothing of tiers. A tier without a bound of its own leaves it alone.
  const bounded = wanted === 0 && tier.maxPriority > 1 ? Math.max(band, bandOf(tier.maxPriority, policy)) : band;
  return { band: bounded, loweredFrom: undefined };
}

/** 0: the model's default band; past the last band: the last. */
export function bandOf(priority: number, policy: PriorityPolicy): number {
  return priority === 0 ? policy.defaultBand : (policy.map.get(priority) ?? Math.min(priority, policy.bands));
}
