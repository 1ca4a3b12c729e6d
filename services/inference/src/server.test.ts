import { fileURLToPath } from 'node:url';
import { healthService, inferenceService, reportParameter, writeInferRequest } from '@headrace/proto';
import { statusCode } from '@headrace/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceServer } from './server.js';
import { startInferenceServer } from './server.js';
import { InferenceClient, floats, requestOf } from './testing/index.js';

const models = fileURLToPath(new URL('../../../test/models', import.meta.url));

let server: InferenceServer;
let client: InferenceClient;

beforeAll(async () => {
  server = await startInferenceServer({ modelRepository: models, cpuQuota: 1, maxOwnThreads: 3 });
  await server.loaded;
  client = new InferenceClient(server.grpcPort);
}, 30_000);

afterAll(async () => {
  client.close();
  await server.close();
});

const row = floats(
  'x',
  [1, 16],
  Array.from({ length: 16 }, (_, index) => index / 16),
);

describe('metadata and health', () => {
  it('tells readiness of server and model', async () => {
    expect(await client.call('ServerLive', {})).toMatchObject({ live: true });
    expect(await client.call('ServerReady', {})).toMatchObject({ ready: true });
    expect(await client.call('ModelReady', { name: 'tiny' })).toMatchObject({ ready: true });
    expect(await client.call('ModelReady', { name: 'identity_bfloat16' })).toMatchObject({ ready: false });
    expect(await client.call('ModelReady', { name: 'nobody' })).toMatchObject({ ready: false });
  });

  it('gives the graph as metadata, and dims without the batch axis in the configuration', async () => {
    const metadata = await client.call('ModelMetadata', { name: 'tiny' });
    expect(metadata).toMatchObject({ versions: ['1'], inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '16'] }] });
    const { config } = await client.call('ModelConfig', { name: 'tiny' });
    expect(config).toMatchObject({
      name: 'tiny',
      max_batch_size: 32,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: ['16'] }],
      instance_group: [{ count: 1 }],
    });
  });

  it.each([
    ['', 'SERVING'],
    ['inference.GRPCInferenceService', 'SERVING'],
    ['tiny', 'SERVING'],
    ['tiny/1', 'SERVING'],
    ['identity_bfloat16', 'NOT_SERVING'],
  ])('health of %j is %s', async (service, status) => {
    const { Check } = healthService.methods;
    const outcome = await client.raw(Check.path, Check.request.encode({ service }));
    expect(outcome.ok && Check.response.decode(outcome.message).status).toBe(status);
  });

  it('does not know the health of a stranger', async () => {
    const { Check } = healthService.methods;
    const outcome = await client.raw(Check.path, Check.request.encode({ service: 'nobody' }));
    expect(outcome.ok ? undefined : outcome.status.code).toBe(statusCode.NOT_FOUND);
  });

  it('lists a model that failed with its reason, which names the tensor and its type', async () => {
    const { models: index } = await client.call('RepositoryIndex', {});
    expect(index.find(({ name }) => name === 'tiny')).toMatchObject({ version: '1', state: 'READY', reason: '' });
    const failed = index.find(({ name }) => name === 'identity_bfloat16');
    expect(failed?.state).toBe('UNAVAILABLE');
    expect(failed?.reason).toMatch(/"x".*BFLOAT16/);
  });

  it.each(['SystemSharedMemoryStatus', 'CudaSharedMemoryRegister', 'TraceSetting', 'LogSettings'] as const)(
    '%s is UNIMPLEMENTED with a reason',
    async (method) => {
      const { path, request } = inferenceService.methods[method];
      const outcome = await client.raw(path, request.encode({}));
      const status = outcome.ok ? undefined : outcome.status;
      expect(status?.code).toBe(statusCode.UNIMPLEMENTED);
      expect(status?.message).toMatch(/supported|changed at run time/);
    },
  );
});

