import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { inferenceService } from '@headrace/proto';
import { statusName } from '@headrace/runtime';
import type { StatusName } from '@headrace/runtime';
import { statusToRefusal } from '@headrace/wire';
import type { Channel, UnaryOutcome } from '@headrace/wire';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelFolder } from '../harness/model-folder.js';
import { infer, openChannel } from '../harness/outcomes.js';
import { startGateway, startInference } from '../harness/index.js';
import type { RunningGateway, RunningServer, TempDir } from '../harness/index.js';

const { ModelInfer } = inferenceService.methods;
type Request = Parameters<typeof ModelInfer.request.encode>[0];

const maxMessageBytes = 1024 * 1024;
const x = { name: 'x', datatype: 'FP32', shape: ['1', '16'] };
const good: Request = { model_name: 'tiny', inputs: [x], raw_input_contents: [Buffer.alloc(64)] };
const nonce = { name: 'nonce', datatype: 'INT64', shape: ['1', '1'] };
const payload = { name: 'payload', datatype: 'FP32', shape: ['1', '8'] };
const text = { name: 'x', datatype: 'BYTES', shape: ['1', '1'] };
const bytesOf = (element: Buffer, length = element.length): Buffer => {
  const lengthBytes = Buffer.alloc(4);
  lengthBytes.writeUInt32LE(length);
  return Buffer.concat([lengthBytes, element]);
};
const shaped = (...shape: readonly string[]): Request => ({ ...good, inputs: [{ ...x, shape: [...shape] }] });

/** A request, its status, the field that google.rpc.BadRequest names ("" for none), and what the message has to say. */
type Case = readonly [sentence: string, request: Request, code: StatusName, field: string | RegExp, says: readonly (string | RegExp)[]];

