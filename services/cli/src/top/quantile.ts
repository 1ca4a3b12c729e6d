/** A cumulative histogram: how many values were at most `le`; the last bound is Infinity. Ascending. */
export type Buckets = readonly { readonly le: number; readonly count: number }[];

/**
 * The quantile as Prometheus' histogram_quantile has it: linear inside the bucket it falls into, the lower bound of the
 * last one when it falls beyond all bounds. E.g. 10 values up to 1, 10 more up to 2: the median is 1, p75 is 1.5.
 * Undefined where nothing was counted.
 */
export function quantile(buckets: Buckets, q: number): number | undefined {
  const total = buckets.at(-1)?.count ?? 0;
  if (total <= 0) return undefined;
  const rank = q * total;
  let lower = { le: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank && bucket.count > lower.count) {
      if (bucket.le === Infinity) return lower.le;
      return lower.le + ((bucket.le - lower.le) * (rank - lower.count)) / (bucket.count - lower.count);
    }
    lower = bucket;
  }
  return lower.le;
}

/** What came in between two scrapes. A counter that went back was restarted: then the later scrape is all there is. */
export function difference(before: Buckets | undefined, after: Buckets): Buckets {
  if (before === undefined || after.some(({ count }, index) => count < (before[index]?.count ?? 0))) return after;
  return after.map(({ le, count }, index) => ({ le, count: count - (before[index]?.count ?? 0) }));
}
