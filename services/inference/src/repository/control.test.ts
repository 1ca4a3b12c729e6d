import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { statusCode } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { InferenceServerOptions } from '../options.js';
import type { InferenceServer } from '../server.js';
import { startInferenceServer } from '../server.js';
import { InferenceClient, TestRepository, floats } from '../testing/index.js';

const graph = (name: string): string => fileURLToPath(new URL(`../../../../test/models/${name}/1/model.onnx`, import.meta.url));
const row = floats(
  'x',
  [1, 16],
  Array.from({ length: 16 }, () => 0.5),
);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function repositoryOf(): TestRepository {
  const repository = new TestRepository();
  cleanups.push(() => repository.remove());
  return repository;
}

async function start(
  repository: TestRepository,
  options: Partial<InferenceServerOptions> = {},
): Promise<{ server: InferenceServer; client: InferenceClient }> {
  const server = await startInferenceServer({ modelRepository: repository.path, cpuQuota: 1, ...options });
  await server.loaded;
  const client = new InferenceClient(server.grpcPort);
  cleanups.push(
    () => server.close(),
    () => client.close(),
  );
  return { server, client };
}

const index = async (client: InferenceClient): Promise<string[]> =>
  (await client.call('RepositoryIndex', {})).models.map(
    ({ name, version, state, reason }) => `${name}/${version} ${state}${reason === '' ? '' : ` (${reason})`}`,
  );
const version = async (client: InferenceClient, asked = ''): Promise<string> => {
  const result = await client.infer({ model: 'm', version: asked, inputs: [row] });
  return result.ok ? result.response.modelVersion : `${result.status.code}: ${result.status.message}`;
};
const failure = (promise: Promise<unknown>): Promise<{ code: number; message: string } | undefined> =>
  promise.then(
    () => undefined,
    (error: { status: { code: number; message: string } }) => error.status,
  );

