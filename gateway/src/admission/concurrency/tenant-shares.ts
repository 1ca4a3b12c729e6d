/** As much of a tenant as its share needs. */
export interface Sharer {
  readonly weight: number;
}

/**
 * What each tenant has under way at one model, and what is its share of the limit: by weight, among those who have something
 * under way. Memory: those alone, so never more than the limit.
 */
export class TenantShares<T extends Sharer> {
  readonly #places = new Map<T, Place>();
  #weights = 0;

  /** Whether one more leaves the tenant within its share of `requests`. */
  isWithin(tenant: T, requests: number): boolean {
    const place = this.#places.get(tenant);
    const weights = this.#weights + (place === undefined ? tenant.weight : 0);
    return (place?.underWay ?? 0) + 1 <= (requests * (place?.weight ?? tenant.weight)) / weights;
  }

  entered(tenant: T): void {
    const place = this.#places.get(tenant);
    if (place !== undefined) {
      place.underWay += 1;
      return;
    }
    this.#places.set(tenant, { underWay: 1, weight: tenant.weight });
    this.#weights += tenant.weight;
  }

  left(tenant: T): void {
    const place = this.#places.get(tenant);
    if (place === undefined) return;
    place.underWay -= 1;
    if (place.underWay > 0) return;
    this.#places.delete(tenant);
    // Fractions do not add up to what they were subtracted from: with nobody there the sum begins anew.
    this.#weights = this.#places.size === 0 ? 0 : this.#weights - place.weight;
  }
}

interface Place {
  underWay: number;
  /** As it was when the tenant came; a policy may change it meanwhile. */
  readonly weight: number;
}
