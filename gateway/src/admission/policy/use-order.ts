import type { KnownTenant } from './known-tenant.js';

/**
 * Tenants from the most to the least recently used; each step is a few pointers, whatever their number.
 *
 *     newest <-> ... <-> oldest
 *       (newer <- tenant -> older)
 */
export class UseOrder {
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
  touch(tenant: KnownTenant): void {
    if (this.#newest === tenant) return;
    this.remove(tenant);
    this.add(tenant);
  }
}
