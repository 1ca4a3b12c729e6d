import type { RefusalReason } from '@headrace/runtime';
import type { Tenant } from '../../domain/tenant.js';
import type { TierPolicy } from '../../domain/traffic.js';
import type { TenantQuota } from '../quota/tenant-quota.js';

/** Metrics' label of all tenants that have none of their own. */
export const otherTenants = '(other)';

/** The directory's own side of a Tenant: what the stages may not change, and its links in the order of eviction. */
export class KnownTenant implements Tenant {
  readonly name: string;
  policy: TierPolicy;
  named: boolean;
  label = otherTenants;
  /** As the last caller proved it. */
  claimedTier: string | undefined;
  underWay = 0;
  /** Requests let in, and the compute that they were charged; for people. */
  admitted = 0;
  computeMs = 0;
  /** Why others were not (in shadow mode: would not have been); undefined for none. */
  refused: Map<RefusalReason, number> | undefined;
  /** Of Quotas alone. */
  quota: TenantQuota | undefined;
  /** Whole milliseconds, which V8 keeps in the object itself; a fraction would be a second object to touch. */
  usedMs = 0;
  /** When it was last put at the front of the order. */
  renewedMs = 0;
  /** Since then. */
  usedAgain = false;
  newer: KnownTenant | undefined;
  older: KnownTenant | undefined;

  constructor(name: string, policy: TierPolicy, named: boolean, claimedTier: string | undefined) {
    this.name = name;
    this.policy = policy;
    this.named = named;
    this.claimedTier = claimedTier;
  }

  get weight(): number {
    return this.policy.weight;
  }

  /** Made when asked for: it is needed once a lease, not once a request. '%' alone is no percent-encoded name. */
  get key(): string {
    return this.name === '' ? '%' : encodeURIComponent(this.name);
  }
}
