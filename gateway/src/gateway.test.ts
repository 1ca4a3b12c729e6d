import { healthService, inferenceService } from '@headrace/proto';
import { statusCode, systemClock } from '@headrace/runtime';
import { Metadata, statusToRefusal } from '@headrace/wire';
import type { TlsClientFiles, UnaryOutcome } from '@headrace/wire';
import { makeCertificates } from '@headrace/wire/testing';
import { testTransport } from '@headrace/wire/testing/transport';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startLocalGateway } from './testing/local-gateway.js';
import type { LocalGateway } from './testing/local-gateway.js';
import { buildRequest, readReply } from './testing/requests.js';
import { startStandInBackend } from './testing/stand-in-backend.js';
import type { StandInBackend, StandInOptions } from './testing/stand-in-backend.js';

// Real sockets and timers: the bound is for a hang, not a measurement.
vi.setConfig({ testTimeout: 60_000 });

const { methods } = inferenceService;
const toClose: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

async function backend(options: Partial<StandInOptions> = {}): Promise<StandInBackend> {
  const made = await startStandInBackend({ models: [{ name: 'm', overheadMs: 2 }], ...options });
  toClose.push(() => made.kill());
  return made;
}

async function gatewayTo(
  backends: Readonly<Record<string, StandInBackend>>,
  rest: Record<string, unknown> = {},
  options: Parameters<typeof startLocalGateway>[1] = {},
): Promise<LocalGateway> {
  const specs = Object.entries(backends).map(([name, { address }]) => ({ name, address }));
  const made = await startLocalGateway({ backends: specs, routing: { slowStartMs: 0 }, ...rest }, options);
  toClose.push(() => made.close());
  await until(() => made.gateway.readyModels().includes('m'));
  return made;
}

