import type { KnownTenant } from './known-tenant.js';

/**
 * Second chance (the CLOCK algorithm, Corbato 1968) as a list: a use marks the tenant and moves nothing, so that it
 * touches one object; what is marked goes to the front again when its turn comes at the back. Strict order of use would
 * write to four neighbours at each request, which among 100,000 tenants are as many misses of the processor's cache.
 *
 *     newest <-> ... <-> oldest
 *       (newer <- tenant -> older)
 */
export class EvictionOrder {
  #newest: KnownTenant | undefined;
  #oldest: KnownTenant | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): KnownTenant | undefined {
    return this.#oldest;
  }

  add(tenant: KnownTenant): void {
    tenant.usedAgain = false;
    tenant.older = this.#newest;
    tenant.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = tenant;
    this.#newest = tenant;
    this.#oldest ??= tenant;
    this.#size++;
  }

  remove(tenant: KnownTenant): void {
    if (tenant.newer === undefined) this.#newest = tenant.older;
    else tenant.newer.older = tenant.older;
    if (tenant.older === undefined) this.#oldest = tenant.newer;
    else tenant.older.newer = tenant.newer;
    tenant.newer = undefined;
    tenant.older = undefined;
    this.#size--;
  }

  /** To the front. */
  renew(tenant: KnownTenant): void {
    this.remove(tenant);
    this.add(tenant);
  }
}
