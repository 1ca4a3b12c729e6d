import { statusCode } from '@headrace/runtime';
import type { CallOptions, UnaryOutcome, WireStatus } from '../../port.js';
import { Metadata } from '../../metadata.js';
import { gzipMessage } from '../grpc/compression.js';
import type { MessageEncoding } from '../grpc/encoding.js';
import { malformed } from '../grpc/message-problems.js';
import { messagePrefix } from '../grpc/message-writer.js';
import { SingleMessage } from '../grpc/single-message.js';
import type { MessageOwner } from '../grpc/single-message.js';
import type { CallEnd } from './client-call.js';
import { ClientStreamBase } from './client-call.js';
import type { ClientContext } from './client-context.js';

const names = { the: 'the reply', one: 'one response message' };

/** A unary call: the reply is a view of the chunk that was read, where its trailers came in the same read. */
export class ClientUnaryCall extends ClientStreamBase implements MessageOwner {
  readonly #request: Buffer;
  readonly #done: (outcome: UnaryOutcome) => void;
  readonly #response: SingleMessage;
  #reply: Buffer | undefined;
  messageEncoding: MessageEncoding = 'identity';

  constructor(path: string, request: Buffer, options: CallOptions, context: ClientContext, done: (outcome: UnaryOutcome) => void) {
    super(path, options, context);
    this.#request = request;
    this.#done = done;
    this.#response = new SingleMessage(this, context, names);
  }

  // --- Stream

  get awaitsBytes(): boolean {
    return this.#response.incomplete;
  }

  onData(bytes: Buffer, start: number, end: number, endStream: boolean, lasting: boolean): void {
    if (this.over) return;
    if (end > start) {
      this.#response.push(bytes, start, end);
      if (this.#response.borrowed) {
        // The trailers may be on their way in the same chunk.
        if (lasting) this.connection.atTurnEnd(this);
        else this.#response.keep();
      }
    }
    if (this.over) return;
    this.connection.consumed(this, end - start);
    if (endStream) this.violated(malformed('the answer ended without trailers'));
  }

  onTurnEnd(): void {
    if (this.#response.borrowed && !this.over) this.#response.keep();
  }

  onSendRoom(): void {
    // One request: it goes out as windows allow.
  }

  // --- MessageOwner

  onMessageProblem(status: WireStatus): void {
    this.violated(status);
  }

  // --- ClientStreamBase

  protected sendRequest(): void {
    if (!this.context.compress) return this.#send(this.#request, false);
    gzipMessage(this.#request, (packed) => {
      if (!this.over) this.#send(packed ?? this.#request, packed !== undefined);
    });
  }

  #send(message: Buffer, compressed: boolean): void {
    this.connection.sendData(this, messagePrefix(message.length, compressed), message, true);
  }

  protected onResponse(encoding: MessageEncoding): void {
    this.messageEncoding = encoding;
  }

  protected onResponseEnd(end: CallEnd): void {
    if (end.status.code !== statusCode.OK) return this.finish(end);
    this.#response.end((message) => {
      this.#reply = message;
      if (message !== undefined) return this.finish(end);
      this.finish({ status: { ...end.status, ...malformed(`expected ${names.one}, got none`) }, notProcessed: false });
    });
  }

  protected settle({ status, notProcessed }: CallEnd): void {
    const headers = this.responseMetadata();
    const message = this.#reply;
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
    this.#reply = undefined;
    this.#response.release();
  }
}