/** Polls without measuring: how long it takes is not what is tested. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the condition never came true');
}

const one = (value = 1n): Buffer => buildRequest({ model: 'm', values: [value] });
const refusalOf = (outcome: UnaryOutcome): ReturnType<typeof statusToRefusal> => {
  if (outcome.ok) throw new Error('expected a failure');
  return statusToRefusal(outcome.status);
};
const messageOf = (outcome: UnaryOutcome): Buffer => {
  if (!outcome.ok) throw new Error(`${outcome.status.code}: ${outcome.status.message}`);
  return outcome.message;
};

describe('describing itself', () => {
  it('answers the core methods for its models', async () => {
    const a = await backend();
    const { call } = await gatewayTo({ a });
    const ask = async <I, O>(
      method: { path: string; request: { encode(value: I): Buffer }; response: { decode(bytes: Buffer): O } },
      request: I,
    ): Promise<O> => method.response.decode(messageOf(await call(method.path, method.request.encode(request))));

    expect(await ask(methods.ServerLive, {})).toMatchObject({ live: true });
    expect(await ask(methods.ServerReady, {})).toMatchObject({ ready: true });
    expect(await ask(methods.ServerMetadata, {})).toMatchObject({ name: 'headrace', version: 'test' });
    expect(await ask(methods.ModelReady, { name: 'm' })).toMatchObject({ ready: true });
    expect(await ask(methods.ModelReady, { name: 'm', version: '7' })).toMatchObject({ ready: false });
    expect(await ask(methods.ModelReady, { name: 'nope' })).toMatchObject({ ready: false });
    expect(await ask(methods.ModelMetadata, { name: 'm' })).toMatchObject({
      name: 'm',
      inputs: [{ name: 'x', datatype: 'INT64', shape: ['-1', '1'] }],
    });
    expect(await ask(methods.ModelConfig, { name: 'm' })).toMatchObject({ config: { name: 'm', max_batch_size: 32 } });
  });

  it('answers grpc.health.v1 for itself, the service and each model', async () => {
    const a = await backend();
    const { call } = await gatewayTo({ a });
    const { Check } = healthService.methods;
    for (const service of ['', 'inference.GRPCInferenceService', 'm', 'm/1']) {
      expect(Check.response.decode(messageOf(await call(Check.path, Check.request.encode({ service }))))).toMatchObject({
        status: 'SERVING',
      });
    }
    expect(Check.response.decode(messageOf(await call(Check.path, Check.request.encode({ service: 'm/9' }))))).toMatchObject({
      status: 'NOT_SERVING',
    });
    expect(refusalOf(await call(Check.path, Check.request.encode({ service: 'nope' }))).code).toBe(statusCode.NOT_FOUND);
  });

  it.each(['SystemSharedMemoryStatus', 'CudaSharedMemoryRegister', 'TraceSetting', 'LogSettings'])(
    'refuses %s with a reason',
    async (name) => {
      const { call } = await gatewayTo({ a: await backend() });
      expect(refusalOf(await call(`/inference.GRPCInferenceService/${name}`, Buffer.alloc(0)))).toMatchObject({
        reason: 'UNSUPPORTED_METHOD',
        code: statusCode.UNIMPLEMENTED,
      });
    },
  );

  it.each(['', 'garbage'])('refuses a malformed message (%j) and lives on', async (text) => {
    const { infer } = await gatewayTo({ a: await backend() });
    const refusal = refusalOf(await infer(Buffer.from(text === '' ? [0x0a, 0xff] : text)));
    expect([statusCode.INVALID_ARGUMENT, statusCode.NOT_FOUND]).toContain(refusal.code);
    expect(readReply(messageOf(await infer(one()))).values).toEqual([1n]);
  });
});

describe('a request', () => {
  it("carries the client's request id and trace context to the backend, and gets the id back", async () => {
    const a = await backend();
    const { infer } = await gatewayTo({ a });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const outcome = await infer(one(), { metadata: Metadata.of({ 'x-request-id': 'order-66', traceparent, tracestate: 'a=b' }) });
    expect(outcome.headers.get('x-request-id')).toBe('order-66');
    expect(a.calls.at(-1)?.get('x-request-id')).toBe('order-66');
    expect(a.calls.at(-1)?.get('traceparent')).toBe(traceparent);
    expect(a.calls.at(-1)?.get('tracestate')).toBe('a=b');
  });

  it('gets a request id where it has none, or a hostile one', async () => {
    const a = await backend();
    const { infer } = await gatewayTo({ a });
    for (const metadata of [new Metadata(), Metadata.of({ 'x-request-id': 'x'.repeat(500) })]) {
      const outcome = await infer(one(), { metadata });
      expect(outcome.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it("passes a backend's own error on unchanged", async () => {
    const a = await backend();
    const { infer } = await gatewayTo({ a });
    a.engine.failures.push({ code: statusCode.OUT_OF_RANGE, message: 'row 3: 17 is outside the vocabulary' });
    const outcome = await infer(one());
    expect(outcome).toMatchObject({ ok: false, status: { code: statusCode.OUT_OF_RANGE, message: 'row 3: 17 is outside the vocabulary' } });
  });

  it('is cancelled upstream when the client cancels', async () => {
    const a = await backend({ models: [{ name: 'm', overheadMs: 60_000 }] });
    const { channel } = await gatewayTo({ a });
    const ended = new Promise<UnaryOutcome>((resolve) => {
      const call = channel.unary('/inference.GRPCInferenceService/ModelInfer', one(), {}, resolve);
      void until(() => a.engine.received === 1).then(() => call.cancel());
    });
    expect(refusalOf(await ended).code).toBe(statusCode.CANCELLED);
    await until(() => a.engine.cancelled === 1);
  });

  it('works with a backend that has the core methods only, for models that the table names', async () => {
    const a = await backend({ coreOnly: true, models: [{ name: 'm' }] });
    a.engine.reportsRuns = false;
    const { infer, call } = await gatewayTo({ a }, { models: [{ name: 'm', batching: { maxBatchRows: 8 } }] });
    const outcomes = await Promise.all(Array.from({ length: 30 }, (_, i) => infer(one(BigInt(i)))));
    outcomes.forEach((outcome, i) => expect(readReply(messageOf(outcome)).values).toEqual([BigInt(i)]));
    const index = methods.RepositoryIndex.response.decode(messageOf(await call(methods.RepositoryIndex.path, Buffer.alloc(0))));
    expect(index.models).toEqual([{ name: 'm', version: '1', state: 'READY', reason: '' }]);
    expect(refusalOf(await call(methods.ModelConfig.path, methods.ModelConfig.request.encode({ name: 'm' }))).code).toBe(
      statusCode.UNIMPLEMENTED,
    );
  });
});

describe('a stream', () => {
  it('answers in the order of the requests, failures in error_message, and goes on', async () => {
    const { channel } = await gatewayTo({ a: await backend() });
    const replies: string[] = [];
    const status = await new Promise<{ code: number }>((resolve) => {
      const stream = channel.stream(
        methods.ModelStreamInfer.path,
        {},
        {
          onMessage: (message) => {
            const { error_message, infer_response } = methods.ModelStreamInfer.response.decode(message);
            replies.push(error_message === '' ? (infer_response?.id ?? '?') : error_message);
          },
          onStatus: resolve,
        },
      );
      stream.write(buildRequest({ model: 'm', id: 'first', values: [1n] }));
      stream.write(buildRequest({ model: 'nope', id: 'second', values: [1n] }));
      stream.write(buildRequest({ model: 'm', id: 'third', values: [1n] }));
      stream.end();
    });
    expect(status.code).toBe(statusCode.OK);
    expect(replies).toEqual(['first', expect.stringContaining('MODEL_NOT_FOUND'), 'third']);
  });

  it('takes more requests than it holds at once', async () => {
    const { channel } = await gatewayTo({ a: await backend({ models: [{ name: 'm' }] }) });
    const ids: string[] = [];
    await new Promise<void>((resolve) => {
      const stream = channel.stream(
        methods.ModelStreamInfer.path,
        {},
        {
          onMessage: (message) => void ids.push(methods.ModelStreamInfer.response.decode(message).infer_response?.id ?? '?'),
          onStatus: () => resolve(),
        },
      );
      for (let i = 0; i < 500; i++) stream.write(buildRequest({ model: 'm', id: `${i}`, values: [BigInt(i)] }));
      stream.end();
    });
    expect(ids).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`));
  });

  it('ends with UNAVAILABLE when the gateway drains, after what it had read was answered', async () => {
    const { channel, gateway } = await gatewayTo({ a: await backend() });
    const ids: string[] = [];
    const ended = new Promise<{ code: number }>((resolve) => {
      const stream = channel.stream(
        methods.ModelStreamInfer.path,
        {},
        {
          onMessage: (message) => {
            ids.push(methods.ModelStreamInfer.response.decode(message).infer_response?.id ?? '?');
            void gateway.drain(5000);
          },
          onStatus: resolve,
        },
      );
      stream.write(buildRequest({ model: 'm', id: 'only', values: [1n] }));
    });
    expect((await ended).code).toBe(statusCode.UNAVAILABLE);
    expect(ids).toEqual(['only']);
  });
});

describe('the repository', () => {
  it('merges the index, saying which backend is why not ready', async () => {
    const [a, b] = [await backend(), await backend()];
    b.state.unready.set('m', 'out of memory');
    const { call } = await gatewayTo({ a, b });
    const index = methods.RepositoryIndex.response.decode(messageOf(await call(methods.RepositoryIndex.path, Buffer.alloc(0))));
    expect(index.models).toEqual([{ name: 'm', version: '1', state: 'READY', reason: 'b: UNAVAILABLE: out of memory' }]);
  });

  it('loads and unloads on all backends and reports each', async () => {
    const [a, b] = [await backend(), await backend()];
    const { call, infer } = await gatewayTo({ a, b });
    const order = methods.RepositoryModelUnload.request.encode({ model_name: 'm' });
    const done = await call(methods.RepositoryModelUnload.path, order);
    expect(done).toMatchObject({ ok: true });
    expect(done.ok && JSON.parse(done.trailers.get('x-headrace-backend-results') ?? '')).toEqual([
      { backend: 'a', ok: true },
      { backend: 'b', ok: true },
    ]);
    expect([a, b].map(({ state }) => state.controlled)).toEqual(Array(2).fill([{ what: 'unload', model: 'm' }]));
    await until(async () => !(await infer(one())).ok);
    expect(refusalOf(await infer(one()))).toMatchObject({ reason: 'MODEL_NOT_READY', code: statusCode.UNAVAILABLE });

    b.state.controlFailure = 'model.onnx is missing';
    const failed = refusalOf(await call(methods.RepositoryModelLoad.path, order));
    expect(failed.message).toBe('load of "m": a done; b failed: model.onnx is missing');
    await until(async () => (await infer(one())).ok);
  });

  it('sums statistics, which never run backwards when a backend restarts', async () => {
    const [a, b] = [await backend(), await backend()];
    const local = await gatewayTo({ a, b });
    const count = async (): Promise<number> => {
      const outcome = await local.call(methods.ModelStatistics.path, methods.ModelStatistics.request.encode({ name: 'm' }));
      return Number(methods.ModelStatistics.response.decode(messageOf(outcome)).model_stats[0]?.inference_count);
    };
    await Promise.all(Array.from({ length: 40 }, () => local.infer(one())));
    expect(await count()).toBe(40);
    await a.kill();
    expect(await count()).toBe(40);
    const again = await backend({ port: a.port });
    await until(() => again.engine.received === 0 && local.gateway.readyModels().includes('m'));
    for (let i = 0; i < 30; i++) {
      await local.infer(one());
      expect(await count()).toBeGreaterThanOrEqual(40);
    }
    await until(async () => (await count()) === 70);
  });
});

describe('the table file', () => {
  it('is applied when replaced by rename; a bad one keeps the old', async () => {
    const [a, b] = [await backend(), await backend({ models: [{ name: 'm' }, { name: 'second' }] })];
    const local = await gatewayTo({ a });
    await local.writeTable({ backends: [{ name: 'a', address: 'no port' }] });
    await local.writeTable('{ not yaml');
    await local.writeTable({ backends: [{ name: 'b', address: b.address }] });
    await until(() => local.gateway.readyModels().includes('second'));
    expect((await local.infer(one())).ok).toBe(true);
    expect(b.engine.received).toBe(1);
    await local.writeTable({ backends: [] });
    await local.writeTable({ backends: [{ name: 'b', address: b.address }], models: [{ name: 'm', timeoutMs: 5 }] });
    await until(() => local.gateway.table().models.get('m')?.timeoutMs === 5);
    expect((await local.infer(buildRequest({ model: 'second', values: [1n] }))).ok).toBe(true);
  });

  it('lets requests under way finish on a backend that leaves it', async () => {
    const [a, b] = [await backend({ models: [{ name: 'm', overheadMs: 300 }] }), await backend()];
    const local = await gatewayTo({ a });
    const outcome = local.infer(one());
    await until(() => a.engine.received === 1);
    await local.writeTable({ backends: [{ name: 'b', address: b.address }] });
    expect(readReply(messageOf(await outcome)).values).toEqual([1n]);
    expect(a.engine.received + b.engine.received).toBe(1);
  });
});

describe('faults', () => {
  it(
    'loses no request of an idempotent model when a backend dies under load, and uses it again when it is back',
    { timeout: 30_000 },
    async () => {
      const models = [{ name: 'm', overheadMs: 5, maxBatchRows: 4 }];
      const [a, b] = [await backend({ models }), await backend({ models })];
      const local = await gatewayTo({ a, b });
      const outcomes: UnaryOutcome[] = [];
      let sending = true;
      const client = async (): Promise<void> => {
        while (sending) outcomes.push(await local.infer(one()));
      };
      const clients = Array.from({ length: 16 }, client);
      await until(() => outcomes.length > 100);
      await a.kill();
      const atKill = outcomes.length;
      await until(() => outcomes.length > atKill + 200);
      const back = await backend({ models, port: a.port });
      await until(() => back.engine.received > 10);
      sending = false;
      await Promise.all(clients);
      const failed = outcomes.filter(({ ok }) => !ok);
      expect(failed).toEqual([]);
    },
  );

  it('drops no request when it drains under load', async () => {
    const a = await backend({ models: [{ name: 'm', overheadMs: 20, maxBatchRows: 4 }] });
    const local = await gatewayTo({ a });
    const outcomes: UnaryOutcome[] = [];
    let sending = true;
    const client = async (): Promise<void> => {
      while (sending) {
        const outcome = await local.infer(one());
        outcomes.push(outcome);
        if (!outcome.ok) return;
      }
    };
    const clients = Array.from({ length: 16 }, client);
    await until(() => outcomes.length > 50);
    const drained = local.gateway.drain(10_000);
    await Promise.all(clients);
    sending = false;
    await drained;
    // What was refused was refused before it was taken: by the closed port or as draining, never lost on the way.
    const refused = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.status.code]));
    expect(refused.filter((code) => code !== statusCode.UNAVAILABLE)).toEqual([]);
    const answered = outcomes.filter(({ ok }) => ok).length;
    expect(answered).toBe(a.engine.runs.reduce((sum, { rows }) => sum + rows, 0));
    expect(a.engine.cancelled).toBe(0);
  });

  it('serves during the pre-stop time while health says NOT_SERVING', async () => {
    const local = await gatewayTo({ a: await backend() }, {}, { preStopMs: 300 });
    const { Check } = healthService.methods;
    const drained = local.gateway.drain(5000);
    expect(Check.response.decode(messageOf(await local.call(Check.path, Check.request.encode({ service: '' }))))).toMatchObject({
      status: 'NOT_SERVING',
    });
    expect((await local.infer(one())).ok).toBe(true);
    await drained;
    expect((await local.infer(one(), { timeoutMs: 200 })).ok).toBe(false);
  });
});

describe('TLS', () => {
  it('is spoken to clients, who must show a certificate, and to backends', async () => {
    const files = await makeCertificates();
    toClose.push(async () => files.remove());
    const a = await backend({ tls: { ...files.server, clientAuthorityFile: files.authorityFile } });
    const specs = [{ name: 'a', address: a.address, tls: { authorityFile: files.authorityFile, ...files.client } }];
    const local = await startLocalGateway({ backends: specs }, { tls: { ...files.server, clientAuthorityFile: files.authorityFile } });
    toClose.push(() => local.close());
    await until(() => local.gateway.readyModels().includes('m'));

    const callWith = async (tls: TlsClientFiles): Promise<UnaryOutcome> => {
      const channel = testTransport(systemClock).openChannel(`127.0.0.1:${local.gateway.grpcPort}`, { tls });
      const deadlineMs = systemClock.nowMs() + 5000;
      const outcome = await new Promise<UnaryOutcome>((resolve) => {
        channel.unary(methods.ModelInfer.path, one(42n), { deadlineMs }, resolve);
      });
      channel.close();
      return outcome;
    };
    const { authorityFile } = files;
    expect(readReply(messageOf(await callWith({ authorityFile, ...files.client }))).values).toEqual([42n]);
    expect((await callWith({ authorityFile })).ok).toBe(false);
    expect((await callWith({ authorityFile, ...files.stranger })).ok).toBe(false);
    expect((await local.infer(one())).ok).toBe(false);
  });

  it('keeps the old backends when a reloaded table names files that cannot be read', async () => {
    const a = await backend();
    const local = await gatewayTo({ a });
    await local.writeTable({ backends: [{ name: 'b', address: a.address, tls: { authorityFile: '/nowhere.pem' } }] });
    await local.writeTable({ backends: [{ name: 'a', address: a.address }], models: [{ name: 'm', timeoutMs: 7000 }] });
    await until(() => local.gateway.table().models.has('m'));
    expect((await local.infer(one())).ok).toBe(true);
  });
});

describe('starting', () => {
  it('tells every problem of the table with its place', async () => {
    const table = {
      backends: [
        { name: 'A', address: 'x' },
        { name: 'b', adress: 'h:1' },
      ],
      models: [{ name: 'm', backends: ['c'], timeoutMs: 0 }],
    };
    const problem = await startLocalGateway(table).then(
      () => 'started',
      (error: unknown) => String(error),
    );
    expect(problem).toContain('backends[0].name');
    expect(problem).toContain('backends[1].adress: is unknown; did you mean "address"?');
    expect(problem).toContain('models[0].timeoutMs');
  });

  it('rejects a taken port with the code that names it', async () => {
    const a = await backend();
    await expect(startLocalGateway({ backends: [{ name: 'a', address: a.address }] }, { grpcPort: a.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      port: a.port,
    });
  });

  it('waits for a backend, and says when there is none', async () => {
    const local = await startLocalGateway({ backends: [{ name: 'a', address: '127.0.0.1:1' }] });
    toClose.push(() => local.close());
    expect(await local.gateway.untilReady(100)).toBe(false);
    expect(refusalOf(await local.infer(one()))).toMatchObject({ reason: 'NO_BACKEND', code: statusCode.UNAVAILABLE });
    // A drain ends the wait: nobody should hang on a gateway that goes away.
    const waiting = local.gateway.untilReady(600_000);
    void local.gateway.drain(0);
    expect(await waiting).toBe(false);
  });
});
