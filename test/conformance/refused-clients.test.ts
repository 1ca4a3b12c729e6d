import { afterAll, beforeAll, expect, describe, test } from 'vitest';
import { modelFolder } from '../harness/model-folder.js';
import { fp32, need, runCommand, runPython, startPlatform } from '../harness/index.js';
import type { Platform, TempDir } from '../harness/index.js';

/** What people read whose client library knows nothing of the platform, when they are above their rate. */
describe('a client above its rate', () => {
  let models: TempDir;
  let platform: Platform;
  beforeAll(async () => {
    models = await modelFolder('identity_float');
    const trafficPolicy = {
      identity: [{ header: 'x-headrace-tenant', trustHeader: true }],
      tiers: [{ name: 'free', requestsPerSecond: 0.001, burst: 1 }],
      defaultTier: 'free',
    };
    platform = await startPlatform({ models: models.path, table: { trafficPolicy } });
  });
  afterAll(async () => {
    await platform.stop();
    await models.remove();
  });
  const told = 'tier "free", requestsPerSecond: expected at most 0.001 after 1 at once, one more came';

  test('with grpcurl sees the status, the text, the reason and when to come again', async (context) => {
    const { path } = await need(context, 'grpcurl');
    const message = {
      model_name: 'identity_float',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], contents: { fp32_contents: [1, 2, 3, 4] } }],
    };
    const header = ['-H', 'x-headrace-tenant: grpcurl'];
    const args = ['-plaintext', ...header, '-d', JSON.stringify(message), platform.address, 'inference.GRPCInferenceService/ModelInfer'];
    expect(await runCommand(path, args)).toMatchObject({ code: 0 });
    const { stderr } = await runCommand(path, args);
    for (const part of ['Code: ResourceExhausted', told, 'google.rpc.ErrorInfo', 'RATE_LIMITED', 'google.rpc.RetryInfo'])
      expect(stderr).toContain(part);
  });

  test("with Triton's Python client sees the status and the text", async (context) => {
    const python = await need(context, 'pythonClients');
    const inputs = JSON.stringify([fp32('x', [[1, 2, 3, 4]])]);
    const args = ['--address', platform.address, 'infer', 'identity_float', '--inputs', inputs, '--header', 'x-headrace-tenant=triton'];
    expect(await runPython(python, 'triton_sync.py', args)).toMatchObject({ model: 'identity_float' });
    expect(await runPython(python, 'triton_sync.py', args)).toEqual({ error: { status: 'StatusCode.RESOURCE_EXHAUSTED', message: told } });
  });
});
