import { statusCode } from '@headrace/runtime';
import type { Clock, Logger, Timer } from '@headrace/runtime';
import type {
  CallOptions,
  Channel,
  ChannelOptions,
  ChannelState,
  ClientCall,
  ClientStream,
  KeepaliveOptions,
  StreamReceiver,
  UnaryOutcome,
  WireStatus,
} from '../../port.js';
import { checkOptions } from '../../option-rules.js';
import { clientTlsOptions } from '../../tls-files.js';
import { defaultLimits } from '../connection/limits.js';
import type { ConnectionLimits } from '../connection/limits.js';
import type { ReceiveBudget } from '../connection/receive-budget.js';
import { Watchdog } from '../connection/watchdog.js';
import { tooLarge } from '../grpc/message-problems.js';
import { backoffMs } from './backoff.js';
import type { ClientStreamBase } from './client-call.js';
import { ClientConnection } from './client-connection.js';
import type { ClientContext } from './client-context.js';
import { Responses } from './client-context.js';
import { Connector } from './connector.js';
import { ClientStreamCall } from './stream-call.js';
import { parseTarget } from './target.js';
import { ClientUnaryCall } from './unary-call.js';

const defaultMaxMessageBytes = 64 * 1024 * 1024;
/** Back-ends sit next to us: try again soon, and seldom enough that a dead one costs nothing. */
const backoff = { initialMs: 100, maxMs: 5_000 };
/** After a connection that stood is lost, so that a server which accepts and closes is not hammered. */
const reconnectDelayMs = 50;
/** For one address, and again for the server's SETTINGS. */
const defaultHandshakeTimeoutMs = 10_000;
/** Only while calls run: C core servers answer more with "too many pings". */
const defaultKeepalive: KeepaliveOptions = { timeMs: 30_000, timeoutMs: 10_000, withoutCalls: false };
/** 64 KiB, HTTP/2's default, would stop and wait in the middle of each larger tensor. */
const streamWindowBytes = 4 * 1024 * 1024;

/** For a connection, or for room on it. Whoever sends more bounds its own queue first; this is the last resort. */
const maxWaitingCalls = 65_536;

const closedStatus: WireStatus = { code: statusCode.UNAVAILABLE, message: 'the channel is closed' };

/**
 * One connection to one back-end with all calls on it, as many as the server allows at once; more wait their turn. After
 * connect() a lost connection is made again without waiting for a call.
 *
 *     idle --call, connect()--> connecting --SETTINGS--> ready --lost, GOAWAY--> idle
 *                                 |   ^                                            '--> connecting, if wanted or calls wait
 *                                 v   '--- backoff is over ---.
 *                               failing ----------------------'
 */
export class Http2Channel implements Channel {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: ConnectionLimits;
  readonly #handshakeTimeoutMs: number;
  readonly #context: ClientContext;
  readonly #connector: Connector;
  readonly #watchdog: Watchdog;
  readonly #listeners: ((state: ChannelState) => void)[] = [];
  /** In the order of their calls. */
  readonly #waiting = new Set<ClientStreamBase>();
  #current: ClientConnection | undefined;
  #state: ChannelState = 'idle';
  #wanted = false;
  #failures = 0;
  #lastFailure = '';
  #timer: Timer | undefined;
  #handshake: Timer | undefined;
  #admitting = false;

