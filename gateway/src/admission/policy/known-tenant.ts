import type { Tenant } from '../../domain/tenant.js';
import type { TierPolicy } from '../../domain/traffic.js';

/** The directory's own side of a Tenant: what the stages may not change, and its links in the order of eviction. */
export class KnownTenant implements Tenant {
  readonly name: string;
  readonly slots: unknown[];
  policy: TierPolicy;
  named: boolean;
  /** As the last caller proved it. */
  claimedTier: string | undefined;
  underWay = 0;
  /** Whole milliseconds, which V8 keeps in the object itself; a fraction would be a second object to touch. */
  usedMs = 0;
  /** When it was last put at the front of the order. */
  renewedMs = 0;
  /** Since then. */
  usedAgain = false;
  newer: KnownTenant | undefined;
  older: KnownTenant | undefined;

  /** @param slots how many there are by now: an array that grows as it is filled takes 17 places for the first one */
  constructor(name: string, policy: TierPolicy, named: boolean, claimedTier: string | undefined, slots: number) {
    this.name = name;
    this.slots = Array.from({ length: slots });
    this.policy = policy;
    this.named = named;
    this.claimedTier = claimedTier;
  }

  /** Made when asked for: it is needed once a lease, not once a request. '%' alone is no percent-encoded name. */
  get key(): string {
    return this.name === '' ? '%' : encodeURIComponent(this.name);
  }
}
