import type { Server as NetServer, Socket } from 'node:net';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer } from 'node:tls';
import { describeError } from '@headrace/runtime';
import type { Clock, Logger, Timer } from '@headrace/runtime';
import type { KeepaliveOptions, MethodHandler, ServerOptions, TlsServerFiles, WireServer } from '../../port.js';
import { checkOptions } from '../../option-rules.js';
import { listenOn } from '../../listen.js';
import { serverTlsOptions, usableTls } from '../../tls-files.js';
import { defaultLimits } from '../connection/limits.js';
import type { ConnectionLimits } from '../connection/limits.js';
import { checkSecureContext } from './secure-context.js';
import { ServerConnection } from './server-connection.js';
import type { ServerBudgets, ServerContext } from './server-context.js';
import { WatchedFiles } from './watched-files.js';
import { Watchdog } from '../connection/watchdog.js';

const defaultMaxMessageBytes = 64 * 1024 * 1024;
/** Each may hold maxConcurrentStreams calls. */
const defaultMaxConnections = 10_000;
/** A TLS handshake must be over so soon. */
const defaultHandshakeTimeoutMs = 10_000;
/** Finds dead peers, whose calls would otherwise be worked on for nothing. */
const defaultKeepalive: KeepaliveOptions = { timeMs: 60_000, timeoutMs: 20_000, withoutCalls: true };

/** The port's server on our own HTTP/2. */
export class Http2Server implements WireServer {
  readonly #options: ServerOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #methods = new Map<string, MethodHandler>();
  readonly #context: ServerContext;
  readonly #limits: ConnectionLimits;
  readonly #connections = new Set<ServerConnection>();
  /** TCP connections by their other end, until their TLS handshake is over. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #drainListeners: (() => void)[] = [];
  readonly #watchdog: Watchdog;
  #listener: NetServer | undefined;
  #files: WatchedFiles | undefined;
  #drained: Promise<void> | undefined;
  #empty: (() => void) | undefined;

  constructor(options: ServerOptions, clock: Clock, logger: Logger, { budget, held }: ServerBudgets) {
    checkOptions(options);
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    const { tls } = options;
    if (tls !== undefined) {
      const files = serverTlsOptions(tls);
      usableTls(() => checkSecureContext(files));
    }
    this.#limits = {
      ...defaultLimits,
      ...(options.maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams: options.maxConcurrentStreams }),
      ...options.limits,
    };
    this.#context = {
      clock,
      logger,
      methods: this.#methods,
      maxMessageBytes: options.maxMessageBytes ?? defaultMaxMessageBytes,
      compress: options.compress ?? false,
      budget,
      held,
    };
    this.#watchdog = new Watchdog(clock, options.keepalive ?? defaultKeepalive, {
      ...(options.maxConnectionAgeMs === undefined ? {} : { maxAgeMs: options.maxConnectionAgeMs }),
      ...(options.maxConnectionAgeGraceMs === undefined ? {} : { ageGraceMs: options.maxConnectionAgeGraceMs }),
    });
  }

  register(method: MethodHandler): void {
    if (this.#methods.has(method.path)) throw new Error(`method ${method.path} is registered twice`);
    this.#methods.set(method.path, method);
  }

  async listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    if (this.#listener !== undefined) throw new Error('this server listens already');
    if (this.#drained !== undefined) throw new Error('this server was drained');
    const listener = this.#createListener();
    listener.maxConnections = this.#options.maxConnections ?? defaultMaxConnections;
    const bound = await listenOn(listener, host, port, this.#logger);
    this.#listener = listener;
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
    this.#files?.close();
    // No call was ever sent there. They would otherwise outlive the drain by what a handshake may take.
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const { connection } of this.#connections) connection.goaway(false, 'the server is shutting down');
    for (const listener of this.#drainListeners) listener();
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        const timer: Timer = this.#clock.setTimer(() => this.#cut(graceMs), graceMs);
        this.#empty = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#watchdog.close();
  }

  #cut(graceMs: number): void {
    this.#logger.warn({ connections: this.#connections.size, graceMs }, 'cutting connections whose calls outlived the grace');
    for (const { connection } of this.#connections) connection.destroy('the server has shut down');
  }

  #createListener(): NetServer {
    const { tls } = this.#options;
    if (tls === undefined) return createServer({ noDelay: true }, (socket) => this.#accept(socket));
    const server = createTlsServer(
      {
        ...serverTlsOptions(tls),
        ALPNProtocols: ['h2'],
        minVersion: 'TLSv1.2',
        handshakeTimeout: this.#options.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs,
        noDelay: true,
        requestCert: tls.clientAuthorityFile !== undefined,
        rejectUnauthorized: tls.clientAuthorityFile !== undefined,
      },
      (socket) => this.#accept(socket),
    );
    server.on('connection', (socket: Socket) => {
      const from = otherEnd(socket);
      this.#handshakes.set(from, socket);
      socket.once('close', () => this.#handshakes.delete(from));
    });
    server.on('tlsClientError', (error) => this.#logger.debug({ reason: error.message }, 'TLS handshake failed'));
    this.#files = new WatchedFiles(
      this.#clock,
      [tls.certificateFile, tls.keyFile, ...(tls.clientAuthorityFile === undefined ? [] : [tls.clientAuthorityFile])],
      () => this.#renew(server, tls),
    );
    return server;
  }

  /** New certificates for new connections; those that stand keep theirs. */
  #renew(server: TlsServer, tls: TlsServerFiles): void {
    try {
      const options = serverTlsOptions(tls);
      checkSecureContext(options);
      server.setSecureContext(options);
      this.#logger.info({ certificateFile: tls.certificateFile }, 'TLS files were read again');
    } catch (error) {
      this.#logger.error({ reason: describeError(error) }, 'TLS files changed and cannot be used: the old ones stay');
    }
  }

  #accept(socket: Socket): void {
    // Without a listener a reset connection would end the process.
    socket.on('error', () => {});
    this.#handshakes.delete(otherEnd(socket));
    if (this.#drained !== undefined) {
      socket.destroy();
      return;
    }
    const accepted = new ServerConnection(socket, this.#limits, this.#context, (gone) => {
      this.#connections.delete(gone);
      this.#watchdog.remove(gone.connection);
      if (this.#connections.size === 0) this.#empty?.();
    });
    this.#connections.add(accepted);
    this.#watchdog.add(accepted.connection);
  }
}

function otherEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
