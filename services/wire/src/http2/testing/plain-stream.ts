import { Connection } from '../connection/connection.js';
import type { HeldBudget } from '../connection/held-budget.js';
import type { ConnectionHost } from '../connection/host.js';
import { defaultLimits } from '../connection/limits.js';
import type { ConnectionLimits } from '../connection/limits.js';
import { Stream } from '../connection/stream.js';
import type { StreamLoss } from '../connection/stream.js';
import { FrameReader } from '../frames/frame-reader.js';
import { FakeClock } from '@headrace/runtime/testing';
import { preface, rawSettings } from '../../testing/raw-frames.js';
import type { RawFrame } from '../../testing/raw-frames.js';
import type { HeaderFields } from '../hpack/index.js';
import { HeldSocket, turn } from './held-socket.js';

/** A stream that writes down what it hears. */
export class PlainStream extends Stream {
  readonly lists: HeaderFields[] = [];
  readonly losses: StreamLoss[] = [];
  payloadBytes = 0;
  mayWait = false;
  ended = false;
  rooms = 0;
  awaitsBytes = false;
  onEach: (bytes: number) => void = () => {};
  onRoom: () => void = () => {};

  constructor(id = 0) {
    super();
    this.id = id;
  }

  override get mayStall(): boolean {
    return this.mayWait;
  }

  onHeaders(fields: HeaderFields, endStream: boolean): void {
    this.lists.push(fields);
    this.ended ||= endStream;
  }

  onData(_bytes: Buffer, start: number, end: number, endStream: boolean): void {
    this.payloadBytes += end - start;
    this.ended ||= endStream;
    this.onEach(end - start);
  }

  onTurnEnd(): void {
    // Holds no views.
  }

  onSendRoom(): void {
    this.rooms++;
    this.onRoom();
  }

  onLost(loss: StreamLoss): void {
    this.losses.push(loss);
  }
}

/** One side of a connection without a network: bytes go in by hand, frames come out, time stands still. */
export class Bench implements ConnectionHost {
  readonly clock = new FakeClock();
  readonly socket = new HeldSocket();
  readonly connection: Connection;
  readonly opened: PlainStream[] = [];
  /** The header lists of all of them. */
  readonly requests: HeaderFields[] = [];
  readonly closes: { readonly message: string; readonly clean: boolean; readonly defect: unknown }[] = [];
  rooms = 0;
  onOpened: (stream: PlainStream) => void = () => {};
  onRoomNow: () => void = () => {};
  #read = 0;

  constructor(limits: Partial<ConnectionLimits> = {}, isServer = true, held?: HeldBudget) {
    this.connection = new Connection({
      socket: this.socket,
      isServer,
      limits: { ...defaultLimits, ...limits },
      clock: this.clock,
      host: this,
      ...(held === undefined ? {} : { held }),
    });
  }

  /** A server whose client has said its preface and these SETTINGS. */
  static async server(
    limits: Partial<ConnectionLimits> = {},
    ...settings: readonly (readonly [id: number, value: number])[]
  ): Promise<Bench> {
    const bench = new Bench(limits);
    await bench.feed(preface, rawSettings(...settings));
    await bench.frames();
    return bench;
  }

  /** As if the peer had sent it; everything that follows from it has happened after. */
  async feed(...parts: readonly Uint8Array[]): Promise<void> {
    this.socket.push(Buffer.concat(parts));
    await turn();
  }

  /** What was sent since the last time. */
  async frames(): Promise<RawFrame[]> {
    this.connection.output.flush();
    await turn();
    const frames: RawFrame[] = [];
    const { bytes } = this.socket;
    const isPreface = this.#read === 0 && !this.connection.isServer;
    const reader = new FrameReader(
      {
        onFrame: (type, flags, streamId, from, start, end) =>
          void frames.push({ type, flags, streamId, payload: Buffer.from(from.subarray(start, end)) }),
      },
      16_777_215,
    );
    reader.read(bytes, isPreface ? preface.length : this.#read);
    this.#read = bytes.length;
    return frames;
  }

  open(id: number, fields: HeaderFields, endStream: boolean): Stream {
    const stream = new PlainStream(id);
    this.connection.adopt(stream);
    if (endStream) this.connection.remoteEnd(stream);
    this.opened.push(stream);
    this.requests.push(fields);
    this.onOpened(stream);
    return stream;
  }

  onReady(): void {
    // Tests look at what is sent.
  }

  onRoom(): void {
    this.rooms++;
    this.onRoomNow();
  }

  onGoaway(): void {
    // Tests look at what is sent.
  }

  onClosed(message: string, clean: boolean, defect: unknown): void {
    this.closes.push({ message, clean, defect });
  }
}
