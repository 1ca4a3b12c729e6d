import type { MessageEncoding } from './encoding.js';
import { HeldBytes } from './held-bytes.js';
import type { ReceiveBudget } from './held-bytes.js';
import { messagePrefixBytes } from './message-writer.js';

export type { ReceiveBudget } from './held-bytes.js';

export interface MessageReaderOptions {
  /** A message that announces more is not stored. */
  readonly maxMessageBytes: number;
  /** grpc-encoding: with identity no message may be marked as compressed. */
  readonly encoding: MessageEncoding;
  readonly budget: ReceiveBudget;
}

/** Who takes the messages of one direction of a stream. After any other of these nothing more is called. */
export interface MessageSink {
  /** `message` is BORROWED: valid until this returns. May call pause, resume, end and release. Should it throw, push or resume throws the same, and nothing more is delivered. */
  onMessage(message: Buffer, compressed: boolean): void;
  /** After end(), once every message was delivered: the place to act on a half-close, as a pause may lie between. */
  onEnd?(): void;
  /** The peer announced a message of `length` bytes, above the limit; none of it was stored. */
  onTooLarge(length: number): void;
  onMalformed(text: string): void;
  /** The budget refused what it takes to put a message together. */
  onNoMemory(): void;
}

const malformedFlag = 'a message begins with a flag byte other than 0 or 1';
const compressedIdentity = 'a message is marked as compressed, but grpc-encoding is identity';

/**
 * Cuts one direction of a stream into its messages (grpc/doc/PROTOCOL-HTTP2: Length-Prefixed-Message). A message that
 * lies whole in a chunk is handed on as a view of it, without copy or buffering; what is incomplete, or arrives while the
 * sink pauses, is held and charged.
 *
 *   chunk 1                           chunk 2
 *   +-----------+-----------+-----    ------+-----------+
 *   | p | msg 1 | p | msg 2 | p | me  ssage 3 | p | msg 4 |
 *   +-----------+-----------+-----    ------+-----------+
 *       view        view      \__________/      view
 *                              held, exactly message 3
 */
export class MessageReader {
  readonly #sink: MessageSink;
  readonly #held: HeldBytes;
  readonly #maxMessageBytes: number;
  readonly #encoding: MessageEncoding;
  /** Of the first message that is not delivered, its prefix included; 0 while its prefix is incomplete or unread. */
  #expectedBytes = 0;
  #paused = false;
  #delivering = false;
  #ending = false;
  #over = false;

  constructor(sink: MessageSink, options: MessageReaderOptions) {
    this.#sink = sink;
    this.#held = new HeldBytes(options.budget);
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#encoding = options.encoding;
  }