  constructor(address: string, options: ChannelOptions, clock: Clock, logger: Logger, budget: ReceiveBudget) {
    checkOptions(options);
    this.#clock = clock;
    this.#logger = logger;
    this.#limits = { ...defaultLimits, streamWindowBytes, ...options.limits };
    this.#handshakeTimeoutMs = options.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs;
    const target = parseTarget(address);
    const { tls } = options;
    // Once at the beginning, so that a file that cannot be read is an error here and not a connection that never stands.
    if (tls !== undefined) clientTlsOptions(tls);
    this.#context = {
      clock,
      logger,
      budget,
      maxMessageBytes: options.maxMessageBytes ?? defaultMaxMessageBytes,
      compress: options.compress ?? false,
      responses: new Responses(),
      requests: new Map(),
      authority: tls?.serverName ?? target.authority,
      secure: tls !== undefined,
      left: (call) => {
        if (this.#waiting.size > 0) this.#waiting.delete(call as ClientStreamBase);
      },
    };
    this.#connector = new Connector({
      clock,
      target,
      tls: tls === undefined ? undefined : () => clientTlsOptions(tls),
      serverName: tls?.serverName,
      timeoutMs: this.#handshakeTimeoutMs,
    });
    this.#watchdog = new Watchdog(clock, options.keepalive ?? defaultKeepalive);
  }

  unary(path: string, message: Buffer, options: CallOptions, done: (outcome: UnaryOutcome) => void): ClientCall {
    const call = new ClientUnaryCall(path, message, options, this.#context, done);
    const { maxMessageBytes } = this.#context;
    if (message.length > maxMessageBytes) call.stop(tooLarge('the request', maxMessageBytes, message.length));
    else this.#begin(call);
    return call;
  }

  stream(path: string, options: CallOptions, receiver: StreamReceiver): ClientStream {
    const call = new ClientStreamCall(path, options, this.#context, receiver);
    this.#begin(call);
    return call;
  }

  state(): ChannelState {
    return this.#state;
  }

  connect(): void {
    if (this.#state === 'closed') return;
    this.#wanted = true;
    if (this.#state === 'idle') this.#connect();
  }

  onState(listener: (state: ChannelState) => void): void {
    this.#listeners.push(listener);
  }

  /** Calls that wait fail; those that run may go on. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#timer?.cancel();
    this.#handshake?.cancel();
    this.#connector.cancel();
    this.#setState('closed');
    for (const call of [...this.#waiting]) call.stop(closedStatus);
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    if (current.ready) current.connection.goaway(false);
    else current.connection.destroy('the channel was closed');
  }

  #begin(call: ClientStreamBase): void {
    if (this.#state === 'closed') return call.stop(closedStatus);
    const current = this.#current;
    if (current?.ready === true && this.#waiting.size === 0 && call.start(current.connection)) return;
    if (this.#state === 'failing' && !call.waitForReady) return call.refuse(this.#lastFailure);
    if (this.#waiting.size >= maxWaitingCalls) return call.refuse(`more than ${maxWaitingCalls} calls wait for a connection`);
    this.#waiting.add(call);
    if (this.#state === 'idle' && this.#timer === undefined) this.#connect();
  }

  /** Starts those that wait, as far as the connection has room. */
  #admit(): void {
    const current = this.#current;
    if (this.#admitting || current?.ready !== true || this.#waiting.size === 0) return;
    this.#admitting = true;
    for (const call of [...this.#waiting]) {
      if (!call.over && !call.start(current.connection)) break;
      this.#waiting.delete(call);
    }
    this.#admitting = false;
  }

  #connect(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#setState('connecting');
    this.#connector.connect((result) => {
      if (this.#state === 'closed') {
        if (result.ok) result.socket.destroy();
        return;
      }
      if (!result.ok) return this.#failed(result.message);
      const made = new ClientConnection(result.socket, this.#limits, this.#clock, {
        onReady: (connection) => this.#ready(connection),
        onLeaving: (connection) => this.#gone(connection),
        onRoom: (connection) => {
          if (connection === this.#current && this.#waiting.size > 0) this.#admit();
        },
        onClosed: (connection, message) => this.#closed(connection, message),
      });
      this.#current = made;
      this.#watchdog.add(made.connection);
      this.#handshake = this.#clock.setTimer(
        () => made.connection.destroy(`no SETTINGS from the server within ${this.#handshakeTimeoutMs} ms`),
        this.#handshakeTimeoutMs,
      );
    });
  }

  #ready(connection: ClientConnection): void {
    if (connection !== this.#current) return;
    this.#handshake?.cancel();
    this.#failures = 0;
    this.#setState('ready');
    this.#admit();
  }

  #closed(connection: ClientConnection, message: string): void {
    this.#watchdog.remove(connection.connection);
    if (connection !== this.#current) return;
    this.#handshake?.cancel();
    if (connection.ready) return this.#gone(connection);
    this.#current = undefined;
    this.#failed(`the connection ended before the server spoke HTTP/2: ${message}`);
  }

  /** A connection that stood is lost or leaves. */
  #gone(connection: ClientConnection): void {
    if (connection !== this.#current) return;
    this.#current = undefined;
    if (this.#state === 'closed') return;
    this.#timer = this.#clock.setTimer(
      () => {
        this.#timer = undefined;
        if (this.#state === 'idle' && (this.#wanted || this.#waiting.size > 0)) this.#connect();
      },
      reconnectDelayMs * (0.5 + Math.random()),
    );
    this.#setState('idle');
  }

  #failed(message: string): void {
    this.#failures++;
    this.#lastFailure = message;
    if (this.#failures === 1) this.#logger.debug({ authority: this.#context.authority, reason: message }, 'no connection');
    this.#timer = this.#clock.setTimer(
      () => {
        this.#timer = undefined;
        // Where nobody wants it any more it stays quiet until somebody does.
        if (this.#wanted || this.#waiting.size > 0) this.#connect();
        else this.#setState('idle');
      },
      backoffMs(backoff, this.#failures, Math.random()),
    );
    this.#setState('failing');
    for (const call of [...this.#waiting]) if (!call.waitForReady) call.refuse(message);
  }

  #setState(state: ChannelState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) {
      try {
        listener(state);
      } catch (error) {
        this.#logger.error({ error }, 'channel listener threw');
      }
    }
  }
}
