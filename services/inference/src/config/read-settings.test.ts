import { afterEach, describe, expect, it } from 'vitest';
import { TestRepository } from '../testing/repository.js';
import { readSettings } from './read-settings.js';
import type { ModelSettings } from './settings.js';

let repository: TestRepository | undefined;
afterEach(() => repository?.remove());

async function read(file: string, content: string): Promise<Awaited<ReturnType<typeof readSettings>>> {
  repository = new TestRepository().write(`m/${file}`, content);
  return readSettings('m', `${repository.path}/m`);
}

async function settings(file: string, content: string): Promise<ModelSettings> {
  const result = await read(file, content);
  if (!result.ok) throw new Error(result.problems.join('; '));
  return result.settings;
}

describe('config.pbtxt', () => {
  it('adds the batch axis to dims only where max_batch_size is above 0', async () => {
    const batched = await settings('config.pbtxt', 'max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: [16] }');
    expect(batched.inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [-1, 16] }]);
    const plain = await settings('config.pbtxt', 'input { name: "x" data_type: TYPE_STRING dims: [-1, 16] }');
    expect(plain.inputs).toEqual([{ name: 'x', datatype: 'BYTES', shape: [-1, 16] }]);
  });

  it('reads instances, cores, versions, warm-up and the queue limit', async () => {
    const read = await settings(
      'config.pbtxt',
      `platform: "onnxruntime_onnx" max_batch_size: 4
       dynamic_batching { default_queue_policy { max_queue_size: 9 } }
       instance_group [ { count: 2 kind: KIND_CPU }, { count: 1 } ]
       version_policy { specific { versions: [1, 3] } }
       parameters { key: "headrace_cores" value: { string_value: "0, 1" } }
       parameters { key: "intra_op_thread_count" value: { string_value: "2" } }
       model_warmup { name: "w" batch_size: 2 count: 3 inputs { key: "x" value: { data_type: TYPE_FP32 dims: [16] zero_data: true } } }`,
    );
    expect(read.batching).toMatchObject({ maxBatchSize: 4, maxQueuedRows: 9 });
    expect(read.instances).toEqual({ count: 3, cores: [0, 1], threads: 'own', intraOpThreads: 2 });
    expect(read.provider).toEqual({ name: 'cpu', deviceId: 0, fallback: undefined });
    expect(read.versionPolicy).toEqual({ kind: 'specific', versions: [1, 3] });
    expect(read.warmup).toEqual([{ name: 'w', rows: 2, runs: 3, inputs: new Map([['x', { shape: [16], fill: 'zero' }]]) }]);
    expect(read.ignored).toEqual([]);
  });

  it('takes tensorrt and a GPU from where Triton has them', async () => {
    const read = await settings(
      'config.pbtxt',
      'instance_group { kind: KIND_GPU gpus: [1] } optimization { execution_accelerators { gpu_execution_accelerator { name: "tensorrt" } } }',
    );
    expect(read.provider).toEqual({ name: 'tensorrt', deviceId: 1, fallback: undefined });
  });

  it('names every field without effect once', async () => {
    const read = await settings(
      'config.pbtxt',
      'dynamic_batching { preferred_batch_size: [4] max_queue_delay_microseconds: 5 } input [{ name: "x" format: FORMAT_NCHW }, { name: "y" format: FORMAT_NCHW }] parameters { key: "k" value { string_value: "v" } }',
    );
    expect(read.ignored).toEqual([
      'dynamic_batching.preferred_batch_size',
      'dynamic_batching.max_queue_delay_microseconds',
      'input[].format',
      'parameters.k.string_value',
    ]);
  });

  it.each([
    ['another name', 'name: "n"', /name: expected "m" \(the folder's name\), got "n"/],
    [
      'another platform',
      'platform: "tensorflow_graphdef"',
      /platform: expected onnxruntime_onnx or onnxruntime, got "tensorflow_graphdef"/,
    ],
    ['an ensemble', 'ensemble_scheduling {}', /ensembles are not served here/],
    ['reshape', 'input { name: "x" reshape { shape: [1] } }', /input\[0\].reshape/],
    ['BF16', 'input { name: "x" data_type: TYPE_BF16 }', /TYPE_BF16 cannot be carried exactly/],
    ['a file outside the folder', 'default_model_filename: "../../secret"', /default_model_filename: expected a file name without folders/],
    [
      'warm-up data from a file',
      'model_warmup { inputs { key: "x" value { input_data_file: "f" } } }',
      /input_data_file: warm-up from files is not supported/,
    ],
    ['two problems at once', 'name: "n" max_batch_size: -1', /max_batch_size: expected 0 or more, got -1/],
  ])('refuses %s', async (_name, text, message) => {
    const result = await read('config.pbtxt', text);
    expect(result.ok ? '' : result.problems.join('\n')).toMatch(message);
  });
});

