/** One measured run. */
export interface Sample {
  readonly rows: number;
  readonly runMs: number;
}

/** t(b) = overheadMs + perRowMs * b, both >= 0. */
export interface Line {
  readonly overheadMs: number;
  readonly perRowMs: number;
}

/**
 * Theil-Sen line through a handful of samples: the median of the slopes between pairs of different sizes, then the
 * median of what is left as overhead. It stands up to 29 % of wild samples, where a mean stands up to none; used only to
 * start a fit or to restart it after a change of regime, for it is quadratic in the samples.
 *
 * With one size only there is no slope to see, and the line goes through the origin: t(b) = b * t(1).
 */
export function robustLine(samples: readonly Sample[]): Line {
  const slopes: number[] = [];
  for (const [i, left] of samples.entries()) {
    for (const right of samples.slice(i + 1)) {
      if (left.rows !== right.rows) slopes.push((right.runMs - left.runMs) / (right.rows - left.rows));
    }
  }
  const perRow = median(samples.map(({ rows, runMs }) => runMs / rows));
  if (slopes.length === 0) return { overheadMs: 0, perRowMs: perRow };
  const slope = Math.max(0, median(slopes));
  const overhead = median(samples.map(({ rows, runMs }) => runMs - slope * rows));
  return overhead > 0 ? { overheadMs: overhead, perRowMs: slope } : { overheadMs: 0, perRowMs: perRow };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