/** The same for a client that calls an inference server and for one that calls the gateway in front of it. */
const cases: readonly Case[] = [
  ['no model name', { ...good, model_name: '' }, 'NOT_FOUND', 'model_name', ['model']],
  ['an unknown model', { ...good, model_name: 'nobody' }, 'NOT_FOUND', 'model_name', ['model "nobody"']],
  ['an unknown version', { ...good, model_version: '7' }, 'NOT_FOUND', 'model_version', ['"tiny"', 'version "7"', /ready: 1/]],
  ['a version that is no number', { ...good, model_version: 'latest' }, 'NOT_FOUND', 'model_version', ['"tiny"', '"latest"', /ready: 1/]],
  ['a model that failed to load', { ...good, model_name: 'identity_bfloat16' }, 'UNAVAILABLE', '', ['"identity_bfloat16" is not ready']],
  ['a model that was not loaded', { ...good, model_name: 'later' }, 'UNAVAILABLE', '', ['"later" is not ready']],
  ['no input at all', { model_name: 'tiny' }, 'INVALID_ARGUMENT', 'x', ['input "x" is missing', 'expects "x"']],
  [
    'one of two inputs missing',
    { model_name: 'echo_nonce', inputs: [nonce], raw_input_contents: [Buffer.alloc(8)] },
    'INVALID_ARGUMENT',
    'payload',
    ['input "payload" is missing', '"nonce", "payload"'],
  ],
  [
    'an extra input',
    { ...good, inputs: [x, { ...x, name: 'z' }], raw_input_contents: [Buffer.alloc(64), Buffer.alloc(64)] },
    'INVALID_ARGUMENT',
    'z',
    ['input "z"', 'expected "x"'],
  ],
  [
    'an unknown input instead of the right one',
    { ...good, inputs: [{ ...x, name: 'z' }] },
    'INVALID_ARGUMENT',
    'z',
    ['input "z"', 'expected "x"'],
  ],
  [
    'an input twice',
    { ...good, inputs: [x, x], raw_input_contents: [Buffer.alloc(64), Buffer.alloc(64)] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'expected once, got twice'],
  ],
  ['an unknown output', { ...good, outputs: [{ name: 'z' }] }, 'INVALID_ARGUMENT', 'z', ['output "z"', 'expected "y"']],
  [
    'an output twice',
    { ...good, outputs: [{ name: 'y' }, { name: 'y' }] },
    'INVALID_ARGUMENT',
    'y',
    ['output "y"', 'expected once, got twice'],
  ],
  [
    'the wrong datatype',
    { ...good, inputs: [{ ...x, datatype: 'INT32' }] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'expected datatype FP32, got INT32'],
  ],
  [
    'a datatype nobody knows',
    { ...good, inputs: [{ ...x, datatype: 'FP128' }] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'FP32', '"FP128"'],
  ],
  ['no datatype', { ...good, inputs: [{ name: 'x', shape: ['1', '16'] }] }, 'INVALID_ARGUMENT', 'x', ['input "x"', 'FP32', '""']],
  [
    'too few bytes',
    { ...good, raw_input_contents: [Buffer.alloc(63)] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'expected 64 bytes', 'got 63'],
  ],
  [
    'too many bytes',
    { ...good, raw_input_contents: [Buffer.alloc(128)] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'expected 64 bytes', 'got 128'],
  ],
  ['no bytes', { ...good, raw_input_contents: [Buffer.alloc(0)] }, 'INVALID_ARGUMENT', 'x', ['input "x"', 'expected 64 bytes', 'got 0']],
  ['no data', { ...good, raw_input_contents: [] }, 'INVALID_ARGUMENT', 'x', ['"x"', 'expected 16 elements']],
  [
    'fewer raw entries than inputs',
    { model_name: 'echo_nonce', inputs: [nonce, payload], raw_input_contents: [Buffer.alloc(8)] },
    'INVALID_ARGUMENT',
    'raw_input_contents',
    ['raw_input_contents', 'expected 2', 'got 1'],
  ],
  [
    'more raw entries than inputs',
    { ...good, raw_input_contents: [Buffer.alloc(64), Buffer.alloc(1)] },
    'INVALID_ARGUMENT',
    'raw_input_contents',
    ['raw_input_contents', 'expected 1', 'got 2'],
  ],
  [
    'raw and typed data in one input',
    { ...good, inputs: [{ ...x, contents: { fp32_contents: Array.from({ length: 16 }, () => 0) } }] },
    'INVALID_ARGUMENT',
    'x',
    ['contents field must not be specified when using raw_input_contents', '"x"'],
  ],
  [
    'one input raw, one typed',
    {
      model_name: 'echo_nonce',
      inputs: [nonce, { ...payload, contents: { fp32_contents: [1, 2, 3, 4, 5, 6, 7, 8] } }],
      raw_input_contents: [Buffer.alloc(8)],
    },
    'INVALID_ARGUMENT',
    'payload',
    ['contents field must not be specified when using raw_input_contents', '"payload"'],
  ],
  [
    'too few typed elements',
    { model_name: 'tiny', inputs: [{ ...x, contents: { fp32_contents: [1, 2] } }] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'expected 16 elements', 'got 2'],
  ],
  [
    'typed elements of another datatype',
    { model_name: 'tiny', inputs: [{ ...x, contents: { int64_contents: ['1', '2'] } }] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'fp32_contents', 'int64_contents'],
  ],
  ['a dim too few', shaped('16'), 'INVALID_ARGUMENT', 'x', ['input "x"', 'expected shape [-1,16]', 'got [16]']],
  ['a dim too many', shaped('1', '16', '1'), 'INVALID_ARGUMENT', 'x', ['input "x"', 'expected shape [-1,16]', 'got [1,16,1]']],
  ['a wrong dim', shaped('1', '15'), 'INVALID_ARGUMENT', 'x', ['input "x"', 'expected shape [-1,16]', 'got [1,15]']],
  ['no shape', shaped(), 'INVALID_ARGUMENT', 'x', ['input "x"', 'expected shape [-1,16]', 'got []']],
  ['a negative dim', shaped('-1', '16'), 'INVALID_ARGUMENT', '', ['"x"', '-1']],
  ['the most negative dim', shaped('-9223372036854775808', '16'), 'INVALID_ARGUMENT', '', ['"x"', '-9223372036854775808']],
  ['a huge dim', shaped('1000000000', '16'), 'INVALID_ARGUMENT', 'x', ['input "x"', 'at most 32 rows', '1000000000']],
  ['a dim that no number holds', shaped('9223372036854775807', '16'), 'INVALID_ARGUMENT', '', ['"x"', '9223372036854775807']],
  [
    'dims whose product overflows',
    {
      model_name: 'identity_int64',
      inputs: [{ name: 'x', datatype: 'INT64', shape: ['32', '4503599627370496'] }],
      raw_input_contents: [Buffer.alloc(0)],
    },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', '[32,4503599627370496]'],
  ],
  [
    'inputs of different row counts',
    {
      model_name: 'echo_nonce',
      inputs: [nonce, { ...payload, shape: ['2', '8'] }],
      raw_input_contents: [Buffer.alloc(8), Buffer.alloc(64)],
    },
    'INVALID_ARGUMENT',
    'payload',
    ['input "payload"', 'expected 1 rows', 'got 2'],
  ],
  [
    'more rows than the largest batch',
    { ...shaped('33', '16'), raw_input_contents: [Buffer.alloc(33 * 64)] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'at most 32 rows', 'got 33'],
  ],
  [
    'a BYTES element longer than what came',
    { model_name: 'identity_string', inputs: [text], raw_input_contents: [bytesOf(Buffer.from('abc'), 4)] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'element 0', '4', '3'],
  ],
  [
    'a BYTES element of four gigabytes',
    { model_name: 'identity_string', inputs: [text], raw_input_contents: [bytesOf(Buffer.alloc(0), 0xff_ff_ff_ff)] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'element 0', '4294967295'],
  ],
  [
    'more BYTES elements than the shape has',
    {
      model_name: 'identity_string',
      inputs: [text],
      raw_input_contents: [Buffer.concat([bytesOf(Buffer.from('a')), bytesOf(Buffer.from('b'))])],
    },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'expected 1 '],
  ],
  [
    'a BYTES element with a NUL, which the runtime cannot carry',
    { model_name: 'identity_string', inputs: [text], raw_input_contents: [bytesOf(Buffer.from('a\0b'))] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'element 0', 'NUL'],
  ],
  [
    'a BYTES element that is no UTF-8, which the runtime cannot carry',
    { model_name: 'identity_string', inputs: [text], raw_input_contents: [bytesOf(Buffer.from('c328', 'hex'))] },
    'INVALID_ARGUMENT',
    'x',
    ['input "x"', 'element 0', 'UTF-8'],
  ],
  [
    'a priority that is text',
    { ...good, parameters: { priority: { string_param: 'high' } } },
    'INVALID_ARGUMENT',
    /^parameters\b.*priority/,
    ['priority', 'expected', '"high"'],
  ],
  [
    'a negative timeout',
    { ...good, parameters: { timeout: { int64_param: '-1' } } },
    'INVALID_ARGUMENT',
    /^parameters\b.*timeout/,
    ['timeout', 'expected', '-1'],
  ],
];

