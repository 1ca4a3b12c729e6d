import type { StatusCode } from '@headrace/runtime';
import type { Metadata } from './metadata.js';
import type { PeerLimits } from './peer-limits.js';

/**
 * The port between Headrace and a gRPC transport. Messages are raw bytes both ways; no stage above knows which
 * implementation carries them.
 *
 * Ownership: a message handed to a listener is BORROWED. It may be overwritten or reused as soon as the listener
 * returns; whoever keeps it (queues, awaits, hands to a worker) copies it first. A message given to the transport is
 * GIVEN AWAY: the caller must not change it afterwards.
 */

/** How a call ended. `OK` only in trailers of a success. */
export interface WireStatus {
  readonly code: StatusCode;
  readonly message: string;
  readonly trailers?: Metadata;
}

/** Who is on the other side, as far as the transport can prove it. */
export interface Peer {
  /** "ip:port", or "unix:path". */
  readonly address: string;
  readonly loopback: boolean;
  readonly secure: boolean;
  /** Of the verified client certificate: "uri:...", "dns:...", "cn:..."; empty without mutual TLS. */
  readonly identities: readonly string[];
}

export interface ServerCall {
  /** "/package.Service/Method" */
  readonly path: string;
  readonly metadata: Metadata;
  readonly peer: Peer;
  /** On the Clock's monotonic scale (Clock.nowMs()); Infinity when the client set none. */
  readonly deadlineMs: number;
  readonly cancelled: boolean;
  /** Called at most once: the client cancelled, its deadline passed or its connection died. At once if it already happened. Not after the call ended normally. */
  onCancel(listener: () => void): void;
  /** Initial response metadata; only before the first message. That of a unary call may leave with its reply, not at once. */
  sendHeaders(metadata: Metadata): void;
}

export interface UnaryCall extends ServerCall {
  /** Exactly one of reply and fail, once; later calls and calls after a cancel are ignored. */
  reply(message: Buffer, trailers?: Metadata): void;
  fail(status: WireStatus): void;
}

export interface StreamCall extends ServerCall {
  onMessage(listener: (message: Buffer) => void): void;
  /**
   * The client half-closed: no more messages will come. Never after a cancel, but a cancel may follow at once: Node's
   * HTTP/2 client ends its side of a stream (END_STREAM) just before it resets it.
   */
  onEnd(listener: () => void): void;
  /** False asks the caller to wait for onDrain before it writes more. */
  write(message: Buffer): boolean;
  onDrain(listener: () => void): void;
  end(trailers?: Metadata): void;
  fail(status: WireStatus): void;
  /** Stops and restarts onMessage: back-pressure to the client. */
  pause(): void;
  resume(): void;
}

export type MethodHandler =
  | { readonly kind: 'unary'; readonly path: string; readonly handle: (message: Buffer, call: UnaryCall) => void }
  /** Covers client, server and bidirectional streaming. */
  | { readonly kind: 'stream'; readonly path: string; readonly handle: (call: StreamCall) => void };

export interface TlsServerFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Given: clients must present a certificate that this authority signed (mutual TLS). */
  readonly clientAuthorityFile?: string;
}

/** Finds dead peers. */
export interface KeepaliveOptions {
  /** A PING when nothing was heard for so long. */
  readonly timeMs: number;
  /** And the connection is lost when nothing is heard for so long after it. */
  readonly timeoutMs: number;
  /** Also while no call runs. Servers of other makers answer that with "too many pings". */
  readonly withoutCalls: boolean;
}

/** What servers and channels have in common. Of these grpc-js takes maxMessageBytes and keepalive; the rest is checked and has no effect there. */
export interface TransportOptions {
  /** Both ways; a larger message fails its call with RESOURCE_EXHAUSTED. Default 64 MiB. */
  readonly maxMessageBytes?: number;
  /**
   * What is sent is compressed with gzip where that makes it smaller: requests always, replies to clients that take it. Default false: tensors hardly
   * get smaller. Messages of streams are compressed up to 64 KiB: see compressNow.
   */
  readonly compress?: boolean;
  readonly keepalive?: KeepaliveOptions;
  /** TCP (channels), TLS and the first SETTINGS must each be there so soon. Default 10 s. */
  readonly handshakeTimeoutMs?: number;
  /** See PeerLimits for the defaults. grpc-js has limits of its own and no settings for them. */
  readonly limits?: Partial<PeerLimits>;
}

