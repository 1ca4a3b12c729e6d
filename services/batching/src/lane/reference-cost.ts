import type { CostBook, TargetSnapshot } from '../types.js';

/**
 * What a run of so many rows takes on the target that is quickest at it, ms; 0 while nothing is known of any. The measure
 * in which tenants are charged: in time of the target where it happens to run, a request on a slow one would cost its
 * tenant sixty times as much service as its neighbour's on a fast one.
 */
export function referenceMs(
  shapeClass: string,
  rows: number,
  targets: readonly TargetSnapshot[],
  costs: Pick<CostBook, 'estimate'>,
): number {
  let leastMs = Infinity;
  for (const { podClass } of targets) {
    const runMs = costs.estimate(shapeClass, podClass).predictMs(rows);
    if (runMs > 0 && runMs < leastMs) leastMs = runMs;
  }
  return leastMs === Infinity ? 0 : leastMs;
}
