import type { Duplex } from 'node:stream';
import type { Clock } from '@headrace/runtime';
import { defaultWindowBytes, errorCode, errorName, frameFlag, frameType, maxStreamId } from '../frames/constants.js';
import type { ErrorCode } from '../frames/constants.js';
import { ConnectionError } from '../frames/errors.js';
import { Output } from '../frames/output.js';
import { writeGoaway, writeHeaderBlock, writePing, writeRstStream, writeSettingsAck, writeWindowUpdate } from '../frames/frame-writer.js';
import { HpackEncoder } from '../hpack/index.js';
import type { HeaderFields } from '../hpack/index.js';
import { Allowance } from './allowance.js';
import type { HeldBudget, Holder } from './held-budget.js';
import type { ConnectionHost } from './host.js';
import { writeIntroduction } from './introduction.js';
import type { ConnectionLimits } from './limits.js';
import { Receiver } from './receiver.js';
import { SendQueue } from './send-queue.js';
import type { SendState } from './send-queue.js';
import { applySettings, defaultPeerSettings } from './settings.js';
import type { PeerSettings } from './settings.js';
import type { Stream, StreamLoss } from './stream.js';
import { StreamTable } from './stream-table.js';
import { Turns } from './turns.js';

export interface ConnectionOptions {
  readonly socket: Duplex;
  readonly isServer: boolean;
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  readonly host: ConnectionHost;
  /** For what is held for the peer. Absent on a client: what it sends is its callers', and what it asks for too. */
  readonly held?: HeldBudget;
}

/** The most DATA that one stream sends before another has its turn. */
const maxTurnBytes = 64 * 1024;
/** How long a peer may take to close after our GOAWAY(error) or the end of a drained connection, before the socket is destroyed. */
const lingerMs = 1_000;

/**
 * One HTTP/2 connection, either side (RFC 9113).
 *
 *     socket --chunk--> Receiver (rules, HPACK decoding) --> Stream.onHeaders, onData, ...
 *     Stream --> sendHeaders, sendData, reset --> HPACK encoding, windows, SendQueue --> Output --one write a turn--> socket
 *
 * Header blocks are encoded in the moment in which they are written: the order of blocks on the wire is the order of
 * changes to the HPACK table.
 */