describe('explicit mode', () => {
  it('loads, serves, unloads and loads again what lies in the repository', async () => {
    const repository = repositoryOf().add('m', 1, graph('tiny')).add('later', 1, graph('tiny'));
    const { client } = await start(repository, { initialModels: ['m'] });
    expect(await index(client)).toEqual(['later/ UNAVAILABLE (not loaded)', 'm/1 READY']);
    await client.call('RepositoryModelUnload', { model_name: 'm' });
    expect(await version(client)).toMatch(/^14: model "m" is not ready: unloaded/);
    await client.call('RepositoryModelLoad', { model_name: 'm' });
    await client.call('RepositoryModelLoad', { model_name: 'later' });
    expect(await index(client)).toEqual(['later/1 READY', 'm/1 READY']);
    expect(await version(client)).toBe('1');
  });

  it('a model that fails names its reason and leaves the others alone', async () => {
    const repository = repositoryOf()
      .add('m', 1, graph('tiny'))
      .write('broken/1/model.onnx', 'no graph')
      .write('typo/model.yaml', 'batchign: {}')
      .write('typo/1/model.onnx', '')
      .write('empty/model.yaml', '');
    const { client } = await start(repository);
    const entries = await index(client);
    expect(entries[0]).toMatch(/^broken\/1 UNAVAILABLE \(.*protobuf parsing failed/i);
    expect(entries[1]).toBe('empty/ UNAVAILABLE (the folder holds no version (a folder named 1, 2, ...))');
    expect(entries[2]).toBe('m/1 READY');
    expect(entries[3]).toMatch(/^typo\/1 UNAVAILABLE \(model.yaml:1:\d+: batchign: .*batching/);
    expect(await failure(client.call('RepositoryModelLoad', { model_name: 'broken' }))).toMatchObject({
      code: statusCode.INVALID_ARGUMENT,
    });
  });

  it('gives the first models threads of their own, and lets those that come when there are no more share', async () => {
    const repository = repositoryOf();
    for (const name of ['a', 'b', 'c']) repository.add(name, 1, graph('tiny'));
    repository.add('stated', 1, graph('tiny')).write('stated/model.yaml', 'instances: { count: 1 }');
    const { client } = await start(repository, { maxOwnThreads: 1, initialModels: ['a'] });
    for (const name of ['b', 'c', 'stated', 'a']) await client.call('RepositoryModelLoad', { model_name: name });
    const kinds = await Promise.all(
      ['a', 'b', 'c', 'stated'].map(
        async (name) => (await client.call('ModelConfig', { name })).config?.parameters['headrace_threads']?.string_value,
      ),
    );
    expect(kinds).toEqual(['own', 'shared', 'shared', 'own']);
  });

  it('an execution provider without its libraries says how to get them, or falls back where that is stated', async () => {
    const repository = repositoryOf()
      .add('strict', 1, graph('tiny'))
      .write('strict/model.yaml', 'executionProvider: { name: cuda }')
      .add('m', 1, graph('tiny'))
      .write('m/model.yaml', 'executionProvider: { name: tensorrt, fallback: cpu }');
    const { client } = await start(repository);
    const entries = await index(client);
    expect(entries[0]).toBe('m/1 READY');
    expect(entries[1]).toMatch(
      /^strict\/1 UNAVAILABLE \(execution provider cuda did not load .*onnxruntime-gpu==1\.30\.0.*LD_LIBRARY_PATH/,
    );
    expect((await client.call('ModelConfig', { name: 'm' })).config?.parameters).toMatchObject({
      headrace_execution_provider: { string_value: 'cpu' },
    });
  });

  it('a version that is replaced by a broken file goes on serving, and the index says so', async () => {
    const repository = repositoryOf().add('m', 1, graph('tiny'));
    const { client } = await start(repository);
    repository.write('m/1/model.onnx', 'no graph');
    expect((await failure(client.call('RepositoryModelLoad', { model_name: 'm' })))?.message).toMatch(
      /failed to load model "m": version 1:/,
    );
    expect(await version(client)).toBe('1');
    expect((await index(client))[0]).toMatch(/^m\/1 READY \(serving the files from before: /);
  });

  it('the newest version takes over; one that is broken does not, and the old one stays', async () => {
    const repository = repositoryOf().add('m', 1, graph('tiny'));
    const { client } = await start(repository);
    repository.write('m/2/model.onnx', 'no graph');
    await failure(client.call('RepositoryModelLoad', { model_name: 'm' }));
    expect(await version(client)).toBe('1');
    repository.add('m', 2, graph('tiny'));
    await client.call('RepositoryModelLoad', { model_name: 'm' });
    expect(await version(client)).toBe('2');
    expect(await version(client, '1')).toMatch(/^(5|14): /);
  });

  it('serves all versions, or those that were asked for, by number', async () => {
    const repository = repositoryOf()
      .add('m', 1, graph('tiny'))
      .add('m', 2, graph('tiny'))
      .add('m', 10, graph('tiny'))
      .write('m/model.yaml', 'versions: { specific: [1, 2, 7] }');
    const { client } = await start(repository);
    expect(await version(client)).toBe('2');
    expect(await version(client, '1')).toBe('1');
    expect(await version(client, '10')).toMatch(/^5: model "m" has no version "10"; ready: 1, 2/);
    expect(await version(client, '7')).toMatch(/^14: .*there is no such folder/);
  });

  it('a configuration in the request counts until the next load', async () => {
    const repository = repositoryOf().add('m', 1, graph('tiny'));
    const { client } = await start(repository);
    await client.call('RepositoryModelLoad', { model_name: 'm', parameters: { config: { string_param: '{"max_batch_size": 7}' } } });
    expect((await client.call('ModelConfig', { name: 'm' })).config?.max_batch_size).toBe(7);
    await client.call('RepositoryModelLoad', { model_name: 'm' });
    expect((await client.call('ModelConfig', { name: 'm' })).config?.max_batch_size).toBe(0);
  });

  it.each<[string, string, Record<string, object>, number, RegExp]>([
    ['a stranger', 'nobody', {}, statusCode.NOT_FOUND, /model "nobody" is not in the repository/],
    ['a way out of the repository', '../m', {}, statusCode.NOT_FOUND, /expected the name of a folder, got "..\/m"/],
    [
      'files in the request',
      'm',
      { 'file:1/model.onnx': { bytes_param: Buffer.from('x') } },
      statusCode.INVALID_ARGUMENT,
      /"file:1\/model.onnx": model files in a load request are not supported/,
    ],
    ['an unknown parameter', 'm', { other: { string_param: 'x' } }, statusCode.INVALID_ARGUMENT, /parameter "other": expected config/],
    [
      'a configuration that is no text',
      'm',
      { config: { bool_param: true } },
      statusCode.INVALID_ARGUMENT,
      /parameter config: expected string_param/,
    ],
    ['a broken configuration', 'm', { config: { string_param: '{' } }, statusCode.INVALID_ARGUMENT, /parameter "config": expected JSON/],
  ])('load refuses %s', async (_name, model_name, parameters, code, message) => {
    const { client } = await start(repositoryOf().add('m', 1, graph('tiny')));
    const status = await failure(client.call('RepositoryModelLoad', { model_name, parameters }));
    expect(status?.code).toBe(code);
    expect(status?.message).toMatch(message);
    expect(await version(client)).toBe('1');
  });

  it('10 swaps under load: no request fails, and counters never run backwards', async () => {
    const repository = repositoryOf().add('m', 1, graph('tiny')).write('m/model.yaml', 'batching: { maxBatchSize: 32 }');
    const { client } = await start(repository);
    let stop = false;
    let answered = 0;
    const problems: string[] = [];
    const callers = Array.from({ length: 3 }, async () => {
      while (!stop) {
        const result = await client.infer({ model: 'm', inputs: [row] });
        if (result.ok) answered++;
        else problems.push(`${result.status.code}: ${result.status.message}`);
      }
    });
    let counted = 0;
    for (let swap = 1; swap <= 10; swap++) {
      const file = join(repository.path, 'm/1/model.onnx');
      utimesSync(file, swap, swap);
      await client.call('RepositoryModelLoad', { model_name: 'm' });
      const [stats] = (await client.call('ModelStatistics', { name: 'm' })).model_stats;
      expect(Number(stats?.inference_count)).toBeGreaterThanOrEqual(counted);
      counted = Number(stats?.inference_count);
    }
    stop = true;
    await Promise.all(callers);
    expect(problems).toEqual([]);
    expect(answered).toBeGreaterThan(10);
    expect(counted).toBeGreaterThan(10);
  }, 60_000);
});

describe('other modes', () => {
  it.each(['none', 'poll'] as const)('%s refuses load and unload, naming the flag', async (controlMode) => {
    const { client } = await start(repositoryOf().add('m', 1, graph('tiny')), { controlMode });
    for (const method of ['RepositoryModelLoad', 'RepositoryModelUnload'] as const) {
      const status = await failure(client.call(method, { model_name: 'm' }));
      expect(status?.code).toBe(statusCode.FAILED_PRECONDITION);
      expect(status?.message).toContain('--model-control-mode');
    }
    expect(await version(client)).toBe('1');
  });

  it('poll follows the folder: new, changed and vanished models, each only after it held still', async () => {
    const repository = repositoryOf().add('m', 1, graph('tiny'));
    const clock = new FakeClock();
    const changes: string[] = [];
    const { server } = await start(repository, {
      controlMode: 'poll',
      pollMs: 1000,
      clock,
      onModelChange: ({ model, version: number, state }) => changes.push(`${model}/${number} ${state.kind}`),
    });
    const looks = async (count: number): Promise<void> => {
      for (let look = 0; look < count; look++) {
        await expect.poll(() => clock.pendingTimers, { timeout: 5_000 }).toBeGreaterThan(0);
        clock.advance(1000);
      }
    };
    const states = (): string[] => server.models().map(({ name, version: number, state }) => `${name}/${number} ${state}`);
    repository.add('new', 1, graph('tiny')).add('m', 2, graph('tiny'));
    await looks(1);
    await expect.poll(() => clock.pendingTimers, { timeout: 5_000 }).toBeGreaterThan(0);
    expect(states()).toEqual(['m/1 READY']);
    await looks(1);
    await expect.poll(states, { timeout: 5_000 }).toEqual(['m/2 READY', 'new/1 READY']);
    repository.delete('new');
    await looks(2);
    await expect.poll(states, { timeout: 5_000 }).toEqual(['m/2 READY']);
    expect(changes).toContain('new/1 unloaded');
    expect(changes).toContain('m/1 unloaded');
  });
});
