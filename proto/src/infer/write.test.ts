import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actualView } from '../testing/actual-view.js';
import { expectedView } from '../testing/expected-view.js';
import { decodeFully, messageType } from '../testing/full-decoder.js';
import { inferenceService } from '../rpc/services.js';
import { datatypeBytes } from './datatype.js';
import type { Datatype } from './datatype.js';
import type { InferRequestToWrite, TensorToWrite } from './request.js';
import { writeInferRequest } from './write-request.js';
import { writeInferResponse } from './write-response.js';

// A lone surrogate has no UTF-8, so texts are made of whole characters; lengths around the short-text limit included.
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ unit: 'binary-ascii', maxLength: 40 }));
const parameterValue = fc.oneof(fc.boolean(), fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n), text, fc.double());
const parameters = fc.array(fc.tuple(text, parameterValue), { maxLength: 4 }).map((entries) => new Map(entries));
const tensor: fc.Arbitrary<TensorToWrite> = fc.record(
  {
    name: text,
    datatype: fc.constantFrom(...(Object.keys(datatypeBytes) as Datatype[])),
    shape: fc.array(fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat()), { maxLength: 5 }),
    data: fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 }),
    parameters,
  },
  { requiredKeys: ['name', 'datatype', 'shape', 'data'] },
);
const common = { modelName: text, modelVersion: text, id: text, parameters };
const request = fc.record({
  ...common,
  inputs: fc.array(tensor, { maxLength: 4 }),
  outputs: fc.array(fc.record({ name: text, parameters }), { maxLength: 3 }),
});
const response = fc.record({ ...common, outputs: fc.array(tensor, { maxLength: 4 }) });

const plain: InferRequestToWrite = { modelName: 'm', modelVersion: '', id: '', parameters: new Map(), inputs: [], outputs: [] };

/** What a scan says of tensors written raw. */
function written(tensors: readonly TensorToWrite[]): object[] {
  return tensors.map(({ name, datatype, shape, data, parameters: own = new Map() }) => ({
    name,
    datatype,
    shape,
    parameters: own,
    typed: undefined,
    raw: Buffer.concat(data).toString('hex'),
  }));
}

describe('writing an inference message', { timeout: 60_000 }, () => {
  it('gives a request that the scanner and an independent decoder read back the same', () => {
    fc.assert(
      fc.property(request, (wanted) => {
        const bytes = writeInferRequest(wanted);
        const { modelName, modelVersion, id, outputs } = wanted;
        const expected = {
          ...{ modelName, modelVersion, id, outputs, parameters: wanted.parameters },
          ...{ tensors: written(wanted.inputs), rawCount: wanted.inputs.length },
        };
        expect(actualView(bytes, 'request')).toEqual(expected);
        const decoded = decodeFully(messageType('inference.ModelInferRequest'), bytes);
        expect(decoded && expectedView(decoded, 'request')).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });

  it('gives a response that the scanner and an independent decoder read back the same', () => {
    fc.assert(
      fc.property(response, (wanted) => {
        const bytes = writeInferResponse(wanted);
        const { modelName, modelVersion, id } = wanted;
        const expected = {
          ...{ modelName, modelVersion, id, outputs: [], parameters: wanted.parameters },
          ...{ tensors: written(wanted.outputs), rawCount: wanted.outputs.length },
        };
        expect(actualView(bytes, 'response')).toEqual(expected);
        const decoded = decodeFully(messageType('inference.ModelInferResponse'), bytes);
        expect(decoded && expectedView(decoded, 'response')).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });

  it('gives bytes that the codec of ModelInfer reads', () => {
    const parametersToWrite = new Map<string, boolean | bigint>([
      ['priority', 1n],
      ['most', 2n ** 64n - 1n],
      ['flag', false],
    ]);
    const bytes = writeInferRequest({
      ...plain,
      parameters: parametersToWrite,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [Buffer.alloc(4), Buffer.alloc(4, 1)] }],
    });
    expect(inferenceService.methods.ModelInfer.request.decode(bytes)).toMatchObject({
      model_name: 'm',
      parameters: {
        priority: { parameter_choice: 'int64_param', int64_param: '1' },
        most: { parameter_choice: 'uint64_param', uint64_param: '18446744073709551615' },
        flag: { parameter_choice: 'bool_param', bool_param: false },
      },
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['1', '2'] }],
      raw_input_contents: [Buffer.from([0, 0, 0, 0, 1, 1, 1, 1])],
    });
  });

  it.each([
    ['a negative dimension', -1],
    ['a dimension that is not whole', 1.5],
    ['a dimension of 2^53', 2 ** 53],
  ])('refuses %s', (_what, dim) => {
    const inputs: TensorToWrite[] = [{ name: 'x', datatype: 'FP32', shape: [1, dim], data: [] }];
    expect(() => writeInferRequest({ ...plain, inputs })).toThrow(/shape of "x": expected dimensions from 0 to 2\^53 - 1/);
  });

  it.each([
    ['2^64', 2n ** 64n],
    ['-2^63 - 1', -(2n ** 63n) - 1n],
  ])('refuses the parameter value %s', (_what, value) => {
    expect(() => writeInferRequest({ ...plain, parameters: new Map([['n', value]]) })).toThrow(
      /parameter "n": expected an integer of 64 bits/,
    );
  });
});
