import { systemClock } from '@headrace/runtime';
import type {
  CallOptions,
  Channel,
  ChannelOptions,
  ClientStream,
  MethodHandler,
  ServerOptions,
  Transport,
  UnaryOutcome,
  WireServer,
  WireStatus,
} from '../../port.js';
import type { Metadata } from '../../metadata.js';
import { startRelay } from './relay.js';
import type { Relay } from './relay.js';

export interface Listening {
  readonly server: WireServer;
  readonly port: number;
  readonly address: string;
}

/** Servers and channels of one test, all closed at its end. */
export class Harness {
  readonly transport: Transport;
  readonly #servers: WireServer[] = [];
  readonly #channels: Channel[] = [];
  readonly #relays: Relay[] = [];

  constructor(transport: Transport) {
    this.transport = transport;
  }

  async serve(methods: readonly MethodHandler[], options: ServerOptions = {}, port = 0): Promise<Listening> {
    const server = this.transport.createServer(options);
    for (const method of methods) server.register(method);
    const bound = await server.listen('127.0.0.1', port);
    this.#servers.push(server);
    return { server, port: bound.port, address: `127.0.0.1:${bound.port}` };
  }

  open(address: string, options: ChannelOptions = {}): Channel {
    const channel = this.transport.openChannel(address, options);
    this.#channels.push(channel);
    return channel;
  }

  /** A server and a channel to it. */
  async pair(methods: readonly MethodHandler[], serverOptions: ServerOptions = {}, channelOptions: ChannelOptions = {}) {
    const listening = await this.serve(methods, serverOptions);
    return { ...listening, channel: this.open(listening.address, channelOptions) };
  }

  async relay(targetPort: number): Promise<Relay> {
    const relay = await startRelay(targetPort);
    this.#relays.push(relay);
    return relay;
  }

  async close(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    for (const relay of this.#relays) relay.close();
    await Promise.all(this.#servers.map(async (server) => server.drain(0)));
  }
}

/** The outcome with its message copied, as it is used after the listener returned. */
export async function call(
  channel: Channel,
  path: string,
  message: Buffer | string = '',
  options: CallOptions = {},
): Promise<UnaryOutcome> {
  return new Promise((resolve) => {
    channel.unary(path, Buffer.from(message), options, (outcome) => {
      resolve(outcome.ok ? { ...outcome, message: Buffer.from(outcome.message) } : outcome);
    });
  });
}

export function inMs(ms: number): number {
  return systemClock.nowMs() + ms;
}

export interface Recorded {
  readonly stream: ClientStream;
  readonly messages: Buffer[];
  readonly headers: Metadata[];
  readonly status: Promise<WireStatus>;
  drains: number;
}

export function openStream(
  channel: Channel,
  path: string,
  options: CallOptions = {},
  onMessage: (message: Buffer) => void = () => {},
): Recorded {
  const ended = deferred<WireStatus>();
  const recorded: { -readonly [K in keyof Recorded]?: Recorded[K] } & Pick<Recorded, 'messages' | 'headers' | 'drains'> = {
    messages: [],
    headers: [],
    drains: 0,
    status: ended.promise,
  };
  recorded.stream = channel.stream(path, options, {
    onHeaders: (headers) => recorded.headers.push(headers),
    onMessage: (message) => {
      recorded.messages.push(Buffer.from(message));
      onMessage(message);
    },
    onDrain: () => recorded.drains++,
    onStatus: ended.resolve,
  });
  return recorded as Recorded;
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Waits until `condition` holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => setTimeout(resolve, 2));
}

/** Waits until `read` gives the same value for a while: nothing moves any more. */
export async function settled(read: () => number): Promise<number> {
  for (let last = read(); ;) {
    await new Promise<void>((resolve) => setTimeout(resolve, 60));
    const now = read();
    if (now === last) return now;
    last = now;
  }
}

export const echo: MethodHandler = {
  kind: 'unary',
  path: '/test.Suite/Echo',
  handle: (message, incoming) => incoming.reply(Buffer.from(message)),
};

export const chat: MethodHandler = {
  kind: 'stream',
  path: '/test.Suite/Chat',
  handle: (incoming) => {
    incoming.onMessage((message) => incoming.write(Buffer.from(message)));
    incoming.onEnd(() => incoming.end());
  },
};

/** Holds each call until the test answers it. */
export function holding(path = '/test.Suite/Hold') {
  const calls: Parameters<Extract<MethodHandler, { kind: 'unary' }>['handle']>[1][] = [];
  let cancels = 0;
  const method: MethodHandler = {
    kind: 'unary',
    path,
    handle: (_message, incoming) => {
      calls.push(incoming);
      incoming.onCancel(() => cancels++);
    },
  };
  return { method, path, calls, cancels: () => cancels };
}
