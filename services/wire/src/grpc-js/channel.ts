import grpc from '@grpc/grpc-js';
import type { Clock, Logger, Timer } from '@headrace/runtime';
import type {
  CallOptions,
  Channel,
  ChannelOptions,
  ChannelState,
  ClientCall,
  ClientStream,
  StreamReceiver,
  UnaryOutcome,
} from '../port.js';
import { Metadata } from '../metadata.js';
import { GrpcJsClientStream } from './client-stream.js';
import { UnaryListener } from './client-unary.js';
import { fill, toGrpc } from './metadata.js';
import { closedChannel } from './outcome.js';
import { checkOptions } from '../option-rules.js';
import { channelCredentials } from './tls.js';

const defaultMaxMessageBytes = 64 * 1024 * 1024;

/** Back-ends sit next to us: try again soon, and seldom enough that a dead one costs nothing. grpc-js adds 20 % jitter. */
const initialBackoffMs = 100;
const maxBackoffMs = 5_000;
/** Before connecting again after a lost connection, so that a server which accepts and closes is not hammered. */
const reconnectDelayMs = 50;

const states: Readonly<Record<number, ChannelState>> = {
  [grpc.connectivityState.IDLE]: 'idle',
  [grpc.connectivityState.CONNECTING]: 'connecting',
  [grpc.connectivityState.READY]: 'ready',
  [grpc.connectivityState.TRANSIENT_FAILURE]: 'failing',
  [grpc.connectivityState.SHUTDOWN]: 'closed',
};

/** One connection to one back-end. After connect() a lost connection is made again without waiting for a call. */
export class GrpcJsChannel implements Channel {
  readonly #channel: grpc.Channel;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners: ((state: ChannelState) => void)[] = [];
  #state: ChannelState = 'idle';
  #wanted = false;
  #reconnect: Timer | undefined;

  constructor(address: string, options: ChannelOptions, clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
    this.#channel = new grpc.Channel(address, channelCredentials(options.tls), grpcOptions(options));
    this.#watch();
  }

  unary(path: string, message: Buffer, options: CallOptions, done: (outcome: UnaryOutcome) => void): ClientCall {
    const finish = (outcome: UnaryOutcome): void => this.#guard(path, () => done(outcome));
    if (this.#state === 'closed') {
      setImmediate(() => finish({ ok: false, headers: new Metadata(), ...closedChannel }));
      return { cancel: () => {} };
    }
    const call = this.#channel.createCall(path, this.#toWall(options.deadlineMs), null, null, undefined);
    call.start(metadataOf(options), new UnaryListener(call, finish));
    call.startRead();
    call.sendMessageWithContext({}, message);
    call.halfClose();
    return { cancel: () => call.cancelWithStatus(grpc.status.CANCELLED, 'cancelled by the client') };
  }

  stream(path: string, options: CallOptions, receiver: StreamReceiver): ClientStream {
    const guarded: StreamReceiver = {
      onHeaders: (headers) => this.#guard(path, () => receiver.onHeaders?.(headers)),
      onMessage: (message) => this.#guard(path, () => receiver.onMessage(message)),
      onDrain: () => this.#guard(path, () => receiver.onDrain?.()),
      onStatus: (status) => this.#guard(path, () => receiver.onStatus(status)),
    };
    if (this.#state === 'closed') {
      setImmediate(() => guarded.onStatus(closedChannel.status));
      return { cancel: () => {}, write: () => true, end: () => {}, pause: () => {}, resume: () => {} };
    }
    const call = this.#channel.createCall(path, this.#toWall(options.deadlineMs), null, null, undefined);
    const stream = new GrpcJsClientStream(call, guarded);
    stream.start(metadataOf(options));
    return stream;
  }

  state(): ChannelState {
    return this.#state;
  }

  connect(): void {
    if (this.#state === 'closed') return;
    this.#wanted = true;
    this.#channel.getConnectivityState(true);
  }

  onState(listener: (state: ChannelState) => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#reconnect?.cancel();
    this.#channel.close();
    this.#setState('closed');
  }

  #watch(): void {
    if (this.#state === 'closed') return;
    const current = this.#channel.getConnectivityState(false);
    if (current === grpc.connectivityState.SHUTDOWN) return;
    this.#setState(states[current] ?? 'failing');
    this.#channel.watchConnectivityState(current, Infinity, () => this.#watch());
  }

  #setState(state: ChannelState): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state === 'idle' && this.#wanted) {
      this.#reconnect = this.#clock.setTimer(() => this.connect(), reconnectDelayMs * (0.5 + Math.random()));
    }
    for (const listener of this.#listeners) this.#guard('onState', () => listener(state));
  }

  #toWall(deadlineMs: number | undefined): number {
    if (deadlineMs === undefined || deadlineMs === Infinity) return Infinity;
    return this.#clock.wallMs() + (deadlineMs - this.#clock.nowMs());
  }

  /** A throwing listener is a defect above; it must not break grpc-js's own bookkeeping, or end the process. */
  #guard(path: string, listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#logger.error({ path, error }, 'channel listener threw');
    }
  }
}

function metadataOf(options: CallOptions): grpc.Metadata {
  if (options.waitForReady !== true) return toGrpc(options.metadata ?? undefined);
  const metadata = new grpc.Metadata({ waitForReady: true });
  if (options.metadata !== undefined) fill(metadata, options.metadata);
  return metadata;
}

function grpcOptions(options: ChannelOptions): grpc.ChannelOptions {
  const maxMessageBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
  checkOptions(options);
  const { keepalive } = options;
  const serverName = options.tls?.serverName;
  return {
    // A connection of its own for each channel: closing one never touches another.
    'grpc.use_local_subchannel_pool': 1,
    // Retries are decided above the port, within a budget.
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.initial_reconnect_backoff_ms': initialBackoffMs,
    'grpc.max_reconnect_backoff_ms': maxBackoffMs,
    'grpc.dns_min_time_between_resolutions_ms': maxBackoffMs,
    // Never idle: a ready back-end stays ready. setTimeout's longest delay, 24.8 days.
    'grpc.client_idle_timeout_ms': 2_147_483_647,
    // Only while calls run: C core servers answer more with "too many pings".
    'grpc.keepalive_time_ms': Math.min(keepalive?.timeMs ?? 30_000, 0x7fffffff),
    'grpc.keepalive_timeout_ms': Math.min(keepalive?.timeoutMs ?? 10_000, 0x7fffffff),
    'grpc.keepalive_permit_without_calls': keepalive?.withoutCalls === true ? 1 : 0,
    // 64 KiB, HTTP/2's default, would stop and wait in the middle of each larger tensor.
    'grpc-node.flow_control_window': 4 * 1024 * 1024,
    ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
  };
}
