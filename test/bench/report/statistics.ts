import type { Figures, Rounds } from '../scenarios/scenario.js';

/** Of an even count the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** Median of each figure; of texts the last one. */
export function medians(rounds: readonly Figures[]): Figures {
  const last = rounds.at(-1) ?? {};
  return Object.fromEntries(
    Object.entries(last).map(([key, value]): [string, number | string] => {
      if (typeof value === 'string') return [key, value];
      return [key, median(rounds.map((round) => round[key]).filter((each) => typeof each === 'number'))];
    }),
  );
}

/** A number of each round; undefined when a round lacks one of the arms. */
export function perRound(rounds: Rounds, compute: (round: (arm: string, key: string) => number) => number): readonly number[] | undefined {
  const count = Math.max(0, ...[...rounds.values()].map((each) => each.length));
  const values = Array.from({ length: count }, (_, index) =>
    compute((arm, key) => {
      const value = rounds.get(arm)?.[index]?.[key];
      return typeof value === 'number' ? value : Number.NaN;
    }),
  );
  return count === 0 || values.some((value) => Number.isNaN(value)) ? undefined : values;
}
