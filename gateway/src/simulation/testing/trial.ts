import { parseTable } from '../../table/parse.js';
import type { Arrival } from '../arrival.js';
import type { SimulatedBackend, SimulatedModel } from '../fleet.js';
import type { RequestMix } from '../mix.js';
import { plainMix, requestsAt } from '../mix.js';
import { poisson } from '../moments.js';
import { randomStream } from '../random.js';
import type { GroupReport, SimulationReport } from '../report.js';
import { Simulation } from '../simulation.js';

/** What a bound is asserted on. Rates in requests per second. */
export interface Trial {
  readonly table: Readonly<Record<string, unknown>>;
  readonly backends: readonly SimulatedBackend[];
  readonly models?: readonly [SimulatedModel, ...SimulatedModel[]];
  readonly streams: readonly Stream[];
  readonly forMs: number;
  readonly seed?: number;
  readonly sloMs?: number;
  readonly maxAttempts?: number;
}

/** Clients that know nothing of each other, and what they ask for. */
export interface Stream extends Partial<RequestMix> {
  readonly perSecond: number;
  /** Absent: throughout. */
  readonly fromMs?: number;
  readonly untilMs?: number;
}

export const model32: SimulatedModel = { name: 'm', maxBatchRows: 32, costFactor: 1 };

/** t(b) = a + k b ms, no scatter. */
export function backend(name: string, a: number, k: number, more: Partial<SimulatedBackend> = {}): SimulatedBackend {
  return {
    name,
    podClass: 'cpu',
    instances: 1,
    cost: { overheadMs: a, perRowMs: k, scatter: 0, networkMs: 0 },
    slow: [],
    lost: [],
    ...more,
  };
}

export function runTrial(trial: Trial): SimulationReport {
  const parsed = parseTable(
    JSON.stringify({
      apiVersion: 'headrace.dev/v1alpha1',
      kind: 'RoutingTable',
      backends: trial.backends.map(({ name }, index) => ({ name, address: `localhost:${index + 1}` })),
      ...trial.table,
    }),
    'trial',
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
  const seed = trial.seed ?? 1;
  const simulation = new Simulation({
    table: parsed.value,
    backends: trial.backends,
    models: trial.models ?? [model32],
    seed,
    sloMs: trial.sloMs ?? Infinity,
    maxAttempts: trial.maxAttempts ?? 1,
  });
  try {
    for (const arrival of arrivalsOf(trial, seed)) simulation.arrive(arrival);
    simulation.finish();
    return simulation.report();
  } finally {
    simulation.close();
  }
}

/** All streams by time. Each has chance of its own, so that a stream meets the same moments whatever runs beside it. */
function arrivalsOf({ streams, forMs }: Trial, seed: number): readonly Arrival[] {
  const all = streams.flatMap(({ perSecond, fromMs = 0, untilMs = forMs, ...mix }, index) => {
    const own: Arrival[] = [];
    for (const arrival of requestsAt(
      poisson(perSecond, randomStream(seed, 2 * index)),
      { ...plainMix, ...mix },
      randomStream(seed, 2 * index + 1),
    )) {
      if (fromMs + arrival.atMs >= untilMs) break;
      own.push({ ...arrival, atMs: fromMs + arrival.atMs });
    }
    return own;
  });
  return all.sort((left, right) => left.atMs - right.atMs);
}

export function groupOf(groups: readonly GroupReport[], name: string): GroupReport {
  const found = groups.find((group) => group.name === name);
  if (found === undefined) throw new Error(`no group ${name}`);
  return found;
}

/** One of each, alike. */
export function evenly<T>(...values: readonly T[]): readonly { readonly value: T; readonly weight: number }[] {
  return values.map((value) => ({ value, weight: 1 }));
}
