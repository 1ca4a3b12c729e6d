import fc from 'fast-check';
import type { InferRequestView, InferResponseView, ParameterValue, TensorToWrite } from '@headrace/proto';
import { inferenceService, scanInferRequest, scanInferResponse, writeInferRequest, writeInferResponse } from '@headrace/proto';
import { describe, expect, test } from 'vitest';
import { laneKey } from './lane-key.js';
import { mergeRequests } from './merge-requests.js';
import { rowsOf } from './rows.js';
import { splitResponse } from './split-response.js';

const none: ReadonlyMap<string, ParameterValue> = new Map();

function scanned(bytes: Buffer): InferRequestView {
  const scan = scanInferRequest(bytes);
  if (!scan.ok) throw new Error(scan.message);
  return scan.view;
}

function scannedResponse(bytes: Buffer): InferResponseView {
  const scan = scanInferResponse(bytes);
  if (!scan.ok) throw new Error(scan.message);
  return scan.view;
}

function strings(elements: readonly string[]): Buffer {
  return Buffer.concat(elements.map((element) => Buffer.concat([Buffer.from([element.length, 0, 0, 0]), Buffer.from(element)])));
}

/** A request whose every element carries the nonce of its row. */
function request(
  nonces: readonly number[],
  more: { id?: string; swap?: boolean; parameters?: ReadonlyMap<string, ParameterValue> } = {},
): InferRequestView {
  const numbers: TensorToWrite = {
    name: 'numbers',
    datatype: 'INT32',
    shape: [nonces.length, 2],
    data: [Buffer.from(Int32Array.from(nonces.flatMap((nonce) => [nonce, nonce])).buffer)],
  };
  const words: TensorToWrite = {
    name: 'words',
    datatype: 'BYTES',
    shape: [nonces.length],
    data: [strings(nonces.map((nonce) => 'w'.repeat(nonce % 5) + nonce))],
  };
  const inputs = more.swap === true ? [words, numbers] : [numbers, words];
  return scanned(
    writeInferRequest({
      modelName: 'echo',
      modelVersion: '',
      id: more.id ?? '',
      parameters: more.parameters ?? none,
      inputs,
      outputs: [
        { name: 'numbers', parameters: none },
        { name: 'words', parameters: none },
      ],
    }),
  );
}

function merged(views: readonly InferRequestView[], overrides?: Parameters<typeof mergeRequests>[2]): InferRequestView {
  return scanned(mergeRequests(views, rawOf, overrides));
}

/** A model that answers with its inputs. */
function echo(view: InferRequestView): InferResponseView {
  const outputs = view.outputs.map(({ name }): TensorToWrite => {
    const input = view.inputs.find((one) => one.name === name);
    if (input?.raw === undefined) throw new Error(`no input ${name}`);
    return { name, datatype: input.datatype as 'INT32', shape: input.shape, data: [view.bytes.subarray(input.raw.start, input.raw.end)] };
  });
  return scannedResponse(
    writeInferResponse({ modelName: view.modelName, modelVersion: '3', id: view.id, parameters: new Map([['run', 7n]]), outputs }),
  );
}

function contentOf(view: InferRequestView | InferResponseView, name: string): string {
  const tensor = ('inputs' in view ? view.inputs : view.outputs).find((one) => one.name === name);
  return tensor?.raw === undefined
    ? 'missing'
    : `[${tensor.shape.join()}] ${view.bytes.subarray(tensor.raw.start, tensor.raw.end).toString('hex')}`;
}

test('every member of a batch gets back its own rows and its own id, whatever the order of its inputs', () => {
  const member = fc.record({
    nonces: fc.array(fc.integer({ min: 0, max: 99_999 }), { maxLength: 4 }),
    swap: fc.boolean(),
    id: fc.string({ maxLength: 5, unit: 'grapheme-ascii' }),
  });
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 8 }), (members) => {
      const views = members.map(({ nonces, ...more }) => request(nonces, more));
      expect(new Set(views.map((view) => laneKey(view, '3'))).size).toBe(1);
      const split = splitResponse(
        echo(merged(views)),
        members.map(({ nonces }) => nonces.length),
        members.map(({ id }) => id),
      );
      if (!split.ok) throw new Error(split.message);
      split.messages.forEach((message, index) => {
        const reply = scannedResponse(message);
        const asked = views[index];
        if (asked === undefined) throw new Error('a reply too many');
        expect([reply.id, reply.modelName, reply.modelVersion, reply.parameters.get('run')]).toEqual([members[index]?.id, 'echo', '3', 7n]);
        for (const name of ['numbers', 'words']) expect(contentOf(reply, name)).toBe(contentOf(asked, name));
      });
    }),
  );
});

