import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exactFractions, need, referenceFp32, runCommand, startPlatform } from '../harness/index.js';
import type { CommandResult, Platform } from '../harness/index.js';

/** grpcurl knows nothing of the platform but its address: all it sends is built from server reflection. */
describe('grpcurl', () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(() => platform.stop());

  type Context = Parameters<typeof need>[0];
  const grpcurl = async (context: Context, before: readonly string[], after: readonly string[] = []): Promise<CommandResult> => {
    const tool = await need(context, 'grpcurl');
    return runCommand(tool.path, ['-plaintext', '-max-time', '20', ...before, platform.address, ...after]);
  };
  const call = async (context: Context, method: string, message: object): Promise<unknown> => {
    const result = await grpcurl(context, ['-d', JSON.stringify(message)], [method]);
    if (result.code !== 0) throw new Error(result.stderr);
    return JSON.parse(result.stdout);
  };

  test('lists the services', async (context) => {
    const { stdout } = await grpcurl(context, [], ['list']);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['grpc.health.v1.Health', 'inference.GRPCInferenceService']));
  });

  test('describes a method', async (context) => {
    const { stdout } = await grpcurl(context, [], ['describe', 'inference.GRPCInferenceService.ModelInfer']);
    expect(stdout).toContain('rpc ModelInfer ( .inference.ModelInferRequest ) returns ( .inference.ModelInferResponse );');
  });

  test.for(['', 'inference.GRPCInferenceService', 'tiny', 'tiny/1'])('checks the health of "%s"', async (service, context) => {
    expect(await call(context, 'grpc.health.v1.Health/Check', { service })).toEqual({ status: 'SERVING' });
  });

  test('is told that nothing of a name is there to be healthy', async (context) => {
    const result = await grpcurl(context, ['-d', '{"service":"absent"}'], ['grpc.health.v1.Health/Check']);
    expect(result.stderr).toContain('Code: NotFound');
  });

  test('infers with typed contents', async (context) => {
    const data = exactFractions(16);
    const expected = await referenceFp32('tiny', { name: 'x', shape: [1, 16], data }, 'y');
    const request = {
      model_name: 'tiny',
      id: 'g1',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 16], contents: { fp32_contents: data } }],
    };
    const reply = (await call(context, 'inference.GRPCInferenceService/ModelInfer', request)) as { rawOutputContents: readonly string[] };
    expect(reply).toMatchObject({
      modelName: 'tiny',
      modelVersion: '1',
      id: 'g1',
      outputs: [{ name: 'y', datatype: 'FP32', shape: ['1', '4'] }],
    });
    const raw = Buffer.from(reply.rawOutputContents[0] ?? '', 'base64');
    expect([0, 4, 8, 12].map((at) => raw.readFloatLE(at))).toEqual(expected.map((value) => expect.closeTo(value, 5) as number));
  });

  test('sees status details of a refusal', async (context) => {
    const message = JSON.stringify({ model_name: 'absent', inputs: [] });
    const result = await grpcurl(context, ['-d', message], ['inference.GRPCInferenceService/ModelInfer']);
    expect(result.stderr).toContain('Code: NotFound');
    expect(result.stderr).toContain('google.rpc.ErrorInfo');
    expect(result.stderr).toContain('headrace.dev');
  });
});
