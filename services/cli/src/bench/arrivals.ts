/**
 * Arrival times of a Poisson process: gaps are exponential with mean 1/rate, so that bursts come as they do from many
 * independent clients. `random` is uniform in [0, 1). E.g. rate 100/s => gaps of 10 ms on average, one in e longer.
 */
export function nextGapMs(ratePerSecond: number, random: number): number {
  return (-Math.log(1 - random) / ratePerSecond) * 1000;
}
