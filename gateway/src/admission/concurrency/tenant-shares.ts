/** As much of a tenant as its share needs. */
export interface Sharer {
  readonly weight: number;
}

/**
 * What each tenant has under way at one model, and what is its share of the limit: by weight, among those who have something
 * under way. Memory: those alone, so never more than the limit.
 */
export class TenantShares<T extends Sharer> {
  readonly #underWay = new Map<T, number>();
  #weights = 0;

  /** Whether one more leaves the tenant within its share of `requests`. */
  isWithin(tenant: T, requests: number): boolean {
    const underWay = this.#underWay.get(tenant) ?? 0;
    const weights = this.#weights + (underWay === 0 ? tenant.weight : 0);
    return underWay + 1 <= (requests * tenant.weight) / weights;
  }

  entered(tenant: T): void {
    const underWay = this.#underWay.get(tenant) ?? 0;
    this.#underWay.set(tenant, underWay + 1);
    if (underWay === 0) this.#weights += tenant.weight;
  }

  left(tenant: T): void {
    const underWay = this.#underWay.get(tenant);
    if (underWay === undefined) return;
    if (underWay > 1) {
      this.#underWay.set(tenant, underWay - 1);
      return;
    }
    this.#underWay.delete(tenant);
    // A weight may have changed since it came: with nobody there the sum begins anew.
    this.#weights = this.#underWay.size === 0 ? 0 : Math.max(0, this.#weights - tenant.weight);
  }
}
