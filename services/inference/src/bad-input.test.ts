import { fileURLToPath } from 'node:url';
import { inferenceService } from '@headrace/proto';
import { statusCode, statusName } from '@headrace/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InferenceServer } from './server.js';
import { startInferenceServer } from './server.js';
import { InferenceClient } from './testing/index.js';

const models = fileURLToPath(new URL('../../../test/models', import.meta.url));
const { ModelInfer } = inferenceService.methods;

let server: InferenceServer;
let client: InferenceClient;

beforeAll(async () => {
  server = await startInferenceServer({
    modelRepository: models,
    cpuQuota: 1,
    maxOwnThreads: 0,
    maxMessageBytes: 1024 * 1024,
    initialModels: ['tiny', 'echo_nonce', 'identity_bfloat16'],
  });
  await server.loaded;
  client = new InferenceClient(server.grpcPort);
}, 30_000);

afterAll(async () => {
  client.close();
  await server.close();
});

const x = { name: 'x', datatype: 'FP32', shape: ['1', '16'] };
const good = { model_name: 'tiny', inputs: [x], raw_input_contents: [Buffer.alloc(64)] };
type Request = Parameters<typeof ModelInfer.request.encode>[0];

const table: readonly [string, Request, keyof typeof statusCode, RegExp][] = [
  ['no model', { inputs: [] }, 'NOT_FOUND', /model_name: expected the name of a model, got nothing/],
  ['an unknown model', { ...good, model_name: 'nobody' }, 'NOT_FOUND', /model "nobody" is not found/],
  ['an unknown version', { ...good, model_version: '7' }, 'NOT_FOUND', /model "tiny" has no version "7"; ready: 1/],
  ['a version that is no number', { ...good, model_version: 'latest' }, 'NOT_FOUND', /no version "latest"/],
  ['a model that failed to load', { ...good, model_name: 'identity_bfloat16' }, 'UNAVAILABLE', /not ready: .*BFLOAT16/],
  ['a model that is not loaded', { ...good, model_name: 'slow' }, 'UNAVAILABLE', /model "slow" is not ready: not loaded/],
  ['a missing input', { model_name: 'tiny' }, 'INVALID_ARGUMENT', /input "x" is missing; model "tiny" expects "x"/],
  [
    'one of two inputs missing',
    { model_name: 'echo_nonce', inputs: [{ name: 'nonce', datatype: 'INT64', shape: ['1', '1'] }], raw_input_contents: [Buffer.alloc(8)] },
    'INVALID_ARGUMENT',
    /input "payload" is missing/,
  ],
  [
    'an unknown input',
    { ...good, inputs: [x, { ...x, name: 'z' }] },
    'INVALID_ARGUMENT',
    /input "z" is not an input of model "tiny"; expected "x"/,
  ],
  [
    'an input twice',
    { ...good, inputs: [x, x], raw_input_contents: [Buffer.alloc(64), Buffer.alloc(64)] },
    'INVALID_ARGUMENT',
    /input "x": expected once, got twice/,
  ],
  [
    'an unknown output',
    { ...good, outputs: [{ name: 'z' }] },
    'INVALID_ARGUMENT',
    /output "z" is not an output of model "tiny"; expected "y"/,
  ],
  ['an output twice', { ...good, outputs: [{ name: 'y' }, { name: 'y' }] }, 'INVALID_ARGUMENT', /output "y": expected once, got twice/],
  [
    'the wrong datatype',
    { ...good, inputs: [{ ...x, datatype: 'INT64' }] },
    'INVALID_ARGUMENT',
    /input "x": expected datatype FP32, got INT64/,
  ],
  [
    'a datatype nobody knows',
    { ...good, inputs: [{ ...x, datatype: 'FP128' }] },
    'INVALID_ARGUMENT',
    /expected datatype FP32, got "FP128"/,
  ],
  [
    'a dim too many',
    { ...good, inputs: [{ ...x, shape: ['1', '16', '1'] }] },
    'INVALID_ARGUMENT',
    /expected shape \[-1,16\], got \[1,16,1\]/,
  ],
  ['a wrong dim', { ...good, inputs: [{ ...x, shape: ['1', '15'] }] }, 'INVALID_ARGUMENT', /expected shape \[-1,16\], got \[1,15\]/],
  ['no shape', { ...good, inputs: [{ name: 'x', datatype: 'FP32' }] }, 'INVALID_ARGUMENT', /expected shape \[-1,16\], got \[\]/],
  ['a negative dim', { ...good, inputs: [{ ...x, shape: ['-1', '16'] }] }, 'INVALID_ARGUMENT', /-1/],
  [
    'a dim past 2^53',
    { ...good, inputs: [{ ...x, shape: ['9223372036854775807', '16'] }] },
    'INVALID_ARGUMENT',
    /9223372036854775807|shape/,
  ],
  [
    'more rows than the largest batch',
    { ...good, inputs: [{ ...x, shape: ['33', '16'] }], raw_input_contents: [Buffer.alloc(33 * 64)] },
    'INVALID_ARGUMENT',
    /expected at most 32 rows.*got 33/,
  ],
  [
    'too few bytes',
    { ...good, raw_input_contents: [Buffer.alloc(60)] },
    'INVALID_ARGUMENT',
    /input "x": expected 64 bytes \(shape \[1,16\] of FP32\), got 60/,
  ],
  ['too many bytes', { ...good, raw_input_contents: [Buffer.alloc(68)] }, 'INVALID_ARGUMENT', /expected 64 bytes .*, got 68/],
  ['no data', { ...good, raw_input_contents: [] }, 'INVALID_ARGUMENT', /unable to find data for input tensor "x"/],
  [
    'more raw entries than inputs',
    { ...good, raw_input_contents: [Buffer.alloc(64), Buffer.alloc(1)] },
    'INVALID_ARGUMENT',
    /raw_input_contents.*1.*2|expected 1 entries.*got 2/,
  ],
  [
    'raw and typed data',
    { ...good, inputs: [{ ...x, contents: { fp32_contents: [1] } }] },
    'INVALID_ARGUMENT',
    /contents field must not be specified when using raw_input_contents for "x"/,
  ],
  [
    'too few typed elements',
    { model_name: 'tiny', inputs: [{ ...x, contents: { fp32_contents: [1, 2] } }] },
    'INVALID_ARGUMENT',
    /input "x": expected 16 elements .*, got 2/,
  ],
  [
    'typed elements of another type',
    { model_name: 'tiny', inputs: [{ ...x, contents: { int_contents: [1, 2] } }] },
    'INVALID_ARGUMENT',
    /input "x".*int_contents|fp32_contents/,
  ],
  [
    'inputs of different row counts',
    {
      model_name: 'echo_nonce',
      inputs: [
        { name: 'nonce', datatype: 'INT64', shape: ['1', '1'] },
        { name: 'payload', datatype: 'FP32', shape: ['2', '8'] },
      ],
      raw_input_contents: [Buffer.alloc(8), Buffer.alloc(64)],
    },
    'INVALID_ARGUMENT',
    /input "payload": expected 1 rows like the inputs before it, got 2/,
  ],
  [
    'shared memory',
    { ...good, inputs: [{ ...x, parameters: { shared_memory_region: { string_param: 'r' } } }] },
    'INVALID_ARGUMENT',
    /input "x": shared memory is not supported/,
  ],
  [
    'classification',
    { ...good, outputs: [{ name: 'y', parameters: { classification: { int64_param: '3' } } }] },
    'INVALID_ARGUMENT',
    /output "y": parameter classification is not supported/,
  ],
  [
    'a priority that is text',
    { ...good, parameters: { priority: { string_param: 'high' } } },
    'INVALID_ARGUMENT',
    /parameter priority: expected an int64 or uint64 of 0 or more, got string "high"/,
  ],
  [
    'a negative timeout',
    { ...good, parameters: { timeout: { int64_param: '-1' } } },
    'INVALID_ARGUMENT',
    /parameter timeout: .*got bigint -1/,
  ],
  [
    'a reserved parameter',
    { ...good, parameters: { triton_secret: { bool_param: true } } },
    'INVALID_ARGUMENT',
    /parameter "triton_secret": names that start with triton_ are reserved/,
  ],
];

