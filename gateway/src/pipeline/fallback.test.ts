import { scanInferRequest, writeInferRequest } from '@headrace/proto';
import type { InferRequestView, ParameterValue } from '@headrace/proto';
import { refuse, refusalHelp } from '@headrace/runtime';
import type { RefusalReason } from '@headrace/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackendModel, BackendView } from '../domain/backend-view.js';
import { parseTable } from '../table/parse.js';
import { fallbackFor, withModel } from './fallback.js';

interface Request {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly values: readonly bigint[];
}

function viewOf({ model, version, id, parameters, values }: Request): InferRequestView {
  const data = Buffer.alloc(values.length * 8);
  values.forEach((value, row) => data.writeBigInt64LE(value, row * 8));
  const scanned = scanInferRequest(
    writeInferRequest({
      modelName: model,
      modelVersion: version,
      id,
      parameters: new Map(Object.entries(parameters)),
      inputs: [{ name: 'x', datatype: 'INT64', shape: [values.length, 1], data: [data] }],
      outputs: [{ name: 'x_out', parameters: new Map() }],
    }),
  );
  if (!scanned.ok) throw new Error(scanned.message);
  return scanned.view;
}

const simple: Request = { model: 'big', version: '', id: 'r', parameters: {}, values: [1n] };

describe('withModel', () => {
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 256 });
  const request = fc.record({
    model: fc.string({ unit: 'binary', maxLength: 300 }),
    version: fc.string({ maxLength: 5 }),
    id: fc.string({ unit: 'binary', maxLength: 40 }),
    parameters: fc.dictionary(
      fc.string({ minLength: 1, maxLength: 8 }),
      fc.oneof(fc.boolean(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.string()),
      { maxKeys: 3 },
    ),
    values: fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), { minLength: 1, maxLength: 20 }),
  });

  it('gives a request that reads as the same one but for the name', () => {
    fc.assert(
      fc.property(request, name, (before, model) => {
        const view = viewOf(before);
        const renamed = withModel(view, model);
        if (renamed === undefined) throw new Error('it cannot be read');
        const raw = (of: InferRequestView): unknown =>
          of.inputs.map((input) => input.raw && of.bytes.subarray(input.raw.start, input.raw.end).toString('hex'));
        const { bytes: _old, modelName: _name, ...rest } = view;
        const { bytes: _new, modelName, ...same } = renamed;
        expect(modelName).toBe(Buffer.from(model).toString());
        expect(same).toEqual(rest);
        expect(raw(renamed)).toEqual(raw(view));
      }),
    );
  });

  it.each([1, 127, 128, 129, 255, 256, 1024, 16_383])('writes a name of %s bytes', (length) => {
    expect(withModel(viewOf(simple), 'n'.repeat(length))?.modelName).toBe('n'.repeat(length));
  });
});

const int64 = { name: 'x', datatype: 'INT64', shape: [-1, 1], optional: false };
const modelOf = (name: string, more: Partial<BackendModel> = {}): BackendModel => ({
  name,
  readyVersions: ['1'],
  unready: new Map(),
  signature: { inputs: [int64], outputs: ['y'] },
  maxBatchRows: 8,
  instances: 1,
  ...more,
});
const backend = (name: string, models: readonly BackendModel[], more: Partial<BackendView> = {}): BackendView => ({
  name,
  podClass: 'cpu',
  state: 'ready',
  life: 1,
  readySinceMs: 0,
  instances: undefined,
  models: new Map(models.map((model) => [model.name, model])),
  ...more,
});
const parsed = parseTable(
  JSON.stringify({
    apiVersion: 'headrace.dev/v1alpha1',
    kind: 'RoutingTable',
    backends: [{ name: 'a', address: '127.0.0.1:9000' }],
    models: [{ name: 'big', fallback: 'small' }, { name: 'small', fallback: 'tiny' }, { name: 'tiny' }],
  }),
  'test',
);
if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
const table = parsed.value;

describe('fallbackFor', () => {
  const both = [backend('a', [modelOf('big'), modelOf('small')])];
  const ask = (more: Partial<Request> = {}, backends: readonly BackendView[] = both, reason: RefusalReason = 'OVERLOADED') =>
    fallbackFor(viewOf({ ...simple, ...more }), refuse(reason, ''), table, backends);

  it('helps where the model is down or shed, and nowhere else', () => {
    const reasons = Object.keys(refusalHelp) as RefusalReason[];
    expect(reasons.filter((reason) => ask({}, both, reason) === 'small').toSorted()).toEqual([
      'BACKEND_LOST',
      'CIRCUIT_OPEN',
      'DEADLINE_UNREACHABLE',
      'MODEL_NOT_FOUND',
      'MODEL_NOT_READY',
      'NO_BACKEND',
      'OVERLOADED',
      'QUEUE_FULL',
    ]);
  });

  const cases: readonly [string, string | undefined, Partial<Request>, (readonly BackendView[])?][] = [
    ['a model with none has none', undefined, { model: 'tiny' }],
    ['a model that the table does not name has none', undefined, { model: 'else' }],
    ['one that asks for a version gets no other model', undefined, { version: '1' }],
    ['a sequence stays where its state is', undefined, { parameters: { sequence_id: 7n } }],
    [
      'other tensors are no help',
      undefined,
      {},
      [backend('a', [modelOf('big'), modelOf('small', { signature: { inputs: [{ ...int64, datatype: 'INT32' }], outputs: ['y'] } })])],
    ],
    [
      'other outputs are no help',
      undefined,
      {},
      [backend('a', [modelOf('big'), modelOf('small', { signature: { inputs: [int64], outputs: ['z'] } })])],
    ],
    ['backends that disagree on it are no help', undefined, {}, [...both, backend('b', [modelOf('small', { signature: undefined })])]],
    ['one that nobody serves is no help', undefined, {}, [backend('a', [modelOf('big')])]],
    ['one that is unloaded is no help', undefined, {}, [backend('a', [modelOf('big'), modelOf('small', { readyVersions: [] })])]],
    ['one on a lost backend is no help', undefined, {}, [backend('a', [modelOf('big'), modelOf('small')], { state: 'lost' })]],
    ["where the model is gone, the table's word counts", 'small', {}, [backend('a', [modelOf('small')])]],
  ];
  it.each(cases)('%s', (_name, expected, request, backends = both) => {
    expect(ask(request, backends)).toBe(expected);
  });
});
