import type { inferenceService } from '@headrace/proto';
import { MonotonicCounters } from './counters.js';

type StatisticsResponse = ReturnType<typeof inferenceService.methods.ModelStatistics.response.decode>;
export type ModelStatistics = StatisticsResponse['model_stats'][number];
export type StatisticsToSend = Parameters<typeof inferenceService.methods.ModelStatistics.response.encode>[0];

/**
 * ModelStatistics summed over backends. Counters never run backwards, though a backend restarts (offset) or cannot be
 * reached (its last word counts). `last_inference` is the latest; memory is what the backends that answered hold now.
 *
 * A message becomes counters by the path of each number, e.g. `batch_stats/8/compute_infer/ns`, and back.
 */
export class StatisticsMerger {
  // One source is a model version on a backend.
  readonly #counters = new MonotonicCounters(50_000);

  merge(
    answers: ReadonlyMap<string, readonly ModelStatistics[] | undefined>,
    wanted: (model: string, version: string) => boolean,
  ): StatisticsToSend {
    this.#counters.keep((source) => answers.has(parts(source).backend));
    const merged = new Map<string, Sum>();
    const sumOf = (name: string, version: string): Sum => {
      const id = `${name}\u0000${version}`;
      const sum = merged.get(id) ?? { name, version, counters: new Map<string, bigint>(), lastInference: 0n, memory: [] };
      merged.set(id, sum);
      return sum;
    };
    const told = new Set<string>();
    for (const [backend, models] of answers) {
      for (const model of models ?? []) {
        const source = [backend, model.name, model.version].join('\u0000');
        told.add(source);
        const sum = sumOf(model.name, model.version);
        add(sum.counters, this.#counters.observe(source, flatten(model)));
        const last = BigInt(model.last_inference);
        if (last > sum.lastInference) sum.lastInference = last;
        sum.memory.push(...model.memory_usage);
      }
    }
    for (const source of this.#counters.sources()) {
      const { model, version } = parts(source);
      if (!told.has(source) && wanted(model, version)) add(sumOf(model, version).counters, this.#counters.remembered(source) ?? new Map());
    }
    return { model_stats: [...merged.values()].map(unflatten) };
  }
}

interface Sum {
  readonly name: string;
  readonly version: string;
  readonly counters: Map<string, bigint>;
  lastInference: bigint;
  readonly memory: ModelStatistics['memory_usage'];
}

function parts(source: string): { backend: string; model: string; version: string } {
  const [backend = '', model = '', version = ''] = source.split('\u0000');
  return { backend, model, version };
}

function add(into: Map<string, bigint>, more: ReadonlyMap<string, bigint>): void {
  for (const [path, value] of more) into.set(path, (into.get(path) ?? 0n) + value);
}

const separator = '\u0001';

function flatten(model: ModelStatistics): Map<string, bigint> {
  const out = new Map<string, bigint>();
  out.set('inference_count', BigInt(model.inference_count));
  out.set('execution_count', BigInt(model.execution_count));
  walk(model.inference_stats, ['inference_stats'], out);
  for (const { batch_size, ...stats } of model.batch_stats) walk(stats, ['batch_stats', batch_size], out);
  for (const [key, stats] of Object.entries(model.response_stats)) walk(stats, ['response_stats', key], out);
  return out;
}

function walk(node: unknown, path: readonly string[], out: Map<string, bigint>): void {
  if (typeof node === 'object' && node !== null) {
    for (const [key, child] of Object.entries(node)) walk(child, [...path, key], out);
  } else if (typeof node === 'string' && /^\d{1,20}$/.test(node)) out.set(path.join(separator), BigInt(node));
}

type Tree = { [key: string]: Tree | string };

function unflatten(sum: Sum): NonNullable<StatisticsToSend['model_stats']>[number] {
  const tree: Tree = {};
  for (const [path, value] of sum.counters) {
    const keys = path.split(separator);
    let node = tree;
    for (const key of keys.slice(0, -1)) {
      const child = Object.hasOwn(node, key) ? node[key] : undefined;
      const next: Tree = typeof child === 'object' ? child : {};
      // defineProperty: a key such as __proto__ from a backend stays a key.
      Object.defineProperty(node, key, { value: next, enumerable: true, configurable: true, writable: true });
      node = next;
    }
    node[keys.at(-1) ?? ''] = value.toString();
  }
  const batches = typeof tree['batch_stats'] === 'object' ? Object.entries(tree['batch_stats']) : [];
  return {
    name: sum.name,
    version: sum.version,
    last_inference: sum.lastInference.toString(),
    inference_count: (sum.counters.get('inference_count') ?? 0n).toString(),
    execution_count: (sum.counters.get('execution_count') ?? 0n).toString(),
    ...(typeof tree['inference_stats'] === 'object' ? { inference_stats: tree['inference_stats'] } : {}),
    batch_stats: batches.map(([size, stats]) => ({ batch_size: size, ...(typeof stats === 'object' ? stats : {}) })),
    ...(typeof tree['response_stats'] === 'object' ? { response_stats: responseStats(tree['response_stats']) } : {}),
    memory_usage: sum.memory,
  };
}

function responseStats(tree: Tree): Record<string, Tree> {
  return Object.fromEntries(Object.entries(tree).filter((entry): entry is [string, Tree] => typeof entry[1] === 'object'));
}
