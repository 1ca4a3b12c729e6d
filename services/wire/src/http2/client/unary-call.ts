import { statusCode } from '@headrace/runtime';
import type { CallOptions, UnaryOutcome } from '../../port.js';
import { Metadata } from '../../metadata.js';
import { compressNow, gunzipMessage } from '../grpc/compression.js';
import type { MessageEncoding } from '../grpc/encoding.js';
import { messagePrefix } from '../grpc/message-prefix.js';
import { MessageReader } from '../grpc/message-reader.js';
import type { MessageSink } from '../grpc/message-reader.js';
import { messagePrefixBytes } from '../grpc/message-writer.js';
import type { CallEnd } from './client-call.js';
import { ClientStreamBase } from './client-call.js';
import type { ClientContext } from './client-context.js';

/** A unary call: the reply is a view of the chunk that was read, where its trailers came in the same read. */
export class ClientUnaryCall extends ClientStreamBase implements MessageSink {
  readonly #request: Buffer;
  readonly #done: (outcome: UnaryOutcome) => void;
  #encoding: MessageEncoding = 'identity';
  #message: Buffer | undefined;
  #borrowed = false;
  #compressed = false;
  #heldBytes = 0;
  #chunk: Buffer | undefined;
  #reader: MessageReader | undefined;

  constructor(path: string, request: Buffer, options: CallOptions, context: ClientContext, done: (outcome: UnaryOutcome) => void) {
    super(path, options, context);
    this.#request = request;
    this.#done = done;
  }

  // --- Stream

  get awaitsBytes(): boolean {
    return this.#reader?.inMessage ?? false;
  }

  onData(bytes: Buffer, start: number, end: number, endStream: boolean, lasting: boolean): void {
    if (this.over) return;
    if (end > start) {
      if (this.#message !== undefined) return this.#surplus();
      if (this.#reader === undefined && this.#isWhole(bytes, start, end)) {
        this.#message = bytes.subarray(start + messagePrefixBytes, end);
        this.#borrowed = true;
        if (lasting) this.connection.atTurnEnd(this);
        else this.#keep();
      } else {
        this.#reader ??= new MessageReader(this, {
          maxMessageBytes: this.context.maxMessageBytes,
          encoding: this.#encoding,
          budget: this.context.budget,
        });
        this.#chunk = bytes;
        this.#reader.push(bytes, start, end);
        this.#chunk = undefined;
      }
    }
    if (this.over) return;
    this.connection.consumed(this, end - start);
    if (endStream) this.violated({ code: statusCode.INTERNAL, message: 'the answer ended without trailers' });
  }

  /** The trailers are not here yet: the view of the chunk is about to become invalid. */
  onTurnEnd(): void {
    if (this.#borrowed && !this.over) this.#keep();
  }

  onSendRoom(): void {
    // One request: it goes out as windows allow.
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
    const { maxMessageBytes } = this.context;
    this.violated({ code: statusCode.RESOURCE_EXHAUSTED, message: `the reply: expected at most ${maxMessageBytes} bytes, got ${bytes}` });
  }

  onMalformed(text: string): void {
    this.violated({ code: statusCode.INTERNAL, message: text });
  }

  onNoMemory(): void {
    this.violated({ code: statusCode.RESOURCE_EXHAUSTED, message: 'no memory for the reply now: too many large messages are under way' });
  }

  // --- ClientStreamBase

  protected sendRequest(): void {
    const packed = this.context.compress ? compressNow(this.#request) : undefined;
    const message = packed ?? this.#request;
    this.connection.sendData(this, messagePrefix(message.length, packed !== undefined), message, true);
  }

  protected onResponse(encoding: MessageEncoding): void {
    this.#encoding = encoding;
  }

  protected onResponseEnd(end: CallEnd): void {
    if (end.status.code !== statusCode.OK) return this.finish(end);
    this.#reader?.end();
    if (this.over) return;
    const message = this.#message;
    if (message === undefined) {
      const status = { ...end.status, code: statusCode.INTERNAL, message: 'expected one response message, got none' };
      return this.finish({ status, notProcessed: false });
    }
    if (!this.#compressed) return this.finish(end);
    gunzipMessage(message, this.context.maxMessageBytes, (result) => {
      if (this.over) return;
      if (!result.ok) return this.finish({ status: { code: result.code, message: result.text }, notProcessed: false });
      this.#message = result.message;
      this.finish(end);
    });
  }

  protected settle({ status, notProcessed }: CallEnd): void {
    const headers = this.responseMetadata();
    const message = this.#message;
    const outcome: UnaryOutcome =
      status.code === statusCode.OK && message !== undefined
        ? { ok: true, message, headers, trailers: status.trailers ?? new Metadata() }
        : { ok: false, status, headers, notProcessed };
    try {
      this.#done(outcome);
    } catch (error) {
      this.context.logger.error({ path: this.path, error }, 'channel listener threw');
    }
  }

  protected release(): void {
    this.#message = undefined;
    this.#reader?.release();
    if (this.#heldBytes > 0) this.context.budget.give(this.#heldBytes);
    this.#heldBytes = 0;
  }

  #isWhole(bytes: Buffer, start: number, end: number): boolean {
    const length = end - start - messagePrefixBytes;
    return length >= 0 && length <= this.context.maxMessageBytes && bytes[start] === 0 && length === bytes.readUInt32BE(start + 1);
  }

  /** Held and counted until the trailers come; a view of what the socket read is copied. */
  #keep(): void {
    const message = this.#message;
    if (message === undefined) return;
    if (!this.context.budget.take(message.length)) return this.onNoMemory();
    this.#heldBytes += message.length;
    if (this.#borrowed) this.#message = Buffer.from(message);
    this.#borrowed = false;
  }

  #surplus(): void {
    this.violated({ code: statusCode.INTERNAL, message: 'expected one response message, got more' });
  }
}
