import type { Result } from '@headrace/runtime';
import type { BackendSpec } from '../domain/gateway-table.js';
import type { SimulatedBackend, SimulatedModel } from './fleet.js';
import { Settings } from './settings.js';

/** What a backend of the table is taken for where nobody says how fast it is: 2 ms + 0.2 ms a row. */
const ordinary = { overheadMs: 2, perRowMs: 0.2, scatter: 0, networkMs: 0 };

export function ordinaryBackend(spec: BackendSpec): SimulatedBackend {
  return { name: spec.name, podClass: spec.podClass, instances: spec.instances ?? 1, cost: ordinary, slow: [], lost: [] };
}

/**
 * "a=1ms,k=0.2ms,instances=2": run time of b rows is a + k b. One text is one backend, or `count` of them. All problems of
 * all texts at once. One that has the name of a known backend takes its pod class and instances where it says nothing else.
 */
export function parseBackends(
  texts: readonly string[],
  known: readonly BackendSpec[] = [],
): Result<readonly SimulatedBackend[], readonly string[]> {
  const problems: string[] = [];
  const backends: SimulatedBackend[] = [];
  texts.forEach((text, index) => {
    const settings = new Settings(texts.length === 1 ? '--backend' : `--backend (${index + 1} of ${texts.length})`, text);
    const count = settings.integer('count', 1, { min: 1, max: 1000 });
    const name = settings.text('name') ?? `backend-${backends.length + 1}`;
    const one = readBackend(
      settings,
      name,
      known.find((each) => each.name === name),
    );
    if (backends.length + count > 1000) settings.problem('count', 'expected at most 1000 backends in all');
    else for (let i = 0; i < count; i++) backends.push({ ...one, name: count === 1 ? name : `${name}-${i + 1}` });
    problems.push(...settings.problems());
  });
  const names = new Set<string>();
  for (const { name } of backends) {
    if (names.has(name)) problems.push(`--backend: name: ${name} is given twice`);
    names.add(name);
  }
  return problems.length > 0 ? { ok: false, refusal: problems } : { ok: true, value: backends };
}

function readBackend(settings: Settings, name: string, known: BackendSpec | undefined): SimulatedBackend {
  const overheadMs = settings.ms('a', ordinary.overheadMs);
  const perRowMs = settings.ms('k', ordinary.perRowMs);
  // A run that takes no time would be answered for ever at one moment.
  if (overheadMs + perRowMs < 0.001) settings.problem('a', 'expected a and k to make a run of one row at least 1us');
  const stretches = <T>(key: string, read: (text: string) => T | undefined): readonly T[] =>
    (settings.text(key)?.split('+') ?? []).map(read).filter((one) => one !== undefined);
  return {
    name,
    podClass: settings.text('class') ?? known?.podClass ?? 'default',
    instances: settings.integer('instances', known?.instances ?? 1, { min: 1, max: 1000 }),
    cost: { overheadMs, perRowMs, scatter: settings.number('scatter', 0, { max: 10 }), networkMs: settings.ms('network', 0) },
    slow: stretches('slow', (text) => {
      const [factor = '', stretch = ''] = text.split('@');
      const times = settings.stretch('slow', stretch);
      if (times !== undefined && Number(factor) > 0 && Number(factor) < 1e6) return { ...times, factor: Number(factor) };
      if (times !== undefined) settings.problem('slow', `expected FACTOR@FROM-UNTIL such as 5@20s-40s, got ${JSON.stringify(text)}`);
      return undefined;
    }),
    lost: stretches('lost', (text) => settings.stretch('lost', text)),
  };
}

/** "name=ranker,max-batch=32,cost=1.5". All problems of all texts at once. */
export function parseModels(texts: readonly string[]): Result<readonly SimulatedModel[], readonly string[]> {
  const problems: string[] = [];
  const models = texts.map((text) => {
    const settings = new Settings('--model', text.includes('=') ? text : `name=${text}`);
    const name = settings.text('name');
    if (name === undefined) settings.problem('name', "expected name=MODEL, the model's name");
    const model: SimulatedModel = {
      name: name ?? '',
      maxBatchRows: settings.integer('max-batch', 32, { max: 65_536 }),
      costFactor: settings.number('cost', 1, { aboveMin: true, max: 1e6 }),
    };
    problems.push(...settings.problems());
    return model;
  });
  const names = models.map(({ name }) => name);
  if (new Set(names).size < names.length) problems.push('--model: name: the same name is given twice');
  return problems.length > 0 ? { ok: false, refusal: problems } : { ok: true, value: models };
}
