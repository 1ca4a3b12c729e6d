import { describeError, statusCode } from '@headrace/runtime';
import type { Timer } from '@headrace/runtime';
import type { Metadata } from '../../metadata.js';
import type { Peer, ServerCall, WireStatus } from '../../port.js';
import { Stream } from '../connection/stream.js';
import type { StreamLoss } from '../connection/stream.js';
import { errorCode } from '../frames/constants.js';
import { StreamError } from '../frames/errors.js';
import { messagePrefix } from '../grpc/message-writer.js';
import { requestTrailersProblem } from '../grpc/request-head.js';
import type { RequestHead } from '../grpc/request-head.js';
import type { HeaderFields } from '../hpack/index.js';
import { failureTrailers, metadataFields, responseHead, successTrailers } from './response-fields.js';
import type { ServerContext } from './server-context.js';
import { handlerFailure } from './server-context.js';

/** Where and when a call came in. */
export interface Arrival {
  readonly peer: Peer;
  readonly context: ServerContext;
  readonly nowMs: number;
}

/** What unary and streaming calls have in common: one object is HTTP/2 stream and call at once. */
export abstract class ServerStream extends Stream implements ServerCall {
  readonly path: string;
  readonly deadlineMs: number;
  readonly peer: Peer;
  protected readonly context: ServerContext;
  protected readonly head: RequestHead;
  #timer: Timer | undefined;
  #headersSent = false;
  /** Of the response's head; it has left once #headersSent. */
  #initial: Metadata | undefined;
  /** Answered, or the caller has gone: nothing more is told to it. */
  protected ended = false;
  #cancelled = false;
  #cancelListener: (() => void) | undefined;

  constructor(id: number, head: RequestHead, { peer, context, nowMs }: Arrival) {
    super();
    this.id = id;
    this.path = head.path;
    this.head = head;
    this.peer = peer;
    this.context = context;
    this.deadlineMs = head.timeoutMs === undefined ? Infinity : nowMs + head.timeoutMs;
    if (head.timeoutMs !== undefined) this.#timer = context.clock.setTimer(() => this.#expire(), head.timeoutMs);
  }

  get metadata(): Metadata {
    return this.head.metadata.get();
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  onCancel(listener: () => void): void {
    if (this.#cancelled) this.guard(listener);
    else if (!this.ended) this.#cancelListener = listener;
  }

  sendHeaders(metadata: Metadata): void {
    if (this.ended || this.#headersSent || this.#initial !== undefined) return;
    this.#initial = metadata;
    if (!this.headersWait) this.#sendHead(this.gzip);
  }

  fail(status: WireStatus): void {
    if (!this.finish()) return;
    if (this.#initial !== undefined) this.#sendHead(this.gzip);
    this.connection.sendHeaders(this, failureTrailers(status, !this.#headersSent), true);
  }

  /** Runs a listener of the layer above; what it throws is logged and fails this call alone. */
  guard(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.context.logger.error({ path: this.path, error }, 'handler threw');
      this.fail(handlerFailure);
    }
  }

  /** Trailers of a request mean nothing in gRPC; END_STREAM came with them. */
  onHeaders(fields: HeaderFields): void {
    const problem = requestTrailersProblem(fields);
    if (problem !== undefined) throw new StreamError(this.id, errorCode.protocolError, problem.kind);
    this.onRequestEnd();
  }

  onLost(loss: StreamLoss): void {
    this.release();
    if (this.ended) return;
    this.ended = true;
    this.#timer?.cancel();
    const listener = this.#cancelListener;
    this.#cancelListener = undefined;
    this.#tellCancelled(listener, loss.kind);
  }

  /** The client half-closed. */
  abstract onRequestEnd(): void;
  /** Gives back what it holds of the request. */
  protected abstract release(): void;

  /** The response's head leaves with what comes behind it rather than at once. */
  protected get headersWait(): boolean {
    return false;
  }

  protected get gzip(): boolean {
    return this.context.compress && this.head.acceptsGzip;
  }

  protected get headersSent(): boolean {
    return this.#headersSent;
  }

  /** False: it waits for a window. */
  protected send(message: Buffer, compressed: boolean): boolean {
    this.#sendHead(this.gzip);
    return this.connection.sendData(this, messagePrefix(message.length, compressed), message, false);
  }

  protected succeed(trailers: Metadata | undefined): void {
    this.#sendHead(false);
    this.connection.sendHeaders(this, successTrailers(trailers), true);
  }

  /** True once, for whoever ends the call; false when it is over already. */
  protected finish(): boolean {
    if (this.ended) return false;
    this.ended = true;
    this.#timer?.cancel();
    this.#cancelListener = undefined;
    this.release();
    return true;
  }

  /** The request breaks gRPC's own rules: it is answered, and its handler hears that it is over. */
  protected refuse(status: WireStatus): void {
    if (this.ended) return;
    const listener = this.#cancelListener;
    this.fail(status);
    this.#tellCancelled(listener, status.message);
  }

  #sendHead(gzip: boolean): void {
    if (this.#headersSent) return;
    this.#headersSent = true;
    this.connection.sendHeaders(this, responseHead(gzip), false, metadataFields(this.#initial));
  }

  #expire(): void {
    if (this.ended) return;
    this.refuse({ code: statusCode.DEADLINE_EXCEEDED, message: 'the deadline passed before the call was answered' });
  }

  #tellCancelled(listener: (() => void) | undefined, by: string): void {
    this.#cancelled = true;
    if (listener === undefined) return;
    try {
      listener();
    } catch (error) {
      this.context.logger.error({ path: this.path, reason: describeError(error), cancelledBy: by }, 'cancel listener threw');
    }
  }

  /** DATA of a call that is over. */
  protected ignore(bytes: number): void {
    if (!this.closed) this.connection.consumed(this, bytes);
  }
}
