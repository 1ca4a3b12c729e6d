import type { Rounds, Verdict } from '../scenarios/scenario.js';
import { median, perRound } from './statistics.js';

export interface TargetRule {
  readonly target: string;
  readonly rounds: Rounds;
  /** A number of one round, from figures of that round alone: drift between rounds cancels out. */
  readonly compute: (round: (arm: string, key: string) => number) => number;
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
}

/** The median over the rounds against the bound. */
export function judge({ target, rounds, compute, bound }: TargetRule): Verdict {
  const values = perRound(rounds, compute);
  if (values === undefined) return { target, met: undefined, measured: 'not measured' };
  const value = median(values);
  const met = 'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost;
  const each = values.length > 1 ? ` (rounds: ${values.map((one) => one.toFixed(2)).join(', ')})` : '';
  return { target, met, measured: `${value.toFixed(2)}${each}` };
}
