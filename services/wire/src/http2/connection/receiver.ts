import { clientPreface, defaultWindowBytes, errorCode, frameFlag, frameType } from '../frames/constants.js';
import type { ErrorCode } from '../frames/constants.js';
import { ConnectionError, StreamError } from '../frames/errors.js';
import { FrameReader } from '../frames/frame-reader.js';
import type { FrameSink } from '../frames/frame-reader.js';
import { writeWindowUpdate } from '../frames/frame-writer.js';
import { HeaderBlock } from '../frames/header-block.js';
import { HpackDecoder, HpackError } from '../hpack/index.js';
import type { DecodedBlock } from '../hpack/index.js';
import type { Connection } from './connection.js';
import type { Stream } from './stream.js';

/** As Envoy's max_inbound_window_update_frames_per_data_frame_sent. */
const windowUpdatesEach = 10;
/** A clock is looked at behind so many frames: each would cost as much as the smallest of them. */
const framesEachLook = 32;

/** What the peer sends, held against the rules of RFC 9113. Throws ConnectionError; a rule of one stream resets that stream. */
export class Receiver implements FrameSink {
  readonly #connection: Connection;
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  readonly #block: HeaderBlock;
  /** Of the client's preface, as far as it has come; server only. */
  #prefaceRead: number;
  #settingsSeen = false;
  #receiveWindow: number;
  #unreturnedBytes = 0;
  /** The highest stream that the peer began. */
  #seenPeerId = 0;
  /** Our DATA frames up to the last PING. */
  #dataFramesAtPing = 0;
  #windowUpdates = 0;
  #framesToLook = framesEachLook;
  /** Frames, header blocks as a whole. */
  completed = 0;
  /** The highest stream that was looked at: what a GOAWAY says. Streams that were ignored after one are not in it (RFC 9113, section 6.8). */
  lastPeerId = 0;
  /** Streams that begin from now on are ignored: a GOAWAY told the peer. */
  refuseNew = false;

  constructor(connection: Connection) {
    const { limits, isServer } = connection;
    this.#connection = connection;
    this.#reader = new FrameReader(this, limits.maxFrameBytes);
    this.#decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: limits.maxHeaderListBytes, maxFields: limits.maxHeaderFields });
    this.#block = new HeaderBlock(limits.maxHeaderBlockBytes, limits.maxContinuations);
    this.#prefaceRead = isServer ? 0 : clientPreface.length;
    this.#receiveWindow = Math.max(limits.connectionWindowBytes, defaultWindowBytes);
  }

  get inFrame(): boolean {
    return this.#reader.inFrame || this.#block.open || !this.#settingsSeen;
  }

