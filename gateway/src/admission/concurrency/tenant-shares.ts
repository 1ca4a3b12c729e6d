/** As much of a tenant as its share needs. */
export interface Sharer {
  readonly weight: number;
}

/** Places of tenants who left that are kept for when they come again: about 64 KB of a model. */
const maxIdle = 1_024;

/**
 * What each tenant has under way at one model, and what is its share of the limit: by weight, among those who have something
 * under way. Memory: those, so never more than the limit, and at most 1,024 who had something of late: a tenant that comes and goes changes its
 * place and not the map, which an insertion for each request would make anew all the time (docs/design/0006).
 */
export class TenantShares<T extends Sharer> {
  readonly #places = new Map<T, Place>();
  #busy = 0;
  #weights = 0;

  /** Whether one more leaves the tenant within its share of `requests`. */
  isWithin(tenant: T, requests: number): boolean {
    const place = this.#places.get(tenant);
    const there = place !== undefined && place.underWay > 0;
    const weight = there ? place.weight : tenant.weight;
    return (there ? place.underWay : 0) + 1 <= (requests * weight) / (this.#weights + (there ? 0 : weight));
  }

  entered(tenant: T): void {
    const place = this.#placeOf(tenant);
    place.underWay += 1;
    if (place.underWay > 1) return;
    place.weight = tenant.weight;
    this.#weights += place.weight;
    this.#busy += 1;
  }

  left(tenant: T): void {
    const place = this.#places.get(tenant);
    if (place === undefined || place.underWay === 0) return;
    place.underWay -= 1;
    if (place.underWay > 0) return;
    this.#busy -= 1;
    // Fractions do not add up to what they were subtracted from: with nobody there the sum begins anew.
    this.#weights = this.#busy === 0 ? 0 : this.#weights - place.weight;
    if (this.#places.size - this.#busy > maxIdle) this.#dropIdle();
  }

  #placeOf(tenant: T): Place {
    const known = this.#places.get(tenant);
    if (known !== undefined) return known;
    const place: Place = { underWay: 0, weight: 0 };
    this.#places.set(tenant, place);
    return place;
  }

  /** All at once, so that it is once in a thousand of those who go. */
  #dropIdle(): void {
    for (const [tenant, { underWay }] of this.#places) if (underWay === 0) this.#places.delete(tenant);
  }
}

interface Place {
  underWay: number;
  /** As it was when the tenant came; a policy may change it meanwhile. */
  weight: number;
}
