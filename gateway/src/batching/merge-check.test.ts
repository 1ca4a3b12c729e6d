import { scanInferRequest, writeInferRequest } from '@headrace/proto';
import type { InferRequestToWrite, InferRequestView, TensorToWrite } from '@headrace/proto';
import { describe, expect, it } from 'vitest';
import type { BackendModel, BackendView, ModelSignature } from '../domain/backend-view.js';
import type { ModelPolicy } from '../domain/gateway-table.js';
import { commonSignature, maxBatchRowsOf } from './batchability.js';
import { MergeCheck } from './merge-check.js';

const signature: ModelSignature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 2], optional: false },
    { name: 's', datatype: 'BYTES', shape: [-1, 1], optional: true },
  ],
  outputs: ['y'],
};
const x = (change: Partial<TensorToWrite> = {}): TensorToWrite => ({
  name: 'x',
  datatype: 'FP32',
  shape: [3, 2],
  data: [Buffer.alloc(24)],
  ...change,
});
const view = (change: Partial<InferRequestToWrite>): InferRequestView => {
  const scanned = scanInferRequest(
    writeInferRequest({ modelName: 'm', modelVersion: '', id: '', parameters: new Map(), inputs: [x()], outputs: [], ...change }),
  );
  if (!scanned.ok) throw new Error(scanned.message);
  return scanned.view;
};
const text = (...parts: string[]): Buffer =>
  Buffer.concat(parts.flatMap((part) => [Buffer.from([part.length, 0, 0, 0]), Buffer.from(part)]));

describe('MergeCheck', () => {
  const cases: readonly [string, Partial<InferRequestToWrite>, RegExp | undefined][] = [
    ['what the metadata asks for', {}, undefined],
    [
      'an optional input given',
      { inputs: [x({ shape: [1, 2], data: [Buffer.alloc(8)] }), { name: 's', datatype: 'BYTES', shape: [1, 1], data: [text('ab')] }] },
      undefined,
    ],
    ['a known output', { outputs: [{ name: 'y', parameters: new Map() }] }, undefined],
    ['no rows', { inputs: [x({ shape: [0, 2], data: [] })] }, undefined],
    ['another datatype', { inputs: [x({ datatype: 'INT32' })] }, /expected FP32, got INT32/],
    ['other dims', { inputs: [x({ shape: [2, 3] })] }, /expected 2 in dim 1, got 3/],
    ['more dims', { inputs: [x({ shape: [3, 2, 1] })] }, /expected 2 dims, got 3/],
    ['too few bytes', { inputs: [x({ data: [Buffer.alloc(20)] })] }, /expected 24 bytes for FP32 \[3,2\], got 20/],
    ['too many bytes', { inputs: [x({ data: [Buffer.alloc(25)] })] }, /expected 24 bytes for FP32 \[3,2\], got 25/],
    ['dims that overflow', { inputs: [x({ shape: [2 ** 52, 2] })] }, /expected .* bytes for .*, got 24/],
    ['an unknown input', { inputs: [x(), x({ name: 'z' })] }, /"z" is unknown/],
    ['an input twice', { inputs: [x(), x()] }, /came twice/],
    ['a missing input', { inputs: [] }, /"x" is missing/],
    ['an unknown output', { outputs: [{ name: 'z', parameters: new Map() }] }, /output "z" is unknown/],
    ['a classified output', { outputs: [{ name: 'y', parameters: new Map([['classification', 3n]]) }] }, /has parameters/],
    [
      'an element longer than its tensor',
      { inputs: [x(), { name: 's', datatype: 'BYTES', shape: [1, 1], data: [Buffer.from([9, 0, 0, 0, 1])] }] },
      /expected 9 bytes of BYTES element 0, got 1/,
    ],
    [
      'too few elements',
      { inputs: [x(), { name: 's', datatype: 'BYTES', shape: [2, 1], data: [text('ab')] }] },
      /expected the length of BYTES element 1 at byte 6, got the end/,
    ],
    [
      'too many elements',
      { inputs: [x(), { name: 's', datatype: 'BYTES', shape: [1, 1], data: [text('ab', 'c')] }] },
      /expected 1 BYTES elements in 6 bytes, got 5 bytes more/,
    ],
  ];
  it.each(cases)('%s', (_name, change, expected) => {
    const found = new MergeCheck(signature).whyNotMergeable(view(change));
    expect(found ?? 'mergeable').toMatch(expected ?? /^mergeable$/);
  });

  it('knows nothing of the requests before', () => {
    const check = new MergeCheck(signature);
    const asked = [{}, {}, { inputs: [] }, { inputs: [x(), x()] }, { inputs: [] }, {}].map((change) => check.whyNotMergeable(view(change)));
    expect(asked).toEqual([undefined, undefined, 'input "x" is missing', 'input "x" came twice', 'input "x" is missing', undefined]);
  });
});

describe('batchability', () => {
  const entry = (change: Partial<BackendModel>): BackendModel => ({
    name: 'm',
    readyVersions: ['1'],
    unready: new Map(),
    signature,
    maxBatchRows: 8,
    instances: 1,
    ...change,
  });
  const backend = (name: string, change: Partial<BackendModel>, state: BackendView['state'] = 'ready'): BackendView => ({
    name,
    podClass: 'cpu',
    state,
    life: 1,
    readySinceMs: 0,
    instances: undefined,
    models: new Map([['m', entry(change)]]),
  });
  const policy = (maxBatchRows: number | undefined, backends?: readonly string[]): ModelPolicy => ({
    backends: backends === undefined ? undefined : new Set(backends),
    timeoutMs: 1,
    idempotent: true,
    batching: { maxBatchRows, maxQueuedRows: 1, maxLanes: 1, agingMs: 1 },
    priority: { bands: 4, defaultBand: 3, bypassBand: 1, bypassMaxShare: 0.2, map: new Map() },
    slo: undefined,
    fallback: undefined,
    referenceMs: undefined,
  });
  const cases: readonly [string, readonly BackendView[], ModelPolicy, number][] = [
    ['the least that the backends declare', [backend('a', { maxBatchRows: 8 }), backend('b', { maxBatchRows: 4 })], policy(undefined), 4],
    ["the table's word", [backend('a', { maxBatchRows: 8 })], policy(16), 16],
    ["the table's 0", [backend('a', { maxBatchRows: 8 })], policy(0), 0],
    [
      'never, when one does not tell, whatever its dims look like',
      [backend('a', {}), backend('b', { maxBatchRows: undefined })],
      policy(undefined),
      0,
    ],
    ['without those that are not ready', [backend('a', {}), backend('b', { maxBatchRows: 2 }, 'lost')], policy(undefined), 8],
    ['without those that the table leaves out', [backend('a', {}), backend('b', { maxBatchRows: 2 })], policy(undefined, ['a']), 8],
    ['never, when nobody is ready', [], policy(undefined), 0],
  ];
  it.each(cases)('is %s', (_name, backends, own, expected) => {
    expect(maxBatchRowsOf('m', backends, own)).toBe(expected);
  });

  it('knows a signature only where all agree', () => {
    expect(commonSignature('m', [backend('a', {}), backend('b', {})], policy(1))).toBe(signature);
    expect(commonSignature('m', [backend('a', {}), backend('b', { signature: { inputs: [], outputs: [] } })], policy(1))).toBeUndefined();
    expect(commonSignature('m', [backend('a', {}), backend('b', { signature: undefined })], policy(1))).toBeUndefined();
  });
});