describe('mergeRequests', () => {
  test('keeps parameters and outputs; the caller sets what belongs to the batch', () => {
    const shared = new Map<string, ParameterValue>([
      ['k', 'v'],
      ['priority', 2n],
      ['timeout', 5n],
    ]);
    const view = merged([request([1], { parameters: shared, id: 'a' }), request([2], { parameters: shared, id: 'b' })], {
      id: 'batch',
      modelVersion: '3',
      parameters: new Map<string, ParameterValue | undefined>([
        ['priority', 1n],
        ['timeout', undefined],
      ]),
    });
    expect([...view.parameters]).toEqual([
      ['k', 'v'],
      ['priority', 1n],
    ]);
    expect([view.id, view.modelVersion, view.outputs.map(({ name }) => name)]).toEqual(['batch', '3', ['numbers', 'words']]);
    expect(view.inputs.map(({ shape }) => shape)).toEqual([[2, 2], [2]]);
  });

  test('will not mix what is not alike', () => {
    const other = scanned(
      writeInferRequest({
        modelName: 'echo',
        modelVersion: '',
        id: '',
        parameters: none,
        outputs: [],
        inputs: [
          { name: 'numbers', datatype: 'INT64', shape: [1, 2], data: [Buffer.alloc(16)] },
          { name: 'words', datatype: 'BYTES', shape: [1], data: [strings(['x'])] },
        ],
      }),
    );
    expect(() => merged([request([1]), other])).toThrow(/input 'numbers' INT32 \[1,2\]/);
    expect(() => merged([])).toThrow(RangeError);
  });
});

describe('splitResponse says which output does not keep rows apart', () => {
  const response = (output: TensorToWrite): InferResponseView =>
    scannedResponse(writeInferResponse({ modelName: 'm', modelVersion: '1', id: '', parameters: none, outputs: [output] }));
  test.each<[string, TensorToWrite, RegExp]>([
    [
      'the row sum is not the first dim',
      { name: 'mean', datatype: 'FP32', shape: [1, 2], data: [Buffer.alloc(8)] },
      /output 'mean': shape: expected 3 rows.*\[1,2\]/,
    ],
    [
      'a scalar',
      { name: 'loss', datatype: 'FP32', shape: [], data: [Buffer.alloc(4)] },
      /output 'loss': expected the rows as first dimension/,
    ],
    [
      'fewer bytes than the shape says',
      { name: 'y', datatype: 'FP32', shape: [3], data: [Buffer.alloc(11)] },
      /output 'y': expected 12 bytes.*got 11/,
    ],
    [
      'fewer strings than the shape says',
      { name: 's', datatype: 'BYTES', shape: [3], data: [strings(['a', 'b'])] },
      /output 's': expected the length of BYTES element 2/,
    ],
  ])('%s', (_, output, message) => {
    const split = splitResponse(response(output), [1, 2], ['a', 'b']);
    expect(split.ok ? 'split' : split.message).toMatch(message);
  });

  test('typed contents are split too', () => {
    const bytes = inferenceService.methods.ModelInfer.response.encode({
      model_name: 'm',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [3], contents: { fp32_contents: [1, 2, 3] } }],
    });
    const split = splitResponse(scannedResponse(Buffer.from(bytes)), [1, 2], ['a', 'b']);
    if (!split.ok) throw new Error(split.message);
    expect(split.messages.map((message) => contentOf(scannedResponse(message), 'y'))).toEqual([`[1] 0000803f`, `[2] 0000004000004040`]);
  });
});

describe('the rows of a request', () => {
  const withInput = (input: Partial<InferRequestView['inputs'][number]>): InferRequestView => {
    const view = request([1, 2]);
    return { ...view, inputs: view.inputs.map((one, index) => (index === 0 ? { ...one, ...input } : one)) };
  };

  test.each<[string, InferRequestView, RegExp]>([
    ['no inputs', { ...request([1]), inputs: [] }, /inputs: expected at least one/],
    ['no batch dim', withInput({ shape: [] }), /input 'numbers': expected a batch dimension/],
    ['inputs that disagree on rows', withInput({ shape: [3, 2] }), /input 'words': expected 3 rows as input 'numbers' has, got \[2\]/],
  ])('%s', (_, view, message) => {
    const counted = rowsOf(view);
    expect(counted.ok ? 'accepted' : counted.message).toMatch(message);
  });

  test('rowsOf counts rows', () => {
    expect([rowsOf(request([1, 2, 3])), rowsOf(request([]))]).toEqual([
      { ok: true, rows: 3 },
      { ok: true, rows: 0 },
    ]);
  });
});

test('parameters of a tensor stay with it, into the batch and back to every member', () => {
  const own = new Map([['unit', 'dollars']]);
  const view = scanned(
    writeInferRequest({
      modelName: 'm',
      modelVersion: '',
      id: '',
      parameters: none,
      inputs: [{ name: 'numbers', datatype: 'INT32', shape: [1], data: [Buffer.alloc(4)], parameters: own }],
      outputs: [],
    }),
  );
  const both = scanned(mergeRequests([view, view], rawOf));
  expect(both.inputs[0]).toMatchObject({ shape: [2], parameters: own });
  const response = scannedResponse(
    writeInferResponse({
      modelName: 'm',
      modelVersion: '1',
      id: '',
      parameters: none,
      outputs: [{ name: 'price', datatype: 'INT32', shape: [2], data: [Buffer.alloc(8)], parameters: own }],
    }),
  );
  const split = splitResponse(response, [1, 1], ['a', 'b']);
  if (!split.ok) throw new Error(split.message);
  expect(split.messages.map((message) => scannedResponse(message).outputs[0]?.parameters)).toEqual([own, own]);
});

function rawOf(view: InferRequestView, index: number): Buffer {
  const raw = view.inputs[index]?.raw;
  return raw === undefined ? Buffer.alloc(0) : view.bytes.subarray(raw.start, raw.end);
}
