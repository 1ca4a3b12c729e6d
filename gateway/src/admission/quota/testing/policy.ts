import { noQuota, unlimitedTier } from '../../../domain/traffic.js';
import type { Quota, TierPolicy } from '../../../domain/traffic.js';
import { CellBlocks } from '../cells.js';
import type { QuotaTenant } from '../quotas.js';
import { scopeCells } from '../scope.js';

/** A tier without limits but those named. */
export function tier(quota: Partial<Quota> = {}, models: Readonly<Record<string, Partial<Quota>>> = {}): TierPolicy {
  return {
    ...unlimitedTier,
    name: 'gold',
    ...quota,
    models: new Map(Object.entries(models).map(([model, own]) => [model, { ...noQuota, ...own }])),
  };
}

const blocks = new CellBlocks(scopeCells.all);

/** A tenant whose policy a test may replace. */
export interface TestTenant extends QuotaTenant {
  policy: TierPolicy;
}

export function tenant(policy: TierPolicy, name = 'acme'): TestTenant {
  return { name, policy, quota: undefined, ...blocks.next() };
}
