import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigSchema } from './schema.js';
import { formatProblem } from './problem.js';
import { loadConfig, validateDocument } from './validate.js';

/** In the dialect of a CRD: structural OpenAPI v3. */
const schema: ConfigSchema = {
  type: 'object',
  required: ['kind', 'models'],
  properties: {
    kind: { type: 'string', enum: ['RoutingTable'] },
    defaults: { type: 'object', default: {}, properties: { timeoutMs: { type: 'integer', format: 'int64', default: 30_000, minimum: 1 } } },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    extra: { type: 'object', properties: { known: { type: 'string' } }, 'x-kubernetes-preserve-unknown-fields': true },
    port: { 'x-kubernetes-int-or-string': true },
    share: { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 100 },
    models: {
      type: 'array',
      minItems: 1,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string', pattern: '^[a-z]+$', example: 'ranker' },
          batching: {
            type: 'object',
            properties: { maxBatchRows: { type: 'integer', format: 'int32', minimum: 0 }, agingMs: { type: 'integer' } },
          },
          idempotent: { type: 'boolean', default: true },
          note: { type: 'string', nullable: true },
        },
      },
    },
  },
};

function problems(value: unknown): string[] {
  const result = validateDocument({ schema, value, source: 'table.yaml' });
  return result.ok ? [] : result.refusal.map(formatProblem);
}

const model = { name: 'ranker' };
const good = { kind: 'RoutingTable', models: [model] };

describe('validateDocument', () => {
  it.each<[string, unknown, string[]]>([
    ['nothing wrong', good, []],
    ['a document that is no object', 7, ['table.yaml: expected an object, got 7']],
    ['missing keys', {}, ['table.yaml: kind: is required', 'table.yaml: models: is required']],
    [
      'a wrong type deep inside',
      { ...good, models: [model, model, { ...model, batching: { maxBatchRows: 'x' } }] },
      ['table.yaml: models[2].batching.maxBatchRows: expected an integer, got "x"'],
    ],
    [
      'an unknown key close to a known one',
      { ...good, models: [{ ...model, batching: { maxBatchRow: 1 } }] },
      ['table.yaml: models[0].batching.maxBatchRow: is unknown; did you mean "maxBatchRows"?'],
    ],
    [
      'an unknown key close to none',
      { ...good, models: [{ ...model, batching: { zzz: 1 } }] },
      ['table.yaml: models[0].batching.zzz: is unknown; known keys: maxBatchRows, agingMs'],
    ],
    [
      'a number below its bound',
      { ...good, models: [{ ...model, batching: { maxBatchRows: -1 } }] },
      ['table.yaml: models[0].batching.maxBatchRows: expected a number >= 0, got -1'],
    ],
    ['an exclusive bound of OpenAPI', { ...good, share: 0 }, ['table.yaml: share: expected a number > 0, got 0']],
    [
      'a number beyond 32 bits',
      { ...good, models: [{ ...model, batching: { maxBatchRows: 2 ** 40 } }] },
      ['table.yaml: models[0].batching.maxBatchRows: expected int32, got 1099511627776'],
    ],
    [
      'a choice nearly hit',
      { ...good, kind: 'RoutingTabel' },
      ['table.yaml: kind: expected one of "RoutingTable", got "RoutingTabel"; did you mean "RoutingTable"?'],
    ],
    [
      'a pattern',
      { ...good, models: [{ name: 'Ranker 1' }] },
      ['table.yaml: models[0].name: expected text that matches ^[a-z]+$, got "Ranker 1"'],
    ],
    ['an empty list', { ...good, models: [] }, ['table.yaml: models: expected at least 1 items, got 0']],
    ['a key that is no plain name', { ...good, labels: { 'a.b/c': 3 } }, ['table.yaml: labels["a.b/c"]: expected a string, got 3']],
    ['free keys where they are allowed', { ...good, labels: { any: 'thing' }, extra: { known: 'a', other: [1] } }, []],
    ['an integer or a string', { ...good, port: 'http' }, []],
    ['neither an integer nor a string', { ...good, port: true }, ['table.yaml: port: expected an integer or a string, got true']],
    ['null where it is allowed', { ...good, models: [{ ...model, note: null }] }, []],
  ])('%s', (_name, value, expected) => {
    expect(problems(value)).toEqual(expected);
  });

  it('reports all problems at once', () => {
    expect(problems({ kind: 1, models: [{ nam: 'x' }, { name: 3, idempotent: 'yes' }], modles: [] }).sort()).toEqual([
      'table.yaml: kind: expected a string, got 1',
      'table.yaml: kind: expected one of "RoutingTable", got 1',
      'table.yaml: models[0].nam: is unknown; did you mean "name"?',
      'table.yaml: models[0].name: is required',
      'table.yaml: models[1].idempotent: expected a boolean, got "yes"',
      'table.yaml: models[1].name: expected a string, got 3',
      'table.yaml: modles: is unknown; did you mean "models"?',
    ]);
  });

  it('bounds what it reports', () => {
    expect(problems({ ...good, models: Array.from({ length: 10_000 }, () => ({})) }).length).toBe(100);
  });

  it('fills in defaults, deep-freezes a copy, and leaves the input alone', () => {
    const input = { kind: 'RoutingTable', models: [{ name: 'ranker' }] };
    const result = validateDocument<{ defaults: { timeoutMs: number }; models: { idempotent: boolean }[] }>({
      schema,
      value: input,
      source: 's',
    });
    if (!result.ok) throw new Error('expected a valid document');
    expect(result.value).toEqual({ ...good, defaults: { timeoutMs: 30_000 }, models: [{ name: 'ranker', idempotent: true }] });
    expect([input, Object.isFrozen(input)]).toEqual([{ kind: 'RoutingTable', models: [{ name: 'ranker' }] }, false]);
    expect(() => {
      Object.assign(result.value.models[0] ?? {}, { idempotent: false });
    }).toThrow(TypeError);
    expect([Object.isFrozen(result.value), Object.isFrozen(result.value.defaults)]).toEqual([true, true]);
  });

  it('never takes what the schema does not describe, and never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const result = validateDocument<Record<string, unknown>>({ schema, value, source: 's' });
        expect(result.ok ? result.value['kind'] === 'RoutingTable' : result.refusal.length > 0).toBe(true);
      }),
    );
  });
});

