import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { errorName, frameType, maxMaxFrameBytes } from '../http2/frames/constants.js';
import { FrameReader } from '../http2/frames/frame-reader.js';
import { HpackDecoder, HpackEncoder } from '../http2/hpack/index.js';
import type { HeaderFields } from '../http2/hpack/index.js';
import { preface, rawHeaders, rawSettings } from './raw-frames.js';
import type { RawFrame } from './raw-frames.js';

export interface RawGoaway {
  readonly lastStreamId: number;
  /** As the RFC writes it, e.g. "PROTOCOL_ERROR". */
  readonly code: string;
  readonly text: string;
}

/** Of frames in a flood only the count matters. */
const keptFrames = 50_000;
const methodFields = (path: string): HeaderFields => [
  ':method',
  'POST',
  ':scheme',
  'http',
  ':path',
  path,
  ':authority',
  'raw',
  'content-type',
  'application/grpc',
  'te',
  'trailers',
];

/** One end of an HTTP/2 connection that sends what a test tells it to, byte by byte, and writes down what comes. */
export class RawPeer {
  readonly socket: Socket;
  readonly frames: RawFrame[] = [];
  readonly encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 1 << 20, maxFields: 10_000 });
  readonly #counts = new Map<number, number>();
  readonly #lists = new Map<number, HeaderFields[]>();
  readonly #waiters = new Set<() => void>();
  #skip: number;
  closed = false;
  /** Each frame as it comes. */
  onFrame: (frame: RawFrame) => void = () => {};

  constructor(socket: Socket, isServer = false) {
    this.socket = socket;
    this.#skip = isServer ? preface.length : 0;
    const reader = new FrameReader(
      { onFrame: (type, flags, id, bytes, start, end) => this.#onFrame(type, flags, id, bytes, start, end) },
      maxMaxFrameBytes,
    );
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      const from = Math.min(this.#skip, chunk.length);
      this.#skip -= from;
      reader.read(chunk, from);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** A TCP connection, and nothing said yet. */
  static async connect(port: number): Promise<RawPeer> {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawPeer(socket);
  }

  /** With the client's preface and these SETTINGS said. */
  static async open(port: number, ...settings: readonly (readonly [id: number, value: number])[]): Promise<RawPeer> {
    const peer = await RawPeer.connect(port);
    peer.write(preface, rawSettings(...settings));
    return peer;
  }

  write(...parts: readonly Uint8Array[]): void {
    if (!this.socket.destroyed && this.socket.writable)
      this.socket.write(parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts));
  }

  /** Waits until the kernel has taken what was written: floods go out at the pace of the other side. */
  async written(): Promise<void> {
    await this.until(() => this.socket.writableLength === 0 || this.socket.destroyed, 1);
  }

  /** HEADERS of a POST that the encoder's table knows of. */
  request(streamId: number, path: string, endStream = false, more: HeaderFields = []): Buffer {
    return rawHeaders(streamId, this.block([...methodFields(path), ...more]), endStream);
  }

  block(fields: HeaderFields): Buffer {
    return Buffer.from(this.encoder.encode(fields));
  }

  count(type: number): number {
    return this.#counts.get(type) ?? 0;
  }

  of(type: number, streamId?: number): RawFrame[] {
    return this.frames.filter((frame) => frame.type === type && (streamId === undefined || frame.streamId === streamId));
  }

  /** The header lists of a stream, in order. */
  lists(streamId: number): HeaderFields[] {
    return this.#lists.get(streamId) ?? [];
  }

  /** The code of RST_STREAM for a stream, once it has come; "closed" when the connection went first. */
  async reset(streamId: number): Promise<string> {
    await this.until(() => this.of(frameType.rstStream, streamId).length > 0 || this.closed);
    const frame = this.of(frameType.rstStream, streamId)[0];
    return frame === undefined ? 'closed' : errorName(frame.payload.readUInt32BE(0));
  }

  /** The last GOAWAY, once the connection is closed. */
  async goaway(): Promise<RawGoaway | undefined> {
    await this.until(() => this.closed);
    const frame = this.of(frameType.goaway).at(-1);
    if (frame === undefined) return undefined;
    return {
      lastStreamId: frame.payload.readUInt32BE(0),
      code: errorName(frame.payload.readUInt32BE(4)),
      text: frame.payload.toString('utf8', 8),
    };
  }

  /** Waits for a state of this peer; `everyMs` where no event tells of it. The test's own timeout is the limit. */
  async until(holds: () => boolean, everyMs = 20): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#waiters.delete(done);
          resolve();
        };
        const timer = setTimeout(done, everyMs);
        this.#waiters.add(done);
      });
    }
  }

  destroy(): void {
    this.socket.destroy();
  }

  #onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const frame = { type, flags, streamId, payload: Buffer.from(bytes.subarray(start, end)) };
    this.#counts.set(type, this.count(type) + 1);
    if (this.frames.length < keptFrames || type === frameType.goaway) this.frames.push(frame);
    // Every block, or the table is lost.
    if (type === frameType.headers)
      this.#lists.set(streamId, [...this.lists(streamId), this.#decoder.decode(frame.payload, 0, frame.payload.length).fields]);
    this.onFrame(frame);
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}

/** Accepts connections for tests that play the server by hand. */
export class RawServer {
  readonly peers: RawPeer[] = [];
  readonly #server: Server;
  /** Each connection as it comes; its first frames are still to be read. */
  onPeer: (peer: RawPeer) => void = () => {};

  private constructor() {
    this.#server = createServer((socket) => {
      const peer = new RawPeer(socket, true);
      this.peers.push(peer);
      this.onPeer(peer);
    });
  }

  static async listen(): Promise<RawServer> {
    const made = new RawServer();
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    for (const peer of this.peers) peer.destroy();
  }
}
