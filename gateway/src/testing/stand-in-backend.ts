import { inferenceService } from '@headrace/proto';
import { systemClock } from '@headrace/runtime';
import { testTransport } from '@headrace/wire/testing/transport';
import type { TlsServerFiles, Transport, UnaryCall } from '@headrace/wire';
import { StandInEngine } from './stand-in-engine.js';
import type { StandInModel } from './stand-in-engine.js';
import { standInMethods } from './stand-in-methods.js';
import type { StandInState } from './stand-in-methods.js';

export interface StandInOptions {
  readonly models: readonly StandInModel[];
  readonly transport?: Transport;
  /** Default 0: picked by the kernel. */
  readonly port?: number;
  readonly tls?: TlsServerFiles;
  /** No repository, configuration or statistics methods. */
  readonly coreOnly?: boolean;
}

export interface StandInBackend {
  readonly address: string;
  readonly port: number;
  readonly engine: StandInEngine;
  readonly state: StandInState;
  /** Metadata of the latest inference calls, newest last, at most 1000. */
  readonly calls: readonly UnaryCall['metadata'][];
  /** Cuts every connection without a word, as kill -9 would. */
  kill(): Promise<void>;
}

/** An inference server for tests on a port of its own: plays any t(b) = a + k b, and can fail, hang, be slow or die. */
export async function startStandInBackend(options: StandInOptions): Promise<StandInBackend> {
  const engine = new StandInEngine(systemClock, options.models);
  const state: StandInState = { ready: true, unready: new Map(), controlled: [], controlFailure: undefined };
  const calls: UnaryCall['metadata'][] = [];
  const server = (options.transport ?? testTransport(systemClock)).createServer(options.tls === undefined ? {} : { tls: options.tls });
  for (const method of standInMethods(engine, state, options.coreOnly ?? false)) server.register(method);
  server.register({
    kind: 'unary',
    path: inferenceService.methods.ModelInfer.path,
    handle: (message, call) => {
      calls.push(call.metadata);
      if (calls.length > 1000) calls.shift();
      const cancel = engine.infer(message, (answer) => {
        if (answer.ok) call.reply(answer.message);
        else call.fail(answer);
      });
      call.onCancel(cancel);
    },
  });
  const { port } = await server.listen('127.0.0.1', options.port ?? 0);
  return { address: `127.0.0.1:${port}`, port, engine, state, calls, kill: () => server.drain(0) };
}