  /** From an offset on; answers how far it came. */
  read(chunk: Buffer, start: number): number {
    let from = start;
    if (this.#prefaceRead < clientPreface.length) {
      from = Math.min(chunk.length, clientPreface.length - this.#prefaceRead);
      if (clientPreface.compare(chunk, 0, from, this.#prefaceRead, this.#prefaceRead + from) !== 0) {
        throw new ConnectionError(
          errorCode.protocolError,
          'connection preface: expected HTTP/2 (a client that speaks HTTP/1.1, or TLS to a cleartext port?)',
        );
      }
      this.#prefaceRead += from;
    }
    return this.#reader.read(chunk, from);
  }

  pauses(): boolean {
    if (--this.#framesToLook > 0) return false;
    this.#framesToLook = framesEachLook;
    return this.#connection.turnSpent;
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number, lasting: boolean): void {
    if (this.#connection.closed) return;
    if (!this.#block.open) this.completed++;
    if (!this.#settingsSeen && (type !== frameType.settings || (flags & frameFlag.ack) !== 0)) {
      throw new ConnectionError(errorCode.protocolError, 'the first frame: expected SETTINGS');
    }
    if (this.#block.open && (type !== frameType.continuation || streamId !== this.#block.streamId)) {
      throw new ConnectionError(errorCode.protocolError, `header block of stream ${this.#block.streamId}: expected CONTINUATION`);
    }
    try {
      switch (type) {
        case frameType.data:
          return this.#onData(flags, streamId, bytes, start, end, lasting);
        case frameType.headers:
          return this.#onHeaders(flags, streamId, bytes, start, end);
        case frameType.continuation:
          return this.#onContinuation(flags, bytes, start, end);
        case frameType.windowUpdate:
          return this.#onWindowUpdate(streamId, bytes, start, end);
        case frameType.rstStream:
          return this.#onRstStream(streamId, bytes, start, end);
        case frameType.settings:
          return this.#onSettings(flags, streamId, bytes, start, end);
        case frameType.ping:
          return this.#onPing(flags, streamId, bytes, start, end);
        case frameType.goaway:
          return this.#onGoaway(streamId, bytes, start, end);
        case frameType.priority:
          return this.#onPriority(streamId, bytes, start, end);
        case frameType.pushPromise:
          throw new ConnectionError(errorCode.protocolError, 'PUSH_PROMISE: push is switched off');
        default:
          // Unknown types are ignored (RFC 9113, section 4.1), in moderation.
          this.#idle('frames of unknown type');
      }
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#violated(error.streamId, error.code, error.message);
    }
  }

  // ---- DATA ------------------------------------------------------------------------------------------------------------

  #onData(flags: number, streamId: number, bytes: Buffer, start: number, end: number, lasting: boolean): void {
    if (streamId === 0) throw new ConnectionError(errorCode.protocolError, 'DATA: expected a stream, got stream 0');
    const size = end - start;
    // Padding counts against the windows too (RFC 9113, section 6.1), and so does DATA that nobody wants any more.
    this.#countConnection(size);
    const endStream = (flags & frameFlag.endStream) !== 0;
    const stream = this.#connection.streams.get(streamId);
    if (size === 0 && (!endStream || stream === undefined)) this.#idle('empty DATA frames');
    if (stream === undefined) return this.#afterEnd(streamId, 'DATA');
    if (size > stream.receiveWindow) throw new StreamError(streamId, errorCode.flowControlError, 'DATA: more than the window allows');
    stream.receiveWindow -= size;
    if (stream.remoteEnded) throw new StreamError(streamId, errorCode.streamClosed, 'DATA: the stream has ended');
    let from = start;
    let to = end;
    if ((flags & frameFlag.padded) !== 0) {
      [from, to] = unpad('DATA', bytes, start, end);
      if (from === to && !endStream) this.#idle('empty DATA frames');
      this.#connection.consumed(stream, size - (to - from));
    }
    stream.receivedBytes += size;
    if (stream.promisedBytes >= 0) countPromised(stream, to - from, endStream);
    if (endStream) this.#connection.remoteEnd(stream);
    stream.onData(bytes, from, to, endStream, lasting);
  }

  /** The connection's window reopens as bytes arrive: a handler that reads slowly holds up its own stream, and no other. */
  #countConnection(bytes: number): void {
    this.#receiveWindow -= bytes;
    if (this.#receiveWindow < 0)
      throw new ConnectionError(errorCode.flowControlError, 'DATA: more than the window of the connection allows');
    this.#unreturnedBytes += bytes;
    if (this.#unreturnedBytes * 2 < this.#connection.limits.connectionWindowBytes) return;
    writeWindowUpdate(this.#connection.output, 0, this.#unreturnedBytes);
    this.#receiveWindow += this.#unreturnedBytes;
    this.#unreturnedBytes = 0;
  }

  // ---- HEADERS, CONTINUATION -------------------------------------------------------------------------------------------

  #onHeaders(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw new ConnectionError(errorCode.protocolError, 'HEADERS: expected a stream, got stream 0');
    let from = start;
    let to = end;
    if ((flags & frameFlag.padded) !== 0) [from, to] = unpad('HEADERS', bytes, from, to);
    let dependsOnItself = false;
    if ((flags & frameFlag.priority) !== 0) {
      if (to - from < 5) throw new ConnectionError(errorCode.frameSizeError, 'HEADERS: too short for its priority');
      dependsOnItself = dependencyAt(bytes, from) === streamId;
      from += 5;
    }
    const endStream = (flags & frameFlag.endStream) !== 0;
    if ((flags & frameFlag.endHeaders) === 0) {
      this.#block.begin(streamId, endStream, bytes, from, to);
      return;
    }
    this.#onBlock(streamId, endStream, bytes, from, to, dependsOnItself);
  }

  #onContinuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const { streamId, endStream } = this.#block;
    if (!this.#block.open) throw new ConnectionError(errorCode.protocolError, 'CONTINUATION: no header block is open');
    if (start === end) this.#idle('empty CONTINUATION frames');
    this.#block.add(bytes, start, end);
    if ((flags & frameFlag.endHeaders) === 0) return;
    const block = this.#block.take();
    this.completed++;
    // A block of many frames takes as long as many frames.
    this.#framesToLook = 1;
    this.#onBlock(streamId, endStream, block, 0, block.length, false);
  }

  /** Decoded whatever becomes of it: a block that is skipped leaves the HPACK table different from the peer's. */
  #onBlock(streamId: number, endStream: boolean, bytes: Buffer, start: number, end: number, dependsOnItself: boolean): void {
    const { fields, tooLarge, listBytes } = this.#decode(bytes, start, end);
    const connection = this.#connection;
    const stream = connection.streams.get(streamId);
    if (dependsOnItself && stream !== undefined)
      throw new StreamError(streamId, errorCode.protocolError, 'priority: the stream depends on itself');
    if (stream !== undefined) {
      if (stream.remoteEnded) throw new StreamError(streamId, errorCode.streamClosed, 'HEADERS: the stream has ended');
      if (endStream && stream.promisedBytes >= 0) countPromised(stream, 0, true);
      if (endStream) connection.remoteEnd(stream);
      else if (connection.isServer) throw new StreamError(streamId, errorCode.protocolError, 'trailers: expected END_STREAM');
      stream.onHeaders(fields, endStream, tooLarge);
      return;
    }
    if (!this.#isNew(streamId)) return;
    this.#seenPeerId = streamId;
    // Few bytes can stand for half a GiB (HPACK bomb): it costs what a reset costs.
    if (tooLarge) this.#countReset();
    if (this.refuseNew) return;
    this.lastPeerId = streamId;
    if (dependsOnItself) {
      connection.streams.remember(streamId, 'us');
      throw new StreamError(streamId, errorCode.protocolError, 'priority: the stream depends on itself');
    }
    if (connection.streams.size >= connection.limits.maxConcurrentStreams) {
      this.#countReset();
      connection.resetId(streamId, errorCode.refusedStream);
      return;
    }
    const opened = connection.host.open(streamId, fields, endStream, tooLarge);
    if (opened !== undefined) connection.holdHeaders(opened, listBytes);
    if (opened === undefined && connection.streams.closedBy(streamId) === undefined) connection.streams.remember(streamId, 'us');
  }

  #decode(bytes: Buffer, start: number, end: number): DecodedBlock {
    try {
      return this.#decoder.decode(bytes, start, end);
    } catch (error) {
      if (error instanceof HpackError) throw new ConnectionError(errorCode.compressionError, error.message);
      throw error;
    }
  }

  /** True for a stream that the peer may begin now. */
  #isNew(streamId: number): boolean {
    const { isServer, streams } = this.#connection;
    if (isServer && streamId % 2 === 1 && streamId > this.#seenPeerId) return true;
    const closedBy = streams.closedBy(streamId);
    // On its way when we reset the stream.
    if (closedBy === 'us') {
      this.#idle('HEADERS of closed streams');
      return false;
    }
    if (closedBy === 'peer') throw new ConnectionError(errorCode.streamClosed, `HEADERS: stream ${streamId} is closed`);
    if (!isServer && !this.#isIdle(streamId)) return false;
    throw new ConnectionError(errorCode.protocolError, `HEADERS: stream ${streamId} cannot be begun by the peer now`);
  }

  // ---- the other frames ------------------------------------------------------------------------------------------------

  #onWindowUpdate(streamId: number, bytes: Buffer, start: number, end: number): void {
    expectSize('WINDOW_UPDATE', 4, start, end);
    this.#countWindowUpdate();
    const increment = bytes.readUInt32BE(start) & 0x7fffffff;
    const stream = streamId === 0 ? undefined : this.#connection.streams.get(streamId);
    if (streamId !== 0 && stream === undefined) {
      if (this.#isIdle(streamId)) throw new ConnectionError(errorCode.protocolError, `WINDOW_UPDATE: stream ${streamId} is idle`);
      return;
    }
    if (increment === 0) {
      const message = 'WINDOW_UPDATE: expected an increment above 0';
      throw stream === undefined
        ? new ConnectionError(errorCode.protocolError, message)
        : new StreamError(streamId, errorCode.protocolError, message);
    }
    if (this.#connection.onWindow(stream, increment)) return;
    const message = 'WINDOW_UPDATE: the window would exceed 2^31-1 bytes';
    throw stream === undefined
      ? new ConnectionError(errorCode.flowControlError, message)
      : new StreamError(streamId, errorCode.flowControlError, message);
  }

  #onRstStream(streamId: number, bytes: Buffer, start: number, end: number): void {
    expectSize('RST_STREAM', 4, start, end);
    if (streamId === 0) throw new ConnectionError(errorCode.protocolError, 'RST_STREAM: expected a stream, got stream 0');
    if (this.#isIdle(streamId)) throw new ConnectionError(errorCode.protocolError, `RST_STREAM: stream ${streamId} is idle`);
    const { streams } = this.#connection;
    const stream = streams.get(streamId);
    if (stream === undefined) {
      // Both may end a stream at the same time: answering our RST_STREAM once with another is no mischief.
      if (streams.closedBy(streamId) === 'us') streams.remember(streamId, 'peer');
      else this.#idle('RST_STREAM frames of closed streams');
      return;
    }
    if (this.#connection.isServer) this.#countReset();
    this.#connection.lose(stream, { kind: 'reset', code: bytes.readUInt32BE(start) });
  }

  #onSettings(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw new ConnectionError(errorCode.protocolError, `SETTINGS: expected stream 0, got ${streamId}`);
    if ((flags & frameFlag.ack) !== 0) {
      expectSize('SETTINGS acknowledgement', 0, start, end);
      return this.#connection.onSettingsAck();
    }
    if ((end - start) % 6 !== 0) throw new ConnectionError(errorCode.frameSizeError, 'SETTINGS: expected pairs of 6 bytes');
    const first = !this.#settingsSeen;
    this.#settingsSeen = true;
    if (!first) this.#idle('SETTINGS frames');
    this.#connection.onSettings(bytes, start, end);
    if (first) this.#connection.host.onReady();
  }

  #onPing(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw new ConnectionError(errorCode.protocolError, `PING: expected stream 0, got ${streamId}`);
    expectSize('PING', 8, start, end);
    const ack = (flags & frameFlag.ack) !== 0;
    if (ack ? this.#connection.pingsDue === 0 : !this.#measuresBandwidth()) this.#idle('PING frames');
    this.#connection.onPing(bytes, start, ack);
  }

  #onGoaway(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw new ConnectionError(errorCode.protocolError, `GOAWAY: expected stream 0, got ${streamId}`);
    if (end - start < 8) throw new ConnectionError(errorCode.frameSizeError, 'GOAWAY: expected at least 8 bytes');
    this.#idle('GOAWAY frames');
    const text = bytes.toString('utf8', start + 8, Math.min(end, start + 8 + 200));
    this.#connection.onGoaway(bytes.readUInt32BE(start) & 0x7fffffff, bytes.readUInt32BE(start + 4), text);
  }

  /** Priorities are ignored (RFC 9113, section 5.3.2), their form is not. */
  #onPriority(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw new ConnectionError(errorCode.protocolError, 'PRIORITY: expected a stream, got stream 0');
    this.#idle('PRIORITY frames');
    if (end - start !== 5) throw new StreamError(streamId, errorCode.frameSizeError, `PRIORITY: expected 5 bytes, got ${end - start}`);
    if (dependencyAt(bytes, start) === streamId)
      throw new StreamError(streamId, errorCode.protocolError, 'priority: the stream depends on itself');
  }

  // ---- rules -----------------------------------------------------------------------------------------------------------

  #isIdle(streamId: number): boolean {
    const { isServer } = this.#connection;
    const byPeer = (streamId % 2 === 1) === isServer;
    return byPeer ? streamId > this.#seenPeerId : streamId >= this.#connection.nextOwnId;
  }

  /** A frame for a stream that is no more. */
  #afterEnd(streamId: number, what: string): void {
    if (this.#isIdle(streamId)) throw new ConnectionError(errorCode.protocolError, `${what}: stream ${streamId} is idle`);
    // Ours was reset by us, or is above the GOAWAY: the peer did not know yet.
    if (this.#connection.streams.closedBy(streamId) !== 'peer') return;
    this.#countReset();
    this.#connection.resetId(streamId, errorCode.streamClosed);
  }

  #violated(streamId: number, code: ErrorCode, message: string): void {
    this.#countReset();
    const stream: Stream | undefined = this.#connection.streams.get(streamId);
    if (stream === undefined) return this.#connection.resetId(streamId, code);
    this.#connection.resetId(streamId, code);
    this.#connection.lose(stream, { kind: 'violation', code, message });
  }

  #countReset(): void {
    if (this.#connection.resets.take(this.#connection.nowMs)) return;
    throw new ConnectionError(errorCode.enhanceYourCalm, 'too many streams were reset or refused before they were answered');
  }

  /**
   * Some peers reopen the stream's and the connection's window for each DATA frame that they get, and set a stream's at its
   * begin: that is two or three each. What goes far beyond it does nothing for anybody.
   */
  #countWindowUpdate(): void {
    const { dataFramesSent, nextOwnId } = this.#connection;
    const reasons = dataFramesSent + (this.#seenPeerId + nextOwnId) / 2;
    if (++this.#windowUpdates > reasons * windowUpdatesEach) this.#idle('WINDOW_UPDATE frames');
  }

  /**
   * grpc-go and C core send a PING for DATA that they get, one at a time, to learn how large windows should be: one between two
   * DATA frames of ours is no flood, and saves up no right to more.
   */
  #measuresBandwidth(): boolean {
    const { dataFramesSent } = this.#connection;
    if (dataFramesSent === this.#dataFramesAtPing) return false;
    this.#dataFramesAtPing = dataFramesSent;
    return true;
  }

  #idle(what: string): void {
    if (this.#connection.idleFrames.take(this.#connection.nowMs)) return;
    throw new ConnectionError(errorCode.enhanceYourCalm, `too many ${what}`);
  }
}

function expectSize(what: string, size: number, start: number, end: number): void {
  if (end - start !== size) throw new ConnectionError(errorCode.frameSizeError, `${what}: expected ${size} bytes, got ${end - start}`);
}

function unpad(what: string, bytes: Buffer, start: number, end: number): [from: number, to: number] {
  if (start === end) throw new ConnectionError(errorCode.frameSizeError, `${what}: too short for its padding`);
  const padding = bytes[start] ?? 0;
  if (padding >= end - start)
    throw new ConnectionError(errorCode.protocolError, `${what}: padding of ${padding} bytes is longer than the frame`);
  return [start + 1, end - padding];
}

/** A body of another length than announced is malformed. */
function countPromised(stream: Stream, bytes: number, endStream: boolean): void {
  stream.promisedBytes -= bytes;
  if (stream.promisedBytes >= 0 && !(endStream && stream.promisedBytes > 0)) return;
  throw new StreamError(stream.id, errorCode.protocolError, 'DATA: another length than content-length');
}

function dependencyAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) & 0x7fffffff;
}
