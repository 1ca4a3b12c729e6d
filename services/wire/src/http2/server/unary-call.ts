import type { Metadata } from '../../metadata.js';
import type { MethodHandler, UnaryCall, WireStatus } from '../../port.js';
import { gzipMessage } from '../grpc/compression.js';
import type { MessageEncoding } from '../grpc/encoding.js';
import { malformed, tooLarge } from '../grpc/message-problems.js';
import type { RequestHead } from '../grpc/request-head.js';
import { SingleMessage } from '../grpc/single-message.js';
import type { MessageOwner } from '../grpc/single-message.js';
import { ServerStream } from './server-stream.js';
import type { Arrival } from './server-stream.js';

type UnaryHandler = Extract<MethodHandler, { kind: 'unary' }>;

const names = { the: 'the request', one: 'one request message' };

/** A unary call on the server: the handler is called when the request is complete. */
export class ServerUnaryCall extends ServerStream implements UnaryCall, MessageOwner {
  readonly #handler: UnaryHandler;
  readonly #request: SingleMessage;

  constructor(id: number, head: RequestHead, arrival: Arrival, handler: UnaryHandler) {
    super(id, head, arrival);
    this.#handler = handler;
    this.#request = new SingleMessage(this, arrival.context, names);
  }

  /** There is nothing to read before the one reply: a packet of its own would only wake the client twice. */
  protected override get headersWait(): boolean {
    return true;
  }

  reply(message: Buffer, trailers?: Metadata): void {
    if (this.ended) return;
    const { maxMessageBytes } = this.context;
    if (message.length > maxMessageBytes) return this.fail(tooLarge('the reply', maxMessageBytes, message.length));
    if (!this.finish()) return;
    if (!this.gzip) return this.#answer(message, false, trailers);
    gzipMessage(message, (packed) => this.#answer(packed ?? message, packed !== undefined, trailers));
  }

  #answer(message: Buffer, compressed: boolean, trailers: Metadata | undefined): void {
    this.send(message, compressed);
    this.succeed(trailers);
  }

  // --- Stream

  get awaitsBytes(): boolean {
    return !this.remoteEnded && !this.ended;
  }

  onData(bytes: Buffer, start: number, end: number, endStream: boolean, lasting: boolean): void {
    if (this.ended) return this.ignore(end - start);
    if (end > start) {
      this.#request.push(bytes, start, end);
      if (this.#request.borrowed && !endStream) {
        // END_STREAM may be on its way in the same chunk.
        if (lasting) this.connection.atTurnEnd(this);
        else this.#request.keep();
      }
    }
    if (this.ended) return;
    this.connection.consumed(this, end - start);
    if (endStream) this.onRequestEnd();
  }

  onTurnEnd(): void {
    if (this.#request.borrowed && !this.ended) this.#request.keep();
  }

  onSendRoom(): void {
    // One reply: it goes out as windows allow.
  }

  // --- MessageOwner

  get messageEncoding(): MessageEncoding {
    return this.head.encoding;
  }

  onMessageProblem(status: WireStatus): void {
    this.refuse(status);
  }

  // --- ServerStream

  onRequestEnd(): void {
    if (this.ended) return;
    this.#request.end((message) => {
      if (message === undefined) return this.refuse(malformed(`expected ${names.one}, got none`));
      this.guard(() => this.#handler.handle(message, this));
      // Whoever wants it longer has copied it.
      this.release();
    });
  }

  protected release(): void {
    this.#request.release();
  }
}
