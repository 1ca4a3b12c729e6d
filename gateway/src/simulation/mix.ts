import type { Arrival } from './arrival.js';
import type { Random } from './random.js';

export interface Weighted<T> {
  readonly value: T;
  readonly weight: number;
}

/** Draws values in proportion to their weights. One value draws no random number. */
export function drawer<T>(choices: readonly Weighted<T>[], random: Random): () => T {
  const [only] = choices;
  if (only === undefined) throw new RangeError('expected at least one choice');
  if (choices.length === 1) return () => only.value;
  const ends: number[] = [];
  let total = 0;
  for (const { weight } of choices) ends.push((total += weight));
  return () => {
    const at = random() * total;
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at < (ends[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    return (choices[low] ?? only).value;
  };
}

/** Who asks for what, each drawn by itself. */
export interface RequestMix {
  readonly tenants: readonly Weighted<string>[];
  readonly tier: string | undefined;
  readonly priorities: readonly Weighted<number | undefined>[];
  readonly rows: readonly Weighted<number>[];
  readonly deadlinesMs: readonly Weighted<number>[];
  readonly models: readonly Weighted<string | undefined>[];
}

export const plainMix: RequestMix = {
  tenants: [{ value: '', weight: 1 }],
  tier: undefined,
  priorities: [{ value: undefined, weight: 1 }],
  rows: [{ value: 1, weight: 1 }],
  deadlinesMs: [{ value: Infinity, weight: 1 }],
  models: [{ value: undefined, weight: 1 }],
};

/** Makes a request of each moment. */
export function* requestsAt(moments: Iterable<number>, mix: RequestMix, random: Random): Generator<Arrival> {
  const tenant = drawer(mix.tenants, random);
  const priority = drawer(mix.priorities, random);
  const rows = drawer(mix.rows, random);
  const deadlineMs = drawer(mix.deadlinesMs, random);
  const model = drawer(mix.models, random);
  for (const atMs of moments) {
    yield { atMs, tenant: tenant(), tier: mix.tier, priority: priority(), rows: rows(), deadlineMs: deadlineMs(), model: model() };
  }
}
