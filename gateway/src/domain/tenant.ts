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
  /** The policy names it, so it may be a metric's label. */
  readonly named: boolean;
  /** What other stages keep of it; see TenantSlot. */
  readonly slots: unknown[];
  /** Requests under way; while there are some the tenant is not forgotten. Its user counts up and down. */
  underWay: number;
}

/** A typed place in every tenant for one stage's state. */
export class TenantSlot<T> {
  readonly #index: number;

  constructor(index: number) {
    this.#index = index;
  }

  get(tenant: Tenant): T | undefined {
    return tenant.slots[this.#index] as T | undefined;
  }

  set(tenant: Tenant, state: T): void {
    const { slots } = tenant;
    while (slots.length <= this.#index) slots.push(undefined);
    slots[this.#index] = state;
  }
}
