import fc from 'fast-check';
import type { InferRequestView, InputView, ParameterValue } from '@headrace/proto';
import { describe, expect, test } from 'vitest';
import { laneKey, shapeClass } from './lane-key.js';

function input(overrides: Partial<InputView> = {}): InputView {
  return { name: 'x', datatype: 'FP32', shape: [1, 4], raw: { start: 0, end: 16 }, contents: [], parameters: new Map(), ...overrides };
}

function request(overrides: Partial<InferRequestView> = {}): InferRequestView {
  return {
    bytes: Buffer.alloc(0),
    modelName: 'm',
    modelVersion: '',
    id: '',
    parameters: new Map(),
    inputs: [input()],
    outputs: [],
    rawInputCount: 1,
    ...overrides,
  };
}

function parameters(record: Record<string, ParameterValue>): ReadonlyMap<string, ParameterValue> {
  return new Map(Object.entries(record));
}

const base = request();

describe('laneKey is the same', () => {
  test.each<[string, Partial<InferRequestView>]>([
    ['for another number of rows', { inputs: [input({ shape: [7, 4] })] }],
    ['for another id', { id: 'abc' }],
    ['for another priority and timeout', { parameters: parameters({ priority: 1n, timeout: 5_000n }) }],
    ['for typed contents', { inputs: [input({ raw: undefined, contents: [{ start: 0, end: 4 }] })] }],
  ])('%s', (_, change) => {
    expect(laneKey(request(change), '1')).toBe(laneKey(base, '1'));
  });

  test('for another order of inputs and parameters', () => {
    const [x, y] = [input({ name: 'x' }), input({ name: 'y', datatype: 'INT64' })];
    expect(laneKey(request({ inputs: [x, y], parameters: parameters({ a: 1n, b: 2n }) }), '1')).toBe(
      laneKey(request({ inputs: [y, x], parameters: parameters({ b: 2n, a: 1n }) }), '1'),
    );
  });
});

describe('laneKey differs', () => {
  const variants: [string, InferRequestView, string][] = [
    ['as the base', base, '1'],
    ['model', request({ modelName: 'n' }), '1'],
    ['version', base, '2'],
    ['input name', request({ inputs: [input({ name: 'y' })] }), '1'],
    ['datatype', request({ inputs: [input({ datatype: 'INT32' })] }), '1'],
    ['non-batch dim', request({ inputs: [input({ shape: [1, 5] })] }), '1'],
    ['rank', request({ inputs: [input({ shape: [1, 4, 1] })] }), '1'],
    ['one more input', request({ inputs: [input(), input({ name: 'y' })] }), '1'],
    ['an input parameter', request({ inputs: [input({ parameters: parameters({ p: true }) })] }), '1'],
    ['a requested output', request({ outputs: [{ name: 'o', parameters: new Map() }] }), '1'],
    ['an output parameter', request({ outputs: [{ name: 'o', parameters: parameters({ classification: 3n }) }] }), '1'],
    [
      'the order of outputs',
      request({
        outputs: [
          { name: 'o', parameters: new Map() },
          { name: 'p', parameters: new Map() },
        ],
      }),
      '1',
    ],
    [
      'the other order of outputs',
      request({
        outputs: [
          { name: 'p', parameters: new Map() },
          { name: 'o', parameters: new Map() },
        ],
      }),
      '1',
    ],
    ['a parameter', request({ parameters: parameters({ temperature: 1n }) }), '1'],
    ['its type: string', request({ parameters: parameters({ temperature: '1' }) }), '1'],
    ['its type: double', request({ parameters: parameters({ temperature: 1 }) }), '1'],
    ['its type: bool', request({ parameters: parameters({ temperature: true }) }), '1'],
    ['a zero', request({ parameters: parameters({ temperature: 0 }) }), '1'],
    ['a negative zero', request({ parameters: parameters({ temperature: -0 }) }), '1'],
    ['a parameter called like the separator', request({ parameters: parameters({ 'temperature1:1': 1n }) }), '1'],
    ['a sequence', request({ parameters: parameters({ sequence_id: 4n }) }), '1'],
  ];
  test('for every one of the variants', () => {
    const keys = new Map(variants.map(([name, view, version]) => [laneKey(view, version), name]));
    expect([...keys.values()]).toEqual(variants.map(([name]) => name));
  });

  test('no strings can be chosen so that two different requests read the same', () => {
    // One text cut in two ways into six fields, made of the very characters that keys are made of: collides soonest.
    const text = fc.string({ unit: fc.constantFrom('1', '2', ':', 's', 'i', 'p', 'o', ';'), maxLength: 12 });
    const cuts = fc.array(fc.nat(12), { minLength: 5, maxLength: 5 });
    const fields = (whole: string, at: number[]): string[] => {
      const sorted = [0, ...at.toSorted((left, right) => left - right), whole.length];
      return sorted.slice(1).map((end, index) => whole.slice(sorted[index], end));
    };
    const keyOf = ([model = '', version = '', name = '', key = '', value = '', output = '']: string[]): string =>
      laneKey(
        request({
          modelName: model,
          inputs: [input({ name })],
          parameters: new Map([[key, value]]),
          outputs: [{ name: output, parameters: new Map() }],
        }),
        version,
      );
    fc.assert(
      fc.property(text, cuts, cuts, (whole, left, right) => {
        const [one, two] = [fields(whole, left), fields(whole, right)];
        expect(keyOf(one) === keyOf(two)).toBe(JSON.stringify(one) === JSON.stringify(two));
      }),
      { numRuns: 2_000 },
    );
  });
});

test('a key is short, however long what it stands for', () => {
  const long = request({ parameters: parameters({ prompt: 'x'.repeat(100_000) }) });
  const other = request({ parameters: parameters({ prompt: `${'x'.repeat(99_999)}y` }) });
  expect(laneKey(long, '1').length).toBeLessThanOrEqual(256);
  expect(laneKey(long, '1')).not.toBe(laneKey(other, '1'));
});

test('shapeClass looks at model, version and shapes only', () => {
  const like = request({ parameters: parameters({ p: 1n }), inputs: [input({ shape: [9, 4] })] });
  expect(shapeClass(like)).toBe(shapeClass(base));
  expect(shapeClass(request({ inputs: [input({ shape: [1, 5] })] }))).not.toBe(shapeClass(base));
  expect(shapeClass(base, '2')).not.toBe(shapeClass(base, '1'));
});