/** A string stands for itself alone. */
const whole = (field: string | RegExp): RegExp => (typeof field === 'string' ? new RegExp(`^${field}$`) : field);

let models: TempDir;
let server: RunningServer;
let gateway: RunningGateway;
beforeAll(async () => {
  models = await modelFolder('tiny', 'echo_nonce', 'identity_bfloat16', 'identity_string', 'identity_int64', 'slow');
  await rename(join(models.path, 'slow'), join(models.path, 'later'));
  const loaded = ['tiny', 'echo_nonce', 'identity_bfloat16', 'identity_string', 'identity_int64'];
  server = await startInference({
    models: models.path,
    args: ['--max-message-bytes', String(maxMessageBytes), '--load-model', ...loaded],
  });
  const table = { backends: [{ name: 'b', address: server.address }], limits: { maxMessageBytes } };
  gateway = await startGateway({ table, folder: models.path });
});
afterAll(async () => {
  // Not one of them made a process end.
  expect(gateway.process.exit).toBeUndefined();
  expect(server.process.exit).toBeUndefined();
  await gateway.process.stop();
  await server.process.stop();
  await models.remove();
});

describe.each([
  ['an inference server', () => server.address],
  ['the gateway', () => gateway.address],
])('%s refuses, and lives on after,', (_target, address) => {
  let channel: Channel;
  beforeAll(() => {
    channel = openChannel(address());
  });
  afterAll(() => channel.close());

  const livesOn = async (): Promise<void> => {
    const outcome = await infer(channel, ModelInfer.request.encode(good));
    expect(outcome.ok ? 'OK' : outcome.status).toBe('OK');
  };
  const codeOf = (outcome: UnaryOutcome): StatusName => (outcome.ok ? 'OK' : statusName(outcome.status.code));

  test.each(cases)('%s', async (_sentence, request, code, field, says) => {
    const outcome = await infer(channel, ModelInfer.request.encode(request));
    if (outcome.ok) throw new Error('was accepted');
    const { message } = outcome.status;
    expect(codeOf(outcome), message).toBe(code);
    expect(statusToRefusal(outcome.status).field ?? '').toMatch(whole(field));
    for (const part of says) expect(message).toMatch(part);
    await livesOn();
  });

  test('a message cut at any byte', async () => {
    const message = ModelInfer.request.encode({ ...good, id: 'cut', outputs: [{ name: 'y' }] });
    for (let end = 0; end < message.length; end++) {
      const outcome = await infer(channel, Buffer.from(message.subarray(0, end)));
      // Cut between two fields it is a message without the rest of them.
      expect(['INVALID_ARGUMENT', 'NOT_FOUND'], `cut at ${end}`).toContain(codeOf(outcome));
      expect(outcome.ok ? 'answered' : outcome.status.message).not.toBe('');
    }
    await livesOn();
  });

  test('bytes changed at random: never an internal error', async () => {
    const valid = ModelInfer.request.encode({ ...good, id: 'changed', outputs: [{ name: 'y' }] });
    const change = fc.record({ at: fc.nat(valid.length - 1), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const message = Buffer.from(valid);
        for (const { at, byte } of changes) message[at] = byte;
        const outcome = await infer(channel, message);
        expect(['OK', 'INVALID_ARGUMENT', 'NOT_FOUND'], outcome.ok ? '' : outcome.status.message).toContain(codeOf(outcome));
      }),
      { numRuns: 300 },
    );
    await livesOn();
  });

  test('a message over the limit', async () => {
    const big = { ...good, raw_input_contents: [Buffer.alloc(maxMessageBytes + 1)] };
    const outcome = await infer(channel, ModelInfer.request.encode(big));
    if (outcome.ok) throw new Error('was accepted');
    expect(codeOf(outcome)).toBe('RESOURCE_EXHAUSTED');
    expect(outcome.status.message).toMatch(new RegExp(`${maxMessageBytes}`));
    await livesOn();
  });
});