describe('ModelInfer', () => {
  it('answers with outputs, id, version and what the run cost', async () => {
    const result = await client.infer({ model: 'tiny', id: 'seven', inputs: [row] });
    if (!result.ok) throw new Error(result.status.message);
    expect(result.response).toMatchObject({ modelName: 'tiny', modelVersion: '1', id: 'seven' });
    expect(result.outputs.get('y')).toMatchObject({ datatype: 'FP32', shape: [1, 4] });
    expect(result.response.parameters.get(reportParameter.runRows)).toBe(1n);
    expect(result.response.parameters.get(reportParameter.runUs)).toBeGreaterThan(0n);
    expect(result.response.parameters.has(reportParameter.queueUs)).toBe(true);
  });

  it('a batch gives each caller its own rows', async () => {
    const asked = Array.from({ length: 64 }, (_, nonce) => {
      const rows = 1 + (nonce % 3);
      const nonces = BigInt64Array.from({ length: rows }, (_unused, index) => BigInt(nonce * 10 + index));
      return {
        nonces,
        request: {
          model: 'echo_nonce',
          inputs: [
            { name: 'nonce', datatype: 'INT64' as const, shape: [rows, 1], data: [new Uint8Array(nonces.buffer)] },
            floats(
              'payload',
              [rows, 8],
              Array.from({ length: rows * 8 }, (_unused, index) => nonce + index / 100),
            ),
          ],
        },
      };
    });
    const results = await Promise.all(asked.map(({ request }) => client.infer(request)));
    let merged = 0n;
    results.forEach((result, index) => {
      if (!result.ok) throw new Error(result.status.message);
      expect(result.outputs.get('nonce_out')?.raw).toEqual(Buffer.from(asked[index]?.nonces.buffer ?? new ArrayBuffer(0)));
      const rows = result.response.parameters.get(reportParameter.runRows) as bigint;
      if (rows > merged) merged = rows;
    });
    expect(merged).toBeGreaterThan(3n);
  });

  it('never merges a model whose rows depend on each other, although it is declared batchable', async () => {
    const results = await Promise.all(
      Array.from({ length: 16 }, () => client.infer({ model: 'softmax_axis0', inputs: [floats('x', [1, 4], [1, 2, 3, 4])] })),
    );
    for (const result of results) {
      if (!result.ok) throw new Error(result.status.message);
      expect([...new Float32Array(new Uint8Array(result.outputs.get('y')?.raw ?? []).buffer)]).toEqual([1, 1, 1, 1]);
    }
    const { models: index } = await client.call('RepositoryIndex', {});
    expect(index.find(({ name }) => name === 'softmax_axis0')?.reason).toMatch(/not batched: output "y"/);
    expect((await client.call('ModelConfig', { name: 'softmax_axis0' })).config?.max_batch_size).toBe(0);
  });

  it('refuses a request whose timeout passed before its run could start', async () => {
    const slow = (): Promise<unknown> =>
      client.infer({ model: 'slow', inputs: [floats('x', [1, 4], [1, 2, 3, 4])], parameters: { sequence_id: 1n } });
    const ahead = [slow(), slow(), slow()];
    const late = await client.infer({ model: 'slow', inputs: [floats('x', [1, 4], [1, 2, 3, 4])], parameters: { timeout: 1000n } });
    expect(late.ok ? undefined : late.status.code).toBe(statusCode.DEADLINE_EXCEEDED);
    expect(late.ok ? '' : late.status.message).toContain('timeout');
    await Promise.all(ahead);
  });

  it('lets priority 1 pass those that wait', async () => {
    const order: string[] = [];
    const ask = (name: string, priority: bigint): Promise<void> =>
      client
        .infer({ model: 'slow', inputs: [floats('x', [1, 4], [1, 2, 3, 4])], parameters: { priority, sequence_id: name } })
        .then(() => void order.push(name));
    const normal = ['a', 'b', 'c', 'd'].map((name) => ask(name, 2n));
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([...normal, ask('high', 1n)]);
    expect(order.indexOf('high')).toBeLessThan(3);
  });
});

describe('ModelStatistics', () => {
  it('counts rows, runs and requests, and memory for each instance', async () => {
    const before = (await client.call('ModelStatistics', { name: 'tiny' })).model_stats[0];
    await client.infer({
      model: 'tiny',
      inputs: [
        floats(
          'x',
          [3, 16],
          Array.from({ length: 48 }, () => 0.5),
        ),
      ],
    });
    const after = (await client.call('ModelStatistics', { name: 'tiny', version: '1' })).model_stats[0];
    expect(Number(after?.inference_count) - Number(before?.inference_count)).toBe(3);
    expect(Number(after?.execution_count) - Number(before?.execution_count)).toBe(1);
    expect(Number(after?.inference_stats?.success?.count) - Number(before?.inference_stats?.success?.count)).toBe(1);
    expect(Number(after?.memory_usage[0]?.byte_size)).toBeGreaterThanOrEqual(2965);
    expect(after?.batch_stats.some(({ batch_size }) => batch_size === '3')).toBe(true);
  });
});

describe('drain', () => {
  it('an open stream is answered what it sent, told UNAVAILABLE, and does not hold the server up', async () => {
    const leaving = await startInferenceServer({ modelRepository: models, cpuQuota: 1, initialModels: ['slow'] });
    await leaving.loaded;
    const other = new InferenceClient(leaving.grpcPort);
    const { ModelStreamInfer } = inferenceService.methods;
    const ids: (string | undefined)[] = [];
    const ended = new Promise<number>((resolve) => {
      const stream = other.channel.stream(
        ModelStreamInfer.path,
        {},
        {
          onMessage: (message) => {
            ids.push(ModelStreamInfer.response.decode(message).infer_response?.id);
            if (ids.length === 1) void leaving.close();
          },
          onStatus: (status) => resolve(status.code),
        },
      );
      for (const id of ['1', '2', '3'])
        stream.write(writeInferRequest(requestOf({ model: 'slow', id, inputs: [floats('x', [1, 4], [1, 2, 3, 4])] })));
    });
    expect(await ended).toBe(statusCode.UNAVAILABLE);
    expect(ids).toEqual(['1', '2', '3']);
    await leaving.close();
    other.close();
  });
});

describe('ModelStreamInfer', () => {
  it('answers in the order of the requests; one that fails does not end the stream', async () => {
    const { ModelStreamInfer } = inferenceService.methods;
    const replies: { error_message: string; infer_response: { id: string; parameters: object } | null }[] = [];
    await new Promise<void>((resolve, reject) => {
      const stream = client.channel.stream(
        ModelStreamInfer.path,
        {},
        {
          onMessage: (message) => replies.push(ModelStreamInfer.response.decode(message)),
          onStatus: (status) => (status.code === statusCode.OK ? resolve() : reject(new Error(status.message))),
        },
      );
      stream.write(
        writeInferRequest(requestOf({ model: 'slow_per_row', id: 'first', inputs: [floats('x', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8])] })),
      );
      stream.write(writeInferRequest(requestOf({ model: 'nobody', id: 'second', inputs: [] })));
      stream.write(
        writeInferRequest(
          requestOf({ model: 'tiny', id: 'third', inputs: [row], parameters: { triton_enable_empty_final_response: true } }),
        ),
      );
      stream.end();
    });
    expect(replies.map(({ infer_response }) => infer_response?.id)).toEqual(['first', 'second', 'third']);
    expect(replies.map(({ error_message }) => error_message)).toEqual(['', expect.stringContaining('"nobody"'), '']);
    expect(replies[2]?.infer_response?.parameters).toHaveProperty('triton_final_response');
  });
});
