import type { Quota, TierPolicy } from '../../../domain/traffic.js';
import type { QuotaTenant } from '../tenant-quota.js';

export const unlimited: Quota = {
  requestsPerSecond: Infinity,
  burst: Infinity,
  computeMsPerSecond: Infinity,
  computeBurstMs: Infinity,
  concurrency: Infinity,
};

/** A tier without limits but those named. */
export function tier(quota: Partial<Quota> = {}, models: Readonly<Record<string, Partial<Quota>>> = {}): TierPolicy {
  return {
    name: 'gold',
    weight: 1,
    defaultPriority: undefined,
    maxPriority: 1,
    deadlineMs: Infinity,
    ...unlimited,
    ...quota,
    models: new Map(Object.entries(models).map(([model, own]) => [model, { ...unlimited, ...own }])),
  };
}

/** A tenant whose policy a test may replace. */
export interface TestTenant extends QuotaTenant {
  policy: TierPolicy;
}

export function tenant(policy: TierPolicy, name = 'acme'): TestTenant {
  return { name, policy, quota: undefined };
}