export interface ServerOptions extends TransportOptions {
  readonly tls?: TlsServerFiles;
  /** Per connection; default 1024. */
  readonly maxConcurrentStreams?: number;
  /** Further ones are closed at once. Default 10,000; grpc-js: no limit. */
  readonly maxConnections?: number;
  /** After about this long (10 % jitter) a connection is ended in order, so that load spreads over new replicas. Default: never. */
  readonly maxConnectionAgeMs?: number;
  /** Calls that run then may go on for so long. Default 30 s. */
  readonly maxConnectionAgeGraceMs?: number;
}

export interface WireServer {
  /** Before listen. Throws on a path registered twice. */
  register(method: MethodHandler): void;
  /** Resolves with the port in use; rejects with an error whose `code` is EADDRINUSE when it is taken. */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }>;
  /**
   * Called once when a drain begins: for streams that would otherwise stay open as long as their client likes, such as
   * health watches.
   */
  onDrain(listener: () => void): void;
  /**
   * Stops accepting (GOAWAY), lets running calls finish for at most `graceMs`, then cancels what is left. A second call waits
   * for the first, whose grace counts.
   */
  drain(graceMs: number): Promise<void>;
}

export interface TlsClientFiles {
  /** Absent: the system's authorities. */
  readonly authorityFile?: string;
  readonly certificateFile?: string;
  readonly keyFile?: string;
  /** Overrides the name that the server's certificate must carry. */
  readonly serverName?: string;
}

export interface ChannelOptions extends TransportOptions {
  readonly tls?: TlsClientFiles;
}

export interface CallOptions {
  readonly metadata?: Metadata;
  /** On the Clock's monotonic scale; sent as grpc-timeout, enforced here as well. */
  readonly deadlineMs?: number;
  /** The caller cancels the call at its deadline, so that the transport need not keep a timer for it: the server is told all the same. */
  readonly selfTimed?: boolean;
  readonly waitForReady?: boolean;
}

export type UnaryOutcome =
  | { readonly ok: true; readonly message: Buffer; readonly headers: Metadata; readonly trailers: Metadata }
  | {
      readonly ok: false;
      readonly status: WireStatus;
      readonly headers: Metadata;
      /** True when it is certain that the server's handler never saw the call, so that a retry is always safe. */
      readonly notProcessed: boolean;
    };

export interface ClientCall {
  cancel(): void;
}

export interface ClientStream extends ClientCall {
  /** False asks the caller to wait for the receiver's onDrain. */
  write(message: Buffer): boolean;
  end(): void;
  pause(): void;
  resume(): void;
}

export interface StreamReceiver {
  onHeaders?(metadata: Metadata): void;
  onMessage(message: Buffer): void;
  onDrain?(): void;
  /** Exactly once, last. Code OK when the server ended the stream normally. */
  onStatus(status: WireStatus): void;
}

/** idle: no connection wanted yet; connecting; ready; failing: backing off after a failed attempt; closed: by us, for good. */
export type ChannelState = 'idle' | 'connecting' | 'ready' | 'failing' | 'closed';

export interface Channel {
  /** `done` is called exactly once, never synchronously. */
  unary(path: string, message: Buffer, options: CallOptions, done: (outcome: UnaryOutcome) => void): ClientCall;
  stream(path: string, options: CallOptions, receiver: StreamReceiver): ClientStream;
  state(): ChannelState;
  /** Starts connecting if idle. */
  connect(): void;
  onState(listener: (state: ChannelState) => void): void;
  close(): void;
}

export interface Transport {
  createServer(options: ServerOptions): WireServer;
  /** Address "host:port", "[ipv6]:port" or "dns:///host:port". */
  openChannel(address: string, options: ChannelOptions): Channel;
  /** Sends what was written in this turn of the event loop; by itself that happens at its end, or at the next one's for what is written there. Absent: nothing is held back. */
  flush?(): void;
}