export class Connection implements SendState, Holder {
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  readonly host: ConnectionHost;
  readonly isServer: boolean;
  readonly output: Output;
  readonly streams = new StreamTable();
  readonly peer: PeerSettings = defaultPeerSettings();
  readonly resets: Allowance;
  readonly idleFrames: Allowance;
  readonly #socket: Duplex;
  readonly #receiver: Receiver;
  readonly #turns: Turns;
  readonly #budget: HeldBudget | undefined;
  #headerBytes = 0;
  readonly #encoder = new HpackEncoder();
  readonly #queue: SendQueue;
  readonly #pings: (() => void)[] = [];
  #turnEnd: Stream[] = [];
  sendWindow = defaultWindowBytes;
  dataFramesSent = 0;
  /** Of the turn of the event loop that reads now: reading a clock for each frame would cost more than the frame. */
  nowMs: number;
  /** When the peer last sent anything. */
  heardMs: number;
  #nextId: number;
  #settingsAcksDue = 1;
  #goawaySent = false;
  #goawayReceived = false;
  #ending = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    const { socket, clock, limits } = options;
    this.clock = clock;
    this.limits = limits;
    this.host = options.host;
    this.isServer = options.isServer;
    this.nowMs = this.heardMs = clock.nowMs();
    this.resets = new Allowance(limits.resetBurst, limits.resetsPerS, this.nowMs);
    this.idleFrames = new Allowance(limits.idleFrameBurst, limits.idleFramesPerS, this.nowMs);
    this.#socket = socket;
    this.#nextId = this.isServer ? 2 : 1;
    this.#budget = options.held;
    this.output = new Output(socket, () => this.#queue.pump(), this.#budget);
    this.#queue = new SendQueue(this, this.#budget);
    this.#receiver = new Receiver(this);
    writeIntroduction(this.output, this.isServer, limits);
    this.#budget?.add(this);
    this.#turns = new Turns(socket, clock, (chunk, from, nowMs) => this.#read(chunk, from, nowMs));
    socket.on('end', () => this.#lost('the peer closed the connection'));
    socket.on('error', (error: Error) => this.#lost(error.message));
    socket.on('close', () => this.#lost('the connection was closed'));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Neither side has said goodbye: new streams may begin. */
  get open(): boolean {
    return !this.#closed && !this.#ending && !this.#goawaySent && !this.#goawayReceived;
  }

  /** A peer that takes frames of 16 MiB does not thereby make everything else wait behind one. */
  get maxSendFrameBytes(): number {
    return Math.min(this.peer.maxFrameBytes, maxTurnBytes);
  }

  /** The id that our next stream gets. */
  get nextOwnId(): number {
    return this.#nextId;
  }

  /** Bytes that wait for the peer: its windows or its reading. */
  get unsentBytes(): number {
    return this.#queue.queuedBytes + this.output.pendingBytes;
  }

  /** Holder: what is held for the peer, of which more is not counted than replies and header lists. */
  get heldBytes(): number {
    return this.unsentBytes + this.#headerBytes;
  }

  shed(message: string): void {
    this.fail(errorCode.enhanceYourCalm, message);
  }

  /** The peer owes us the rest of a preface, a frame or a header block. */
  get inFrame(): boolean {
    return this.#receiver.inFrame;
  }

  /** Others wait for their turn to be read. */
  get turnSpent(): boolean {
    return this.#turns.spent;
  }

  /** Grows whenever what the peer owed is complete: a busy peer is in the middle of a frame at most times, but of another one. */
  get completed(): number {
    return this.#receiver.completed;
  }

  // ---- sending ---------------------------------------------------------------------------------------------------------

  /** Gives a call of ours its id. Undefined when the ids are used up or the peer allows no more at the moment. */
  begin(stream: Stream): boolean {
    if (!this.open || this.#nextId > maxStreamId || this.streams.size >= this.peer.maxConcurrentStreams) return false;
    stream.id = this.#nextId;
    this.#nextId += 2;
    this.adopt(stream);
    return true;
  }

  /** A stream with an id becomes part of the connection. */
  adopt(stream: Stream): void {
    stream.connection = this;
    stream.sendWindow = this.peer.initialWindowBytes;
    stream.receiveWindow = this.#streamWindowNow;
    this.streams.add(stream);
  }

  /** The stream's header list is kept for as long as it is open. */
  holdHeaders(stream: Stream, listBytes: number): void {
    if (stream.closed || this.#budget === undefined) return;
    stream.headerBytes = listBytes;
    this.#headerBytes += listBytes;
    this.#budget.charge(listBytes);
  }

  /** `more` continues the same block: what is the same for many calls comes first, encoded once. */
  sendHeaders(stream: Stream, fields: HeaderFields, endStream: boolean, more?: HeaderFields): void {
    if (stream.closed || stream.localEnded) return;
    if (endStream && stream.queuedBytes > 0) {
      stream.queuedTrailers = fields;
      stream.localEnded = true;
      return;
    }
    this.#writeHeaders(stream.id, fields, endStream, more);
    if (endStream) this.#localEnd(stream);
  }

  /** One gRPC message or any other payload: `prefix` (may be empty) and `payload` as DATA. False: it waits, onSendRoom will be called. */
  sendData(stream: Stream, prefix: Buffer, payload: Buffer, endStream: boolean): boolean {
    if (stream.closed || stream.localEnded) return true;
    const bytes = prefix.length + payload.length;
    const atOnce =
      stream.queuedBytes === 0 &&
      bytes <= stream.sendWindow &&
      bytes <= this.sendWindow &&
      bytes <= this.maxSendFrameBytes &&
      this.#queue.idle &&
      !this.output.congested;
    if (atOnce || bytes === 0) {
      if (bytes === 0 && stream.queuedBytes > 0) {
        stream.endAfterQueue ||= endStream;
        // It ends when the queue has gone out, and not before.
        stream.localEnded ||= endStream;
        return true;
      } else {
        this.output.frameHeader(frameType.data, endStream ? frameFlag.endStream : 0, stream.id, bytes);
        if (prefix.length > 0) this.output.bytes(prefix);
        this.output.bytes(payload);
        stream.sendWindow -= bytes;
        this.sendWindow -= bytes;
        this.dataFramesSent++;
      }
      if (endStream) this.#localEnd(stream);
      return true;
    }
    if (this.isServer && this.unsentBytes > this.limits.maxUnsentBytes) {
      this.#tooMuchUnsent();
      return true;
    }
    // The caller uses its five bytes again for the next message.
    this.#queue.push(stream, Buffer.from(prefix));
    this.#queue.push(stream, payload);
    if (endStream) {
      stream.endAfterQueue = true;
      stream.localEnded = true;
    }
    this.#queue.ready(stream);
    this.#queue.pump();
    return stream.queuedBytes === 0;
  }

  /** RST_STREAM; the stream is over. Its owner knows, and is not told. */
  reset(stream: Stream, code: ErrorCode): void {
    if (stream.closed) return;
    writeRstStream(this.output, stream.id, code);
    this.#forget(stream, 'us');
  }

  /** For a stream that was never opened, or is no more. */
  resetId(id: number, code: ErrorCode): void {
    writeRstStream(this.output, id, code);
    this.streams.remember(id, 'us');
  }

  /** Handlers have taken so many bytes of the stream: the peer may send as many again. */
  consumed(stream: Stream, bytes: number): void {
    stream.unreturnedBytes += bytes;
    if (stream.remoteEnded || stream.closed || stream.unreturnedBytes * 2 < this.limits.streamWindowBytes) return;
    writeWindowUpdate(this.output, stream.id, stream.unreturnedBytes);
    stream.receiveWindow += stream.unreturnedBytes;
    stream.unreturnedBytes = 0;
  }

  /** The stream holds a view of the chunk that is being read: its onTurnEnd comes before the chunk may be overwritten. */
  atTurnEnd(stream: Stream): void {
    this.#turnEnd.push(stream);
  }

  /** `answered` is called when the peer has echoed it. */
  ping(answered: () => void): void {
    if (this.#closed) return;
    this.#pings.push(answered);
    writePing(this.output, pingBytes, false);
  }

  // ---- the end ---------------------------------------------------------------------------------------------------------

  /**
   * Announces that no further streams are taken. `later`: the peer may still send some until it has seen this, and goaway(false)
   * follows (RFC 9113, section 6.8); without it streams above the last seen are ignored from now on.
   */
  goaway(later: boolean, message = ''): void {
    if (this.#closed || this.#ending) return;
    this.#receiver.refuseNew ||= !later;
    this.#goawaySent = true;
    writeGoaway(this.output, later ? maxStreamId : this.#receiver.lastPeerId, errorCode.noError, message);
    if (!later) this.#endIfDone();
  }

  /** The peer broke a rule that concerns the whole connection, or must be gone now. */
  fail(code: ErrorCode, message: string): void {
    this.#fail(code, message, undefined);
  }

  destroy(message: string): void {
    this.#lost(message);
    this.#socket.destroy();
  }

  // ---- what Receiver found --------------------------------------------------------------------------------------------

  onSettings(bytes: Buffer, start: number, end: number): void {
    const before = this.peer.initialWindowBytes;
    applySettings(this.peer, bytes, start, end, !this.isServer, (size) => this.#encoder.setPeerTableBytes(size));
    const change = this.peer.initialWindowBytes - before;
    if (change !== 0) this.streams.moveSendWindows(change, (stream) => this.#queue.ready(stream));
    writeSettingsAck(this.output);
    this.#queue.pump();
    this.host.onRoom();
  }

  onSettingsAck(): void {
    if (this.#settingsAcksDue === 0) throw new ConnectionError(errorCode.protocolError, 'SETTINGS: an acknowledgement of nothing');
    const before = this.#streamWindowNow;
    this.#settingsAcksDue--;
    for (const stream of this.streams.values()) stream.receiveWindow -= before - this.#streamWindowNow;
  }

  /** PINGs of ours that the peer has not answered. */
  get pingsDue(): number {
    return this.#pings.length;
  }

  onPing(bytes: Buffer, start: number, ack: boolean): void {
    if (ack) this.#pings.shift()?.();
    else writePing(this.output, bytes.subarray(start, start + 8), true);
  }

  /** False when the window would grow over what the RFC allows. */
  onWindow(stream: Stream | undefined, increment: number): boolean {
    const window = (stream?.sendWindow ?? this.sendWindow) + increment;
    if (window > 0x7fffffff) return false;
    if (stream === undefined) this.sendWindow = window;
    else {
      stream.sendWindow = window;
      if (stream.queuedBytes > 0) this.#queue.ready(stream);
    }
    this.#queue.pump();
    return true;
  }

  onGoaway(lastStreamId: number, code: number, message: string): void {
    this.#goawayReceived = true;
    for (const stream of this.streams.values()) {
      if (stream.id > lastStreamId && stream.id % 2 === (this.isServer ? 0 : 1)) {
        this.#forget(stream, 'peer');
        stream.onLost({ kind: 'connection', message: `the peer goes away${message === '' ? '' : `: ${message}`}`, refused: true });
      }
    }
    this.host.onGoaway(code, message);
    this.#endIfDone();
  }

  /** The peer is done with the stream. */
  remoteEnd(stream: Stream): void {
    stream.remoteEnded = true;
    if (stream.localEnded && stream.queuedBytes === 0 && stream.queuedTrailers === undefined) this.#forget(stream, 'peer');
  }

  /** Over by RST_STREAM from the peer, or because it broke a rule on the stream. */
  lose(stream: Stream, loss: StreamLoss): void {
    if (stream.closed) return;
    this.#forget(stream, loss.kind === 'reset' ? 'peer' : 'us');
    stream.onLost(loss);
  }

  /** We end a stream that takes too long. */
  giveUp(stream: Stream, message: string): void {
    writeRstStream(this.output, stream.id, errorCode.cancel);
    this.lose(stream, { kind: 'violation', code: errorCode.cancel, message });
  }

  /** SendState: all that was queued for the stream is out. */
  queueSent(stream: Stream): void {
    const trailers = stream.queuedTrailers;
    if (trailers !== undefined) {
      stream.queuedTrailers = undefined;
      this.#writeHeaders(stream.id, trailers, true);
    }
    if (stream.localEnded) this.#localEnd(stream);
    else stream.onSendRoom();
  }

  // ---- inside ----------------------------------------------------------------------------------------------------------

  #read(chunk: Buffer, from: number, nowMs: number): number {
    this.nowMs = this.heardMs = nowMs;
    let at = chunk.length;
    try {
      at = this.#receiver.read(chunk, from);
    } catch (error) {
      if (error instanceof ConnectionError) this.fail(error.code, error.message);
      // A defect of ours costs the connection that found it, and not the process with all the others.
      else this.#fail(errorCode.internalError, 'internal error', error);
    }
    if (this.#turnEnd.length > 0) {
      const held = this.#turnEnd;
      this.#turnEnd = [];
      for (const stream of held) stream.onTurnEnd();
    }
    if (this.output.pendingBytes > this.limits.maxUnsentBytes) this.#tooMuchUnsent();
    return at;
  }

  #writeHeaders(id: number, fields: HeaderFields, endStream: boolean, more?: HeaderFields): void {
    const { output } = this;
    writeHeaderBlock(output, id, this.#encoder.encode(fields, more), endStream, this.peer.maxFrameBytes);
  }

  #localEnd(stream: Stream): void {
    stream.localEnded = true;
    if (stream.closed) return;
    if (stream.remoteEnded) return this.#forget(stream, 'peer');
    // A server that has answered does not want the rest of the request (RFC 9113, section 8.1).
    if (this.isServer) {
      writeRstStream(this.output, stream.id, errorCode.noError);
      this.#forget(stream, 'us');
    }
  }

  #fail(code: ErrorCode, message: string, defect: unknown): void {
    if (this.#closed) return;
    writeGoaway(this.output, this.#receiver.lastPeerId, code, message);
    this.output.end();
    this.#lost(`${errorName(code)}: ${message}`, code === errorCode.noError, defect);
  }

  /** Until it has seen our SETTINGS the peer may send what HTTP/2 begins with, also where our window is smaller (RFC 9113, section 6.9.2). */
  get #streamWindowNow(): number {
    const { streamWindowBytes } = this.limits;
    return this.#settingsAcksDue > 0 ? Math.max(streamWindowBytes, defaultWindowBytes) : streamWindowBytes;
  }

  #releaseHeld(stream: Stream): void {
    if (stream.headerBytes > 0) {
      this.#headerBytes -= stream.headerBytes;
      this.#budget?.give(stream.headerBytes);
      stream.headerBytes = 0;
    }
    if (stream.queuedBytes > 0 || stream.queuedTrailers !== undefined) this.#queue.discard(stream);
  }

  #forget(stream: Stream, by: 'us' | 'peer'): void {
    if (stream.closed) return;
    stream.closed = true;
    // A call that both sides ended earns back a reset: callers that give up are a share of honest traffic, and grow with it.
    if (stream.remoteEnded && stream.localEnded) this.resets.give();
    this.streams.close(stream.id, by);
    this.#releaseHeld(stream);
    this.host.onRoom();
    if (this.#goawaySent || this.#goawayReceived) this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#ending || this.streams.size > 0 || !(this.#receiver.refuseNew || this.#goawayReceived)) return;
    this.#ending = true;
    if (this.#goawayReceived && !this.#goawaySent) writeGoaway(this.output, this.#receiver.lastPeerId, errorCode.noError, '');
    this.output.end();
    this.clock.setTimer(() => this.#lost('the connection has ended', true), lingerMs);
  }

  #tooMuchUnsent(): void {
    this.fail(errorCode.enhanceYourCalm, `more than ${this.limits.maxUnsentBytes} bytes wait for a peer that does not read`);
  }

  #lost(message: string, clean = this.#ending, defect?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#turns.stop();
    this.#budget?.remove(this);
    for (const stream of this.streams.values()) {
      stream.closed = true;
      this.streams.close(stream.id, 'us');
      this.#releaseHeld(stream);
      stream.onLost({ kind: 'connection', message, refused: false });
    }
    for (const stream of this.#turnEnd.splice(0)) stream.onTurnEnd();
    if (this.#socket.destroyed) this.output.close();
    else {
      // What is still to be said, a GOAWAY, gets its chance.
      this.output.end();
      const timer = this.clock.setTimer(() => this.#socket.destroy(), lingerMs);
      this.#socket.once('close', () => timer.cancel());
    }
    this.host.onClosed(message, clean, defect);
  }
}

const pingBytes = Buffer.from('headrace', 'latin1');
