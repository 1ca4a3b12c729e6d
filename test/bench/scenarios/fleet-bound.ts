/** A quota that a fleet shares. */
export interface FleetLimit {
  readonly perS: number;
  readonly burst: number;
}

/** For how long a gateway waits for an answer of Redis. */
const exchangeS = 0.25;

/**
 * The most that a fleet may admit in a stretch in which Redis loses all its data (docs/design/0010-shared-quotas.md, "Bound"): what flows
 * in, the bucket, what local shares give before they are debited, and the new bucket with the leases on it. With 1,000/s and
 * a burst of 250 over 9 s: 9,000 + 250 + (250 + 250) + 375.
 */
export function fleetBound({ perS, burst }: FleetLimit, seconds: number): number {
  return perS * seconds + burst + (burst + perS * exchangeS) + 1.5 * burst;
}

/** The most in a stretch without failures, long after one: within 2 % in the long run, and one burst. */
export function steadyBound({ perS, burst }: FleetLimit, seconds: number): number {
  return perS * seconds * 1.02 + burst;
}

/** How many lie in [from, to). */
export function countBetween(atMs: readonly number[], fromMs: number, toMs: number): number {
  return atMs.filter((each) => each >= fromMs && each < toMs).length;
}
