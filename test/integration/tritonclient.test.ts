import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exactFractions, fp32, mustRun, need, paths, referenceFp32, runPython, startPlatform } from '../harness/index.js';
import type { JsonTensor, Platform } from '../harness/index.js';

/** Triton's own Python client, unchanged, against the gateway with two inference servers behind it. */
describe('tritonclient', () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform({ replicas: 2 });
  });
  afterAll(() => platform.stop());

  type Context = Parameters<typeof need>[0];
  const run = async (context: Context, program: string, ...args: readonly string[]): Promise<unknown> =>
    runPython(await need(context, 'pythonClients'), program, ['--address', platform.address, ...args]);
  const sync = (context: Context, ...args: readonly string[]): Promise<unknown> => run(context, 'triton_sync.py', ...args);
  const inputs = (...tensors: readonly JsonTensor[]): readonly string[] => ['--inputs', JSON.stringify(tensors)];

  test('asks the server: live, ready, metadata and an index with reasons', async (context) => {
    const told = (await sync(context, 'server')) as { index: readonly { name: string; state: string; reason?: string }[] };
    expect(told).toMatchObject({ live: true, ready: true, metadata: { name: expect.any(String) as string } });
    const byName = new Map(told.index.map((entry) => [entry.name, entry]));
    expect(byName.get('tiny')).toMatchObject({ state: 'READY' });
    expect(byName.get('identity_bfloat16')).toMatchObject({
      state: 'UNAVAILABLE',
      reason: expect.stringMatching(/BFLOAT16|BF16/) as string,
    });
  });

  test('reads metadata: the batch dimension varies', async (context) => {
    expect(await sync(context, 'model', 'tiny')).toMatchObject({
      ready: true,
      metadata: {
        name: 'tiny',
        versions: ['1'],
        inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '16'] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: ['-1', '4'] }],
      },
    });
  });

  test('reads the configuration: its dims leave the batch dimension out', async (context) => {
    expect(await sync(context, 'config', 'tiny')).toMatchObject({
      config: { name: 'tiny', max_batch_size: 32, input: [{ name: 'x', data_type: 'TYPE_FP32', dims: ['16'] }] },
    });
  });

  test('gets the prediction that onnxruntime gives, with its own id', async (context) => {
    const input = fp32('x', [exactFractions(16), exactFractions(16, 2), exactFractions(16, 3)]);
    const expected = await referenceFp32('tiny', { name: 'x', shape: input.shape, data: input.data as number[] }, 'y');
    expect(await sync(context, 'infer', 'tiny', ...inputs(input), '--id', 'order-17', '--priority', '1')).toEqual({
      model: 'tiny',
      version: '1',
      id: 'order-17',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [3, 4], data: expected.map((value) => expect.closeTo(value, 5) as number) }],
    });
  });

  test.for<readonly [string, string, string]>([
    ['bool', 'BOOL', '[true, false, true, true]'],
    ['uint8', 'UINT8', '[0, 1, 254, 255]'],
    ['uint16', 'UINT16', '[0, 1, 65534, 65535]'],
    ['uint32', 'UINT32', '[0, 1, 4294967294, 4294967295]'],
    ['uint64', 'UINT64', '[0, 1, 9007199254740993, 18446744073709551615]'],
    ['int8', 'INT8', '[-128, -1, 0, 127]'],
    ['int16', 'INT16', '[-32768, -1, 0, 32767]'],
    ['int32', 'INT32', '[-2147483648, -1, 0, 2147483647]'],
    ['int64', 'INT64', '[-9223372036854775808, -1, 9007199254740993, 9223372036854775807]'],
    ['float16', 'FP16', '[-65504.0, 0.0, 6.103515625e-05, 65504.0]'],
    ['float', 'FP32', '[-3.5, 0.0, 0.0009765625, 16777216.0]'],
    ['double', 'FP64', '[-3.5, 0.1, 5e-324, 1.7976931348623157e+308]'],
    ['string', 'BYTES', '["", "a", "h\\u00e9", "\\ud83d\\ude00"]'],
  ])('%s comes back unchanged', async ([model, datatype, data], context) => {
    const tensor = `[{"name": "x", "datatype": "${datatype}", "shape": [2, 2], "data": ${data}}]`;
    const python = await need(context, 'pythonClients');
    const args = [join(paths.clients, 'triton_sync.py'), '--address', platform.address, 'infer', `identity_${model}`, '--inputs', tensor];
    const printed = await mustRun(python.path, args, { env: python.env });
    // Compared as text: JavaScript's numbers would round the 64-bit integers of both sides alike.
    expect(printed).toContain(`"datatype": "${datatype}", "shape": [2, 2], "data": ${data}}`);
  });

  test.for<readonly [string, string, JsonTensor, string, RegExp]>([
    ['a model that is not there', 'absent', fp32('x', [[1]]), 'NOT_FOUND', /absent/],
    ['a model that failed to load', 'identity_bfloat16', fp32('x', [[1]]), 'UNAVAILABLE', /identity_bfloat16/],
    [
      'another datatype',
      'tiny',
      { name: 'x', datatype: 'INT32', shape: [1, 16], data: Array.from({ length: 16 }, () => 1) },
      'INVALID_ARGUMENT',
      /x.*FP32.*INT32/s,
    ],
    ['another width', 'tiny', fp32('x', [exactFractions(15)]), 'INVALID_ARGUMENT', /x.*16.*15/s],
    ['another name', 'tiny', fp32('wrong', [exactFractions(16)]), 'INVALID_ARGUMENT', /wrong|"x"/],
  ])('is told in words about %s', async ([, model, tensor, status, message], context) => {
    expect(await sync(context, 'infer', model, ...inputs(tensor))).toEqual({
      error: { status: `StatusCode.${status}`, message: expect.stringMatching(message) as string },
    });
  });

  test('is told about an output that the model does not have', async (context) => {
    const told = await sync(context, 'infer', 'tiny', ...inputs(fp32('x', [exactFractions(16)])), '--outputs', 'z');
    expect(told).toEqual({ error: { status: 'StatusCode.INVALID_ARGUMENT', message: expect.stringContaining('z') as string } });
  });

  test('statistics count inferences over all backends', async (context) => {
    const count = async (): Promise<number> => {
      const told = (await sync(context, 'statistics', 'identity_int16')) as { model_stats: readonly { inference_count?: string }[] };
      return told.model_stats.reduce((sum, each) => sum + Number(each.inference_count ?? 0), 0);
    };
    const before = await count();
    const args = ['identity_int16', '--datatype', 'INT16', '--calls', '20', '--max-rows', '1'];
    expect(await run(context, 'triton_aio.py', ...args)).toEqual({ calls: 20, outcomes: { ok: 20 } });
    expect((await count()) - before).toBe(20);
  });

  test('unloads and loads a model on every backend', async (context) => {
    expect(await sync(context, 'unload', 'identity_uint16')).toEqual({ done: true });
    const tensor: JsonTensor = { name: 'x', datatype: 'UINT16', shape: [1, 1], data: [7] };
    expect(await sync(context, 'infer', 'identity_uint16', ...inputs(tensor))).toMatchObject({
      error: { status: 'StatusCode.UNAVAILABLE' },
    });
    expect(await sync(context, 'load', 'identity_uint16')).toEqual({ done: true });
    expect(await sync(context, 'infer', 'identity_uint16', ...inputs(tensor))).toMatchObject({ outputs: [{ data: [7] }] });
  });

  test('asyncio: no reply reaches a wrong call, batched or not', async (context) => {
    const args = ['identity_float', '--calls', '400', '--max-rows', '5'];
    expect(await run(context, 'triton_aio.py', ...args)).toEqual({ calls: 400, outcomes: { ok: 400 } });
  });

  test('asyncio: cancelled calls hurt no other', async (context) => {
    const args = ['identity_int64', '--datatype', 'INT64', '--calls', '200', '--cancel-every', '4'];
    expect(await run(context, 'triton_aio.py', ...args)).toEqual({ calls: 200, outcomes: { ok: 150, cancelled: 50 } });
  });

  test('stream: replies to good requests around a bad one', async (context) => {
    const request = (id: string, model: string, value: number): object => ({ id, model, inputs: [fp32('x', [[value, value]])] });
    const requests = [request('first', 'identity_float', 1), request('second', 'absent', 2), request('third', 'identity_float', 3)];
    const told = (await run(context, 'triton_stream.py', '--requests', JSON.stringify(requests))) as { replies: readonly StreamReply[] };
    const good = told.replies.flatMap(({ id, outputs }) => (id === undefined ? [] : [{ id, data: outputs?.[0]?.data }]));
    expect(good.sort((a, b) => a.id.localeCompare(b.id))).toEqual([
      { id: 'first', data: [1, 1] },
      { id: 'third', data: [3, 3] },
    ]);
    expect(told.replies.flatMap(({ error }) => error?.message ?? [])).toEqual([expect.stringContaining('absent')]);
  });
});

interface StreamReply {
  readonly id?: string;
  readonly outputs?: readonly { readonly data: readonly number[] }[];
  readonly error?: { readonly message: string };
}
