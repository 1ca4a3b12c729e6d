import { inferenceService, scanInferRequest, trafficService, writeInferResponse } from '@headrace/proto';
import type { Datatype, ExplainResponse, LimitsResponse } from '@headrace/proto';
import { HeadraceError, systemClock } from '@headrace/runtime';
import type { TlsServerFiles, UnaryCall } from '@headrace/wire';
import { refusalToStatus, unary } from '@headrace/wire';
import { testTransport } from '@headrace/wire/testing/transport';
import type { TensorSpec } from '../input/tensor-spec.js';

/** A model that answers each input with an output of the same name, values unchanged. */
export interface EchoModel {
  readonly name: string;
  readonly tensors: readonly TensorSpec[];
  /** Absent: READY. */
  readonly failed?: string;
}

export interface TestServer {
  readonly address: string;
  /** What load and unload were called with, in order. */
  readonly changes: readonly string[];
  /** Parameters of the last inference. */
  lastParameters(): ReadonlyMap<string, unknown>;
  close(): Promise<void>;
}

const methods = inferenceService.methods;

/** What a gateway says of its admission. */
export interface TestTraffic {
  explain(requestId: string): ExplainResponse;
  limits(tenant: string): LimitsResponse;
}

/** A small Open Inference Protocol server in this process, for tests of clients. */
export async function startTestServer(models: readonly EchoModel[], tls?: TlsServerFiles, traffic?: TestTraffic): Promise<TestServer> {
  const server = testTransport(systemClock).createServer(tls === undefined ? {} : { tls });
  const changes: string[] = [];
  let lastParameters: ReadonlyMap<string, unknown> = new Map();
  let answered = 0;

  const find = (name: string): EchoModel => {
    const model = models.find((candidate) => candidate.name === name);
    if (model === undefined) throw HeadraceError.of('MODEL_NOT_FOUND', `model "${name}" is not served here`);
    return model;
  };

  server.register(
    unary(methods.RepositoryIndex.path, () =>
      Promise.resolve(
        methods.RepositoryIndex.response.encode({
          models: models.map(({ name, failed }) => ({
            name,
            version: '1',
            state: failed === undefined ? 'READY' : 'UNAVAILABLE',
            reason: failed ?? '',
          })),
        }),
      ),
    ),
  );
  server.register(
    unary(methods.ModelMetadata.path, async (message) => {
      const model = find(methods.ModelMetadata.request.decode(message).name);
      const tensors = model.tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] }));
      return methods.ModelMetadata.response.encode({
        name: model.name,
        versions: ['1'],
        platform: 'echo',
        inputs: tensors,
        outputs: tensors,
      });
    }),
  );
  server.register(
    unary(methods.ModelStatistics.path, () => {
      const duration = { count: answered, ns: answered * 2_000_000 };
      const stats = models.map(({ name }) => ({
        name,
        version: '1',
        inference_count: answered * 3,
        execution_count: answered,
        inference_stats: { success: duration, fail: { count: 0, ns: 0 }, queue: duration },
      }));
      return Promise.resolve(methods.ModelStatistics.response.encode({ model_stats: stats }));
    }),
  );
  server.register(
    unary(methods.RepositoryModelLoad.path, async (message) => {
      const name = methods.RepositoryModelLoad.request.decode(message).model_name;
      changes.push(`load ${find(name).name}`);
      return methods.RepositoryModelLoad.response.encode({});
    }),
  );
  server.register(
    unary(methods.RepositoryModelUnload.path, async (message) => {
      const name = methods.RepositoryModelUnload.request.decode(message).model_name;
      changes.push(`unload ${find(name).name}`);
      return methods.RepositoryModelUnload.response.encode({});
    }),
  );

  const echo = (message: Buffer): Buffer => {
    const scanned = scanInferRequest(message);
    if (!scanned.ok) throw HeadraceError.of('MALFORMED_MESSAGE', scanned.message);
    const { view } = scanned;
    find(view.modelName);
    lastParameters = view.parameters;
    answered += 1;
    return writeInferResponse({
      modelName: view.modelName,
      modelVersion: '1',
      id: view.id,
      parameters: new Map([['headrace_run_us', 1500n]]),
      outputs: view.inputs.map(({ name, datatype, shape, raw }) => ({
        name,
        datatype: datatype as Datatype,
        shape,
        data: raw === undefined ? [] : [Buffer.from(message.subarray(raw.start, raw.end))],
      })),
    });
  };
  server.register({ kind: 'unary', path: methods.ModelInfer.path, handle: (message, call) => answer(call, () => echo(message)) });
  server.register({
    kind: 'stream',
    path: methods.ModelStreamInfer.path,
    handle: (call) => {
      call.onMessage((message) => {
        const reply = methods.ModelInfer.response.decode(echo(Buffer.from(message)));
        call.write(methods.ModelStreamInfer.response.encode({ infer_response: reply }));
      });
      call.onEnd(() => call.end());
    },
  });

  if (traffic !== undefined) {
    const { Explain, Limits } = trafficService.methods;
    server.register(
      unary(Explain.path, async (message) => Explain.response.encode(traffic.explain(Explain.request.decode(message).request_id))),
    );
    server.register(unary(Limits.path, async (message) => Limits.response.encode(traffic.limits(Limits.request.decode(message).tenant))));
  }

  const { host, port } = await server.listen('127.0.0.1', 0);
  return { address: `${host}:${port}`, changes, lastParameters: () => lastParameters, close: () => server.drain(1_000) };
}

function answer(call: UnaryCall, make: () => Buffer): void {
  try {
    call.reply(make());
  } catch (error) {
    call.fail(refusalToStatus(HeadraceError.from(error).refusal));
  }
}