describe('loadConfig', () => {
  it.each<[string, string, string[]]>([
    [
      'a wrong value, where it stands',
      'kind: RoutingTable\nmodels:\n  - name: 7\n',
      ['t.yaml:3:11: models[0].name: expected a string, got 7'],
    ],
    [
      'an unknown key, where it stands',
      'kind: RoutingTable\nmodels:\n  - name: a\n    batchin: {}\n',
      ['t.yaml:4:14: models[0].batchin: is unknown; did you mean "batching"?'],
    ],
    ['a missing key, where it should stand', 'kind: RoutingTable\nmodels:\n  - {}\n', ['t.yaml:3:5: models[0].name: is required']],
    [
      'a document cut off',
      'kind: [RoutingTable\n',
      ['t.yaml:2:1: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['a key given twice', 'kind: a\nkind: b\n', ['t.yaml:2:1: Map keys must be unique']],
    ['an empty file', '', ['t.yaml: expected an object, got null']],
  ])('places %s', (_name, text, expected) => {
    const result = loadConfig({ schema, text, source: 't.yaml' });
    expect(result.ok ? [] : result.refusal.map(formatProblem)).toEqual(expect.arrayContaining(expected));
  });

  it('refuses a bomb of aliases', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++) lines.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ')}]`);
    const result = loadConfig({ schema, text: lines.join('\n'), source: 't.yaml' });
    expect(result.ok ? '' : result.refusal[0]?.message).toMatch(/alias/i);
  });

  it('takes JSON, which is YAML', () => {
    expect(loadConfig({ schema, text: JSON.stringify(good), source: 't.json' })).toMatchObject({ ok: true });
  });

  it('does not let a key reach a prototype', () => {
    const result = loadConfig({ schema, text: 'kind: RoutingTable\nmodels: [{name: a}]\n__proto__: {polluted: 1}\n', source: 't.yaml' });
    expect(result.ok).toBe(false);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