it.each(table)('%s', async (_name, request, code, message) => {
  const result = await client.inferBytes(ModelInfer.request.encode(request));
  if (result.ok) throw new Error('was accepted');
  expect(statusName(result.status.code)).toBe(code);
  expect(result.status.message).toMatch(message);
  expect((await client.inferBytes(ModelInfer.request.encode(good))).ok).toBe(true);
});

it('a message cut at any byte is refused or means something else, and the server lives on', async () => {
  const whole = ModelInfer.request.encode(good);
  for (let end = 0; end < whole.length; end++) {
    const result = await client.inferBytes(whole.subarray(0, end));
    expect(result.ok).toBe(false);
  }
  expect((await client.inferBytes(whole)).ok).toBe(true);
});

it('a message over the limit is RESOURCE_EXHAUSTED', async () => {
  const result = await client.inferBytes(Buffer.alloc(2 * 1024 * 1024));
  expect(result.ok ? undefined : result.status.code).toBe(statusCode.RESOURCE_EXHAUSTED);
  expect((await client.inferBytes(ModelInfer.request.encode(good))).ok).toBe(true);
});

it('rare methods refuse what is no message of theirs', async () => {
  const outcome = await client.raw(inferenceService.methods.ModelMetadata.path, Buffer.from([0x0f]));
  expect(outcome.ok ? undefined : outcome.status.code).toBe(statusCode.INVALID_ARGUMENT);
});
