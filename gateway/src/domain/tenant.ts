import type { TierPolicy } from './traffic.js';

/**
 * One per tenant and gateway process, and the same object for as long as the tenant is known: what admission and the
 * lanes know of a tenant hangs on it, so that a request costs one map look-up.
 */
export interface Tenant {
  /** '' for all callers that nothing names. */
  readonly name: string;
  /** Free of the braces, colons and control characters that mean something in Redis keys; one per name. */
  readonly key: string;
  /** Replaced when the policy is; read it anew for each request. */
  readonly policy: TierPolicy;
  /** Its share of the service relative to other tenants': the policy's word at this moment. */
  readonly weight: number;
  /** The policy names it. */
  readonly named: boolean;
  /** In metrics: its name where the policy names it and not too many others before it. */
  readonly label: string;
  /** Requests under way; while there are some the tenant is not forgotten. Its user counts up and down. */
  underWay: number;
}
