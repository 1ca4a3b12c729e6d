import { readdir } from 'node:fs/promises';
import { inferenceService } from '@headrace/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GrpcJsClient, exactFractions, fp32Bytes, startInference, tempDir } from '../harness/index.js';
import type { RunningServer, TempDir } from '../harness/index.js';

/**
 * The onnxruntime of npm reports its use over the network unless it is told not to, and its reporter writes a session and a
 * log into the temporary folder as soon as the library is loaded: with it off the folder stays empty.
 */
let folder: TempDir;
let server: RunningServer;
let client: GrpcJsClient;
beforeAll(async () => {
  folder = await tempDir('telemetry');
  server = await startInference({ env: { TMPDIR: folder.path, ORT_DISABLE_TELEMETRY: undefined } });
  client = new GrpcJsClient(server.address);
});
afterAll(async () => {
  client.close();
  await server.process.stop();
  await folder.remove();
});

test('onnxruntime reports nothing to anybody', async () => {
  const shape = [1, 16];
  const request = {
    model_name: 'tiny',
    inputs: [{ name: 'x', datatype: 'FP32', shape }],
    raw_input_contents: [fp32Bytes(exactFractions(16))],
  };
  await client.call(inferenceService.methods.ModelInfer, request);
  expect(await readdir(folder.path)).toEqual([]);
});
