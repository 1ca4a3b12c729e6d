import { inferenceService } from '@headrace/proto';
import { systemClock } from '@headrace/runtime';
import { testTransport } from '@headrace/wire/testing/transport';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  GrpcJsClient,
  exactFractions,
  fp32,
  fp32Bytes,
  inferMessage,
  inferPath,
  need,
  paths,
  referenceFp32,
  runCommand,
  runPython,
  startKserve,
  startLoad,
  startMlserver,
} from '../harness/index.js';
import type { Peer } from '../harness/index.js';

/**
 * The clients of these tests against servers that nobody here wrote. What passes here and fails on Headrace is a fault of
 * Headrace, not of the test's client.
 */
const servers = { mlserver: startMlserver, kserve: startKserve } as const;
const modelFile = (name: string): string => join(paths.models, name, '1', 'model.onnx');
const models = { tiny: modelFile('tiny'), identity_float: modelFile('identity_float') };

describe.each(Object.keys(servers) as (keyof typeof servers)[])('on %s', (name) => {
  let starting: Promise<Peer> | undefined;
  const server = async (context: Parameters<typeof need>[0]): Promise<Peer> => {
    const tool = await need(context, name);
    starting ??= servers[name](tool, { models });
    return starting;
  };
  afterAll(async () => (await starting)?.stop());

  test('tritonclient gets the prediction that onnxruntime gives', async (context) => {
    const python = await need(context, 'pythonClients');
    const { address } = await server(context);
    const input = fp32('x', [exactFractions(16), exactFractions(16, 2)]);
    const args = ['--address', address, 'infer', 'tiny', '--inputs', JSON.stringify([input]), '--id', 'a-7'];
    const expected = await referenceFp32('tiny', { name: 'x', shape: [2, 16], data: input.data as number[] }, 'y');
    const close = expected.map((value) => expect.closeTo(value, 5) as number);
    expect(await runPython(python, 'triton_sync.py', args)).toMatchObject({
      model: 'tiny',
      id: 'a-7',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 4], data: close }],
    });
  });

  test('tritonclient is told that a model is not there', async (context) => {
    const python = await need(context, 'pythonClients');
    const { address } = await server(context);
    const args = ['--address', address, 'infer', 'absent', '--inputs', JSON.stringify([fp32('x', [[1]])])];
    expect(await runPython(python, 'triton_sync.py', args)).toMatchObject({ error: { status: 'StatusCode.NOT_FOUND' } });
  });

  test('the asyncio client checks every reply', async (context) => {
    const python = await need(context, 'pythonClients');
    const { address } = await server(context);
    const args = ['--address', address, 'identity_float', '--calls', '60', '--cancel-every', '6'];
    expect(await runPython(python, 'triton_aio.py', args)).toEqual({ calls: 60, outcomes: { ok: 50, cancelled: 10 } });
  });

  test('grpcurl reads metadata with the .proto shipped here', async (context) => {
    const grpcurl = await need(context, 'grpcurl');
    const { address } = await server(context);
    const proto = ['-import-path', join(paths.root, 'proto'), '-proto', 'inference/grpc_service.proto'];
    const args = ['-plaintext', ...proto, '-d', '{"name":"tiny"}', address, 'inference.GRPCInferenceService/ModelMetadata'];
    const { stdout, stderr } = await runCommand(grpcurl.path, args);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ name: 'tiny', inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '16'] }] });
  });

  test('grpc-js reads metadata', async (context) => {
    const { address } = await server(context);
    const client = new GrpcJsClient(address);
    const { message } = await client.call(inferenceService.methods.ModelReady, { name: 'tiny' });
    expect(message.ready).toBe(true);
    client.close();
  });

  test('a bounded load is answered and counted', async (context) => {
    const { address } = await server(context);
    const channel = testTransport(systemClock).openChannel(address, {});
    const raw = fp32Bytes([1, 2, 3, 4]);
    const load = startLoad({
      channel,
      path: inferPath,
      message: () => inferMessage('identity_float', [{ name: 'x', datatype: 'FP32', shape: [1, 4], raw }]),
      concurrency: 4,
      calls: 40,
    });
    const result = await load.done;
    expect({ sent: result.sent, ok: result.ok, failures: [...result.failures] }).toEqual({ sent: 40, ok: 40, failures: [] });
    expect(result.latenciesMs).toHaveLength(40);
    channel.close();
  });
});