  /** The peer owes the rest of a message. Not while paused: then it is our turn. */
  get inMessage(): boolean {
    return !this.#paused && this.#held.length > 0;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** What is charged to the budget: memory in use, not bytes received. */
  get heldBytes(): number {
    return this.#held.chargedBytes;
  }

  /** Bytes received and not delivered: zero between messages of a reader that is not paused. */
  get pendingBytes(): number {
    return this.#held.length;
  }

  /** Bytes received, start to end (exclusive). They are not kept after this returns, but for what is copied. Never from inside onMessage. */
  push(bytes: Buffer, start: number, end: number): void {
    // Bytes ahead of these may still be on their way to the sink.
    if (this.#delivering) throw new Error('MessageReader.push was called from inside onMessage');
    if (this.#over || this.#ending || start >= end) return;
    let at = start;
    if (!this.#paused) {
      if (this.#held.length > 0) at = this.#complete(bytes, at, end);
      if (at < end) at = this.#scan(bytes, at, end);
    }
    if (at < end && !this.#over && !this.#held.append(bytes, at, end, this.#expectedBytes)) this.#noMemory();
    else this.#endIfDone();
  }

  /** No more bytes will come. onEnd, or onMalformed in the middle of a message, follows at once or after resume. */
  end(): void {
    if (this.#over || this.#ending) return;
    this.#ending = true;
    this.#endIfDone();
  }

  /** Stops onMessage (and onEnd) until resume; bytes pushed meanwhile are held. */
  pause(): void {
    this.#paused = true;
  }

  /** Delivers what is held, before it returns; from inside onMessage, the messages follow after that has returned. */
  resume(): void {
    this.#paused = false;
    if (this.#delivering || this.#over) return;
    const { view } = this.#held;
    if (view !== undefined) this.#held.consumeTo(this.#scan(view, this.#held.start, this.#held.end));
    this.#endIfDone();
  }

  /** The stream died: everything goes back to the budget, and the sink is not called again. */
  release(): void {
    this.#over = true;
    this.#held.release();
  }

  /** Delivers the whole messages between at and end while it may; answers where the first undelivered byte is. */
  #scan(bytes: Buffer, from: number, end: number): number {
    let at = from;
    this.#delivering = true;
    this.#expectedBytes = 0;
    try {
      while (at < end && !this.#paused && !this.#over) {
        const length = this.#readPrefix(bytes, at, end);
        if (length < 0) break;
        const next = at + messagePrefixBytes + length;
        if (next > end) {
          this.#expectedBytes = messagePrefixBytes + length;
          break;
        }
        const compressed = bytes[at] === 1;
        const message = bytes.subarray(at + messagePrefixBytes, next);
        at = next;
        this.#sink.onMessage(message, compressed);
      }
    } catch (error) {
      this.release();
      throw error;
    } finally {
      this.#delivering = false;
    }
    return at;
  }

  /** The rest of the message whose beginning is held: copies what belongs to it, delivers it, answers where the next begins. */
  #complete(bytes: Buffer, from: number, end: number): number {
    let at = from;
    const held = this.#held;
    if (held.length < messagePrefixBytes) {
      at = this.#move(bytes, at, end, messagePrefixBytes);
      if (this.#over || held.view === undefined) return end;
      const length = this.#readPrefix(held.view, held.start, held.end);
      if (length < 0) return end;
      this.#expectedBytes = messagePrefixBytes + length;
    }
    at = this.#move(bytes, at, end, this.#expectedBytes);
    if (this.#over || held.view === undefined || held.length < this.#expectedBytes) return end;
    held.consumeTo(this.#scan(held.view, held.start, held.end));
    return at;
  }

  /** Adds to what is held until it is `total` bytes long, as far as the bytes go. */
  #move(bytes: Buffer, at: number, end: number, total: number): number {
    const stop = Math.min(end, at + total - this.#held.length);
    if (stop > at && !this.#held.append(bytes, at, stop, this.#expectedBytes)) this.#noMemory();
    return stop;
  }

  /** The length of the message; -1 while its prefix is incomplete, and when the call has failed over it. */
  #readPrefix(bytes: Buffer, at: number, end: number): number {
    const flag = bytes[at] ?? 0;
    if (flag !== 0 && !(flag === 1 && this.#encoding !== 'identity')) {
      this.#fail();
      this.#sink.onMalformed(flag === 1 ? compressedIdentity : malformedFlag);
      return -1;
    }
    if (end - at < messagePrefixBytes) return -1;
    const length = bytes.readUInt32BE(at + 1);
    if (length > this.#maxMessageBytes) {
      this.#fail();
      this.#sink.onTooLarge(length);
      return -1;
    }
    return length;
  }

  #endIfDone(): void {
    if (!this.#ending || this.#paused || this.#delivering || this.#over) return;
    const { length } = this.#held;
    const expected = this.#expectedBytes;
    this.#fail();
    if (length === 0) this.#sink.onEnd?.();
    else this.#sink.onMalformed(`the stream ended inside a message, after ${length} of ${expected === 0 ? 'at least 5' : expected} bytes`);
  }

  #noMemory(): void {
    this.#fail();
    this.#sink.onNoMemory();
  }

  /** Before the sink hears of it, so that its release() finds nothing to do. */
  #fail(): void {
    this.release();
  }
}