describe('model.yaml', () => {
  it('reads what it knows, in its own units', async () => {
    const read = await settings(
      'model.yaml',
      `file: net.onnx
batching: { maxBatchSize: 8, bypassMaxSharePercent: 50 }
instances: { cores: [0, 1], intraOpThreads: 2 }
executionProvider: { name: cuda, fallback: cpu }
versions: { latest: 2 }
warmup: [{ rows: 4, inputs: { x: { shape: [16] } } }]`,
    );
    expect(read).toMatchObject({
      modelFile: 'net.onnx',
      batching: { maxBatchSize: 8, bypassMaxShare: 0.5, maxQueuedRows: 4096 },
      instances: { count: 2, cores: [0, 1], threads: 'own', intraOpThreads: 2 },
      provider: { name: 'cuda', deviceId: 0, fallback: 'cpu' },
      versionPolicy: { kind: 'latest', count: 2 },
    });
    expect(read.warmup[0]).toEqual({ name: '', rows: 4, runs: 1, inputs: new Map([['x', { shape: [16], fill: 'random' }]]) });
  });

  it('an empty file means the defaults', async () => {
    expect((await settings('model.yaml', '# nothing yet\n')).batching.maxBatchSize).toBe(0);
  });

  it('tells all mistakes at once, with their lines', async () => {
    const result = await read('model.yaml', 'batching: { maxBatchSize: -1 }\ninstances: { cuont: 2 }\nversions: {}\n');
    if (result.ok) throw new Error('was accepted');
    expect(result.problems.join('\n')).toMatch(/model.yaml:1:.*batching.maxBatchSize/);
    expect(result.problems.join('\n')).toMatch(/model.yaml:2:.*cuont/);
    expect(result.problems.join('\n')).toMatch(/versions/);
  });
});

describe('the "config" of a load request', () => {
  it('is read as JSON in the schema’s names, 64-bit numbers as text or numbers', async () => {
    const result = await readSettings(
      'm',
      '/nowhere',
      JSON.stringify({ name: 'm', max_batch_size: 2, versionPolicy: { specific: { versions: [1, '2'] } } }),
    );
    if (!result.ok) throw new Error(result.problems.join('; '));
    expect(result.settings).toMatchObject({ batching: { maxBatchSize: 2 }, versionPolicy: { kind: 'specific', versions: [1, 2] } });
  });

  it.each([
    ['what is no JSON', '{', /parameter "config": expected JSON/],
    ['a list', '[]', /config: expected an object \(ModelConfig\), got a list/],
    ['an unknown field', '{"input":[{"nmae":"x"}]}', /input\[0\].nmae: ModelInput has no such field/],
    ['a wrong type', '{"max_batch_size":"many"}', /max_batch_size: expected a whole number \(int32\), got "many"/],
  ])('refuses %s', async (_name, json, message) => {
    const result = await readSettings('m', '/nowhere', json);
    expect(result.ok ? '' : result.problems.join('\n')).toMatch(message);
  });
});

it('without any file the model has the defaults', async () => {
  repository = new TestRepository();
  const result = await readSettings('m', repository.path);
  expect(result.ok && result.settings).toMatchObject({
    name: 'm',
    source: 'defaults',
    batching: { maxBatchSize: 0 },
    versionPolicy: { kind: 'latest', count: 1 },
  });
});
