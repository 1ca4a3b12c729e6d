export interface Claim {
  /** What it asked for, in any unit of work. */
  readonly demand: number;
  readonly weight: number;
}

/**
 * The weighted max-min fair division of `total` (Bertsekas and Gallager, Data Networks, 1992, 6.5.2): nobody gets more than
 * it asked for, and what one leaves goes to the others by weight. E.g. 100 between demands 10, 80, 80 of equal weight =>
 * 10, 45, 45.
 */
export function fairShares(total: number, claims: readonly Claim[]): readonly number[] {
  const shares = claims.map(() => 0);
  // By how much of its weight each needs: the modest are served first, and none of them changes what is said before.
  const order = claims
    .map((claim, index) => ({ ...claim, index }))
    .sort((left, right) => left.demand / left.weight - right.demand / right.weight);
  let left = total;
  let weights = order.reduce((sum, { weight }) => sum + weight, 0);
  for (const { demand, weight, index } of order) {
    const share = Math.min(demand, weights > 0 ? (left * weight) / weights : 0);
    shares[index] = share;
    left -= share;
    weights -= weight;
  }
  return shares;
}

/**
 * Jain's index of fairness (Jain, Chiu and Hawe, DEC-TR-301, 1984): (sum x)^2 / (n sum x^2) of x = got / fair share; 1 is
 * fair, 1/n is all for one. Undefined where nobody asked for anything.
 */
export function jainIndex(got: readonly number[], fair: readonly number[]): number | undefined {
  const ratios = fair.flatMap((share, index) => (share > 0 ? [(got[index] ?? 0) / share] : []));
  const sum = ratios.reduce((total, ratio) => total + ratio, 0);
  const squares = ratios.reduce((total, ratio) => total + ratio * ratio, 0);
  return squares === 0 ? undefined : (sum * sum) / (ratios.length * squares);
}
