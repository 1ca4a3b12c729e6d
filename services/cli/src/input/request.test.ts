import { describe, expect, test } from 'vitest';
import type { JsonValue } from './nested.js';
import { requestOf } from './request.js';
import type { ModelSpec } from './tensor-spec.js';

const ranker: ModelSpec = {
  name: 'ranker',
  versions: ['1'],
  platform: 'onnx',
  inputs: [
    { name: 'history', datatype: 'INT64', shape: [-1, -1] },
    { name: 'weight', datatype: 'FP32', shape: [-1] },
  ],
  outputs: [],
};

const bytesOf = (document: JsonValue, index: number) => Buffer.concat([...(requestOf(document, ranker).inputs[index]?.data ?? [])]);

describe('nested lists', () => {
  test('take datatype from the model and shape from the nesting', () => {
    const { inputs } = requestOf({ history: [[1, 2, 3]], weight: [0.5] }, ranker);
    expect(inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual([
      { name: 'history', datatype: 'INT64', shape: [1, 3] },
      { name: 'weight', datatype: 'FP32', shape: [1] },
    ]);
    expect(bytesOf({ history: [[1, 2, 3]] }, 0).readBigInt64LE(16)).toBe(3n);
  });

  test('one row may leave out the outer list', () => {
    const { inputs } = requestOf({ history: [1, 2, 3], weight: 0.5 }, ranker);
    expect(inputs.map(({ shape }) => shape)).toEqual([[1, 3], [1]]);
  });

  test('inputs that are left out stay out: the server knows which are optional', () => {
    expect(requestOf({ history: [[1]] }, ranker).inputs).toHaveLength(1);
  });
});

describe('OIP JSON', () => {
  test('is carried over whole', () => {
    const request = requestOf(
      {
        id: '7',
        parameters: { sequence_id: 5, temperature: 0.5, label: 'a', final: true },
        inputs: [{ name: 'history', shape: [1, 2], datatype: 'INT32', data: [4, 5] }],
        outputs: [{ name: 'scores', parameters: { classification: 3 } }],
      },
      ranker,
    );
    expect(request.id).toBe('7');
    expect([...request.parameters]).toEqual([
      ['sequence_id', 5n],
      ['temperature', 0.5],
      ['label', 'a'],
      ['final', true],
    ]);
    expect(request.inputs[0]).toMatchObject({ name: 'history', datatype: 'INT32', shape: [1, 2] });
    expect(request.outputs[0]?.name).toBe('scores');
    expect(request.outputs[0]?.parameters.get('classification')).toBe(3n);
  });

  test('data may be nested, and datatype and shape may be left out', () => {
    expect(requestOf({ inputs: [{ name: 'history', data: [[4, 5]] }] }, ranker).inputs[0]).toMatchObject({
      datatype: 'INT64',
      shape: [1, 2],
    });
  });

  test('a shape with a dimension of size 0 can be said', () => {
    expect(requestOf({ inputs: [{ name: 'history', shape: [1, 0], data: [] }] }, ranker).inputs[0]?.shape).toEqual([1, 0]);
  });

  test('a model with an input called inputs is still asked by nested lists', () => {
    const spec: ModelSpec = { ...ranker, inputs: [{ name: 'inputs', datatype: 'FP32', shape: [-1] }] };
    expect(requestOf({ inputs: [1, 2] }, spec).inputs[0]).toMatchObject({ name: 'inputs', shape: [2] });
  });
});

describe('what is wrong is named', () => {
  test.each<[string, JsonValue, string]>([
    ['no object', [1], 'the input must be a JSON object, got a list of 1'],
    ['an unknown input', { histroy: [[1]] }, 'histroy: model ranker has no such input'],
    ['a ragged nest', { history: [[1, 2], [3]] }, 'history[1]: expected a list of 2'],
    [
      'a count that is not the shape',
      { inputs: [{ name: 'history', shape: [2, 2], data: [1, 2, 3] }] },
      'inputs[0].data: shape [2, 2] needs 4 values, got 3',
    ],
    ['a negative size', { inputs: [{ name: 'history', shape: [-1], data: [1] }] }, 'inputs[0].shape[0]: expected a size, got -1'],
    ['a datatype nobody knows', { inputs: [{ name: 'history', datatype: 'INT128', data: [1] }] }, '"INT128" is not a datatype'],
    ['an input without data', { inputs: [{ name: 'history' }] }, 'inputs[0].data: missing'],
    ['an unknown input without a datatype', { inputs: [{ name: 'x', data: [1] }] }, 'inputs[0].datatype: missing'],
    ['an unknown field', { inputs: [{ name: 'history', data: [1] }], output: [] }, 'output: not a field'],
    [
      'a wrong element',
      { inputs: [{ name: 'history', shape: [1, 2], data: [1, 'a'] }] },
      'inputs[0].data[0][1]: expected an integer (INT64), got "a"',
    ],
  ])('%s', (_, document, message) => {
    expect(() => requestOf(document, ranker)).toThrow(message);
  });
});
