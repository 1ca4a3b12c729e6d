import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { inferenceService } from '@headrace/proto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GrpcJsClient, fp32Bytes, fp32Values, paths, startInference, tempDir } from '../harness/index.js';
import type { RunningServer, TempDir } from '../harness/index.js';
import { until } from '../harness/until.js';

const { ModelConfig, ModelInfer, ModelReady, RepositoryIndex, RepositoryModelLoad } = inferenceService.methods;
const row = [1, 2, 3, 4];

/** Both answer x FP32 [rows, 4] with y of the same shape: the one with x itself, the other with a softmax over the rows, all ones for one row. */
const answers = { identity_float: row, softmax_axis0: [1, 1, 1, 1] } as const;
type Model = keyof typeof answers;
const told = (version: number | string, values: readonly number[]): string => `version ${version}: ${values.join()}`;

describe('headrace-inference --model-control-mode poll', { timeout: 240_000 }, () => {
  let repository: TempDir;
  let server: RunningServer;
  let client: GrpcJsClient;
  beforeEach(async () => {
    repository = await tempDir('polled');
    await put('stays', 'identity_float');
    const args = ['--model-control-mode', 'poll', '--repository-poll-ms', '100'];
    server = await startInference({ models: repository.path, args });
    client = new GrpcJsClient(server.address);
  });
  afterEach(async () => {
    client.close();
    expect(await server.process.stop()).toEqual({ code: 0, signal: null });
    await repository.remove();
  });

  /** A copy of a model below a new name, in whole, by rename. */
  async function put(name: string, model: Model): Promise<void> {
    await cp(join(paths.models, model), join(repository.path, '.next'), { recursive: true });
    await rename(join(repository.path, '.next'), join(repository.path, name));
  }
  async function infer(name: string): Promise<{ readonly version: string; readonly values: readonly number[] }> {
    const request = {
      model_name: name,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4] }],
      raw_input_contents: [fp32Bytes(row)],
    };
    const { message } = await client.call(ModelInfer, request, { timeoutMs: 60_000 });
    return { version: message.model_version, values: fp32Values(message.raw_output_contents[0] ?? new Uint8Array()) };
  }
  /** Not there: false, as everything else that is not ready. */
  const ready = async (name: string, version = ''): Promise<boolean> =>
    client.call(ModelReady, { name, version }).then(
      ({ message }) => message.ready,
      () => false,
    );
  const indexed = async (): Promise<readonly string[]> => {
    const { message } = await client.call(RepositoryIndex, {});
    return message.models.map(({ name, version, state }) => `${name}/${version} ${state}`);
  };

  test('a folder that appears is served, and is gone when it disappears; what else is there is served on', async () => {
    expect(await indexed()).toEqual(['stays/1 READY']);
    await expect(infer('comes')).rejects.toMatchObject({ code: status.NOT_FOUND });

    await put('comes', 'softmax_axis0');
    await until('the model that appeared', () => ready('comes'));
    expect(await infer('comes')).toEqual({ version: '1', values: answers.softmax_axis0 });
    expect(await indexed()).toEqual(['comes/1 READY', 'stays/1 READY']);

    await rm(join(repository.path, 'comes'), { recursive: true });
    await until('its end', async () => (await indexed()).length === 1);
    expect(await indexed()).toEqual(['stays/1 READY']);
    await expect(infer('comes')).rejects.toMatchObject({ code: status.NOT_FOUND });
    expect(await infer('stays')).toEqual({ version: '1', values: row });

    // And once more: that it was there before is forgotten.
    await put('comes', 'identity_float');
    await until('the model that came back', () => ready('comes'));
    expect(await infer('comes')).toEqual({ version: '1', values: row });
  });

  test('what changes is loaded anew while requests go on: the model file, a new version, the configuration', async () => {
    const folder = join(repository.path, 'stays');
    const seen: string[] = [];
    const failed: unknown[] = [];
    let going = true;
    const asking = (async () => {
      while (going) {
        await infer('stays').then(
          ({ version, values }) => {
            const answer = told(version, values);
            if (seen.at(-1) !== answer) seen.push(answer);
          },
          (error: unknown) => void failed.push(error),
        );
      }
    })();
    const answered = (version: number, model: Model): Promise<void> =>
      until(`answers of ${model} as version ${version}`, () => seen.at(-1) === told(version, answers[model]) || failed.length > 0);

    await answered(1, 'identity_float');
    // The same version with another file, put there by rename.
    await cp(join(paths.models, 'softmax_axis0/1/model.onnx'), join(folder, '.next.onnx'));
    await rename(join(folder, '.next.onnx'), join(folder, '1/model.onnx'));
    await answered(1, 'softmax_axis0');

    await cp(join(paths.models, 'identity_float/1'), join(repository.path, '.next'), { recursive: true });
    await rename(join(repository.path, '.next'), join(folder, '2'));
    await answered(2, 'identity_float');
    await until('the end of the old version', async () => !(await ready('stays', '1')));

    const maxBatch = async (): Promise<number> => (await client.call(ModelConfig, { name: 'stays' })).message.config?.max_batch_size ?? -1;
    expect(await maxBatch()).toBe(32);
    await writeFile(join(folder, 'model.yaml'), 'batching: { maxBatchSize: 7 }\n');
    await until('the new configuration', async () => (await maxBatch()) === 7);

    await rm(join(folder, '2'), { recursive: true });
    await answered(1, 'softmax_axis0');
    going = false;
    await asking;
    expect(failed).toEqual([]);
    expect(seen).toEqual([told(1, row), told(1, answers.softmax_axis0), told(2, row), told(1, answers.softmax_axis0)]);
  });

  test('a folder that is no model fails for itself, is served once it is repaired, and cannot be loaded by request', async () => {
    await mkdir(join(repository.path, 'broken/1'), { recursive: true });
    await writeFile(join(repository.path, 'broken/1/model.onnx'), 'no model');
    await until('the failure', async () => (await indexed()).includes('broken/1 UNAVAILABLE'));
    expect(await infer('stays')).toEqual({ version: '1', values: row });
    await expect(client.call(RepositoryModelLoad, { model_name: 'stays' })).rejects.toMatchObject({
      details: expect.stringContaining('--model-control-mode poll') as string,
    });

    await cp(join(paths.models, 'identity_float/1/model.onnx'), join(repository.path, 'broken/1/model.onnx'));
    await until('the repaired model', () => ready('broken'));
    expect(await infer('broken')).toEqual({ version: '1', values: row });
  });
});
