import { statusCode } from '@headrace/runtime';
import type { Metadata } from '../../metadata.js';
import type { MethodHandler, UnaryCall } from '../../port.js';
import { compressNow, gunzipMessage } from '../grpc/compression.js';
import { MessageReader } from '../grpc/message-reader.js';
import type { MessageSink } from '../grpc/message-reader.js';
import { messagePrefixBytes } from '../grpc/message-writer.js';
import type { RequestHead } from '../grpc/request-head.js';
import { ServerStream } from './server-stream.js';
import type { Arrival } from './server-stream.js';

type UnaryHandler = Extract<MethodHandler, { kind: 'unary' }>;

/**
 * A unary call on the server.
 *
 * The way of most: one DATA frame holds the whole message, END_STREAM comes with it or in the same read. The handler then
 * gets a view of the chunk that the socket read. If END_STREAM does not come in that read, the message is copied at its end.
 */
export class ServerUnaryCall extends ServerStream implements UnaryCall, MessageSink {
  readonly #handler: UnaryHandler;
  #message: Buffer | undefined;
  /** #message is a view of what is being read. */
  #borrowed = false;
  #compressed = false;
  #heldBytes = 0;
  /** What is being pushed into #reader: a message outside of it was put together, and is nobody else's. */
  #chunk: Buffer | undefined;
  #reader: MessageReader | undefined;
  #handled = false;

  constructor(id: number, head: RequestHead, arrival: Arrival, handler: UnaryHandler) {
    super(id, head, arrival);
    this.#handler = handler;
  }

  reply(message: Buffer, trailers?: Metadata): void {
    if (this.ended) return;
    if (message.length > this.context.maxMessageBytes) return this.fail(this.tooLarge('the reply', message.length));
    if (!this.finish()) return;
    const packed = this.gzip ? compressNow(message) : undefined;
    this.send(packed ?? message, packed !== undefined);
    this.succeed(trailers);
  }

  // --- Stream

  get awaitsBytes(): boolean {
    return !this.remoteEnded && !this.ended;
  }

  onData(bytes: Buffer, start: number, end: number, endStream: boolean, lasting: boolean): void {
    if (this.ended) return this.ignore(end - start);
    if (this.#reader === undefined && this.#message === undefined && this.#isWhole(bytes, start, end)) {
      this.#message = bytes.subarray(start + messagePrefixBytes, end);
      this.#borrowed = true;
      if (!endStream) {
        if (lasting) this.connection.atTurnEnd(this);
        else this.#keep();
      }
    } else if (end > start) {
      if (this.#message !== undefined) return this.#surplus();
      this.#reader ??= new MessageReader(this, {
        maxMessageBytes: this.context.maxMessageBytes,
        encoding: this.head.encoding,
        budget: this.context.budget,
      });
      this.#chunk = bytes;
      this.#reader.push(bytes, start, end);
      this.#chunk = undefined;
    }
    if (this.ended) return;
    this.connection.consumed(this, end - start);
    if (endStream) this.onRequestEnd();
  }

  /** END_STREAM is not here yet: the view of the chunk is about to become invalid. */
  onTurnEnd(): void {
    if (this.#borrowed && !this.ended && !this.#handled) this.#keep();
  }

  onSendRoom(): void {
    // One reply: it goes out as windows allow.
  }

  // --- MessageSink

  onMessage(message: Buffer, compressed: boolean): void {
    if (this.#message !== undefined) return this.#surplus();
    this.#message = message;
    this.#borrowed = message.buffer === this.#chunk?.buffer;
    this.#compressed = compressed;
    this.#keep();
  }

  onTooLarge(bytes: number): void {
    this.refuse(this.tooLarge('the request', bytes));
  }

  onMalformed(text: string): void {
    this.refuse({ code: statusCode.INTERNAL, message: text });
  }

  onNoMemory(): void {
    this.refuse({ code: statusCode.RESOURCE_EXHAUSTED, message: 'no memory for the request now: too many large messages are under way' });
  }

  // --- ServerStream

  onRequestEnd(): void {
    if (this.ended || this.#handled) return;
    this.#reader?.end();
    if (this.ended) return;
    const message = this.#message;
    if (message === undefined) {
      return this.refuse({ code: statusCode.INTERNAL, message: 'expected one request message, got none' });
    }
    this.#handled = true;
    if (!this.#compressed) return this.#handle(message);
    gunzipMessage(message, this.context.maxMessageBytes, (result) => {
      if (this.ended) return;
      if (result.ok) this.#handle(result.message);
      else this.refuse({ code: result.code, message: result.text });
    });
  }

  protected release(): void {
    this.#message = undefined;
    this.#borrowed = false;
    this.#reader?.release();
    if (this.#heldBytes > 0) this.context.budget.give(this.#heldBytes);
    this.#heldBytes = 0;
  }

  #handle(message: Buffer): void {
    this.guard(() => this.#handler.handle(message, this));
    // Whoever wants it longer has copied it.
    this.release();
  }

  #isWhole(bytes: Buffer, start: number, end: number): boolean {
    const length = end - start - messagePrefixBytes;
    return length >= 0 && length <= this.context.maxMessageBytes && bytes[start] === 0 && length === bytes.readUInt32BE(start + 1);
  }

  /** Held and counted until the request is complete; a view of what the socket read is copied. */
  #keep(): void {
    const message = this.#message;
    if (message === undefined) return;
    if (!this.context.budget.take(message.length)) return this.onNoMemory();
    this.#heldBytes += message.length;
    if (this.#borrowed) this.#message = Buffer.from(message);
    this.#borrowed = false;
  }

  #surplus(): void {
    this.refuse({ code: statusCode.INTERNAL, message: 'expected one request message, got more' });
  }
}
