import type { Server as NetServer, Socket } from 'node:net';
import { createServer } from 'node:net';
import grpc from '@grpc/grpc-js';
import type { Clock, Logger, Timer } from '@headrace/runtime';
import type { MethodHandler, ServerOptions, WireServer } from '../port.js';
import { listenOn } from '../listen.js';
import type { ServerContext } from './server-call.js';
import { GrpcJsStreamCall } from './server-stream.js';
import { GrpcJsUnaryCall } from './server-unary.js';
import { checkOptions } from '../option-rules.js';
import { serverCredentials } from './tls.js';

const defaultMaxMessageBytes = 64 * 1024 * 1024;
const defaultMaxConcurrentStreams = 1_024;
/** Connections, each of which may hold maxConcurrentStreams calls; above it new ones are refused by the kernel's rules. */
const maxConnections = 10_000;

/** setTimeout's longest delay, 24.8 days. */
const atMost = (ms: number): number => Math.min(ms, 0x7fffffff);

/**
 * grpc-js's server on sockets that we accept ourselves: a taken port is then Node's own error, and a drain that runs out
 * of grace can cut every connection (grpc-js's forceShutdown skips them while channelz, which costs CPU, is off).
 */
export class GrpcJsServer implements WireServer {
  readonly #server: grpc.Server;
  readonly #credentials: grpc.ServerCredentials;
  readonly #context: ServerContext;
  readonly #sockets = new Set<Socket>();
  readonly #drainListeners: (() => void)[] = [];
  #listener: NetServer | undefined;
  #injector: grpc.ConnectionInjector | undefined;
  #drained: Promise<void> | undefined;

  constructor(options: ServerOptions, clock: Clock, logger: Logger) {
    const maxMessageBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
    checkOptions(options);
    const { keepalive, maxConnectionAgeMs, maxConnectionAgeGraceMs } = options;
    this.#credentials = serverCredentials(options.tls);
    this.#context = { clock, logger, secure: options.tls !== undefined };
    this.#server = new grpc.Server({
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': maxMessageBytes,
      'grpc.max_concurrent_streams': options.maxConcurrentStreams ?? defaultMaxConcurrentStreams,
      // Finds dead peers, whose calls would otherwise be worked on for nothing.
      'grpc.keepalive_time_ms': atMost(keepalive?.timeMs ?? 60_000),
      'grpc.keepalive_timeout_ms': atMost(keepalive?.timeoutMs ?? 20_000),
      ...(maxConnectionAgeMs === undefined ? {} : { 'grpc.max_connection_age_ms': atMost(maxConnectionAgeMs) }),
      ...(maxConnectionAgeGraceMs === undefined ? {} : { 'grpc.max_connection_age_grace_ms': atMost(maxConnectionAgeGraceMs) }),
    });
  }

  register(method: MethodHandler): void {
    const { path } = method;
    if (!this.#registered(method)) throw new Error(`method ${path} is registered twice`);
  }

  async listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    if (this.#listener !== undefined) throw new Error('this server listens already');
    if (this.#drained !== undefined) throw new Error('this server was drained');
    const injector = this.#server.createConnectionInjector(this.#credentials);
    const listener = createServer({ noDelay: true }, (socket) => this.#accept(socket, injector));
    listener.maxConnections = maxConnections;
    const bound = await listenOn(listener, host, port, this.#context.logger);
    this.#listener = listener;
    this.#injector = injector;
    return bound;
  }

  onDrain(listener: () => void): void {
    this.#drainListeners.push(listener);
  }

  drain(graceMs: number): Promise<void> {
    this.#drained ??= this.#drain(graceMs);
    return this.#drained;
  }

  async #drain(graceMs: number): Promise<void> {
    this.#listener?.close();
    // GOAWAY to every session; each socket closes behind its last call.
    this.#injector?.destroy();
    for (const listener of this.#drainListeners) listener();
    const { clock, logger } = this.#context;
    // grpc-js does not tell which sockets are still in a TLS handshake: such a peer holds up the drain until its grace is over.
    if (this.#sockets.size > 0) {
      await new Promise<void>((resolve) => {
        const gone = [...this.#sockets].map(async (socket) => new Promise<void>((closed) => socket.once('close', () => closed())));
        const timer: Timer = clock.setTimer(() => {
          logger.warn({ connections: this.#sockets.size, graceMs }, 'cutting connections whose calls outlived the grace');
          for (const socket of this.#sockets) socket.destroy();
        }, graceMs);
        void Promise.all(gone).then(() => {
          timer.cancel();
          resolve();
        });
      });
    }
    this.#server.forceShutdown();
  }

  #accept(socket: Socket, injector: grpc.ConnectionInjector): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // Without a listener a reset connection would end the process; the session sees the error too.
    socket.on('error', () => {});
    if (this.#drained !== undefined) socket.destroy();
    else injector.injectConnection(socket);
  }

  #registered(method: MethodHandler): boolean {
    const { path } = method;
    const context = this.#context;
    if (method.kind === 'unary') {
      const handler: grpc.handleUnaryCall<Buffer, Buffer> = (call, respond) => {
        const unary = new GrpcJsUnaryCall(path, call, respond, context);
        unary.guard(() => method.handle(call.request, unary));
      };
      return this.#server.register(path, handler, identity, identity, 'unary');
    }
    const handler: grpc.handleBidiStreamingCall<Buffer, Buffer> = (call) => {
      const stream = new GrpcJsStreamCall(path, call, context);
      stream.guard(() => method.handle(stream));
    };
    return this.#server.register(path, handler, identity, identity, 'bidi');
  }
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}
