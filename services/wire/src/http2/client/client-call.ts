import { statusCode } from '@headrace/runtime';
import type { StatusCode, Timer } from '@headrace/runtime';
import { Metadata } from '../../metadata.js';
import type { CallOptions, ClientCall, WireStatus } from '../../port.js';
import type { Connection } from '../connection/connection.js';
import { Stream } from '../connection/stream.js';
import type { StreamLoss } from '../connection/stream.js';
import { errorCode, errorName } from '../frames/constants.js';
import type { MessageEncoding } from '../grpc/encoding.js';
import { statusOfReset } from '../grpc/http-status.js';
import { metadataOf } from '../grpc/metadata-fields.js';
import type { HeaderFields } from '../hpack/index.js';
import type { ClientContext } from './client-context.js';
import { requestFields, requestExtras } from './request-fields.js';

/** How a call ended, before it becomes what its kind of caller wants to hear. */
export interface CallEnd {
  readonly status: WireStatus;
  /** It is certain that no handler saw the call. */
  readonly notProcessed: boolean;
}

type Progress = 'waiting' | 'running' | 'over';

/**
 * What unary and streaming calls have in common.
 *
 *     waiting (for a connection, or for room on it) --start--> running --> over
 *        '--- cancel, deadline, channel closed, no connection --------------^
 */
export abstract class ClientStreamBase extends Stream implements ClientCall {
  readonly path: string;
  readonly waitForReady: boolean;
  protected readonly context: ClientContext;
  readonly #options: CallOptions;
  #timer: Timer | undefined;
  #progress: Progress = 'waiting';
  #starting = false;
  #httpStatus = 200;
  #headerFields: HeaderFields | undefined;

  constructor(path: string, options: CallOptions, context: ClientContext) {
    super();
    this.path = path;
    this.waitForReady = options.waitForReady === true;
    this.context = context;
    this.#options = options;
    const { deadlineMs } = options;
    if (deadlineMs !== undefined && deadlineMs !== Infinity && options.selfTimed !== true) {
      this.#timer = context.clock.setTimer(() => this.#expire(), Math.max(0, deadlineMs - context.clock.nowMs()));
    }
  }

  get over(): boolean {
    return this.#progress === 'over';
  }

  /** False: the connection has no room for it now. */
  start(connection: Connection): boolean {
    if (this.over) return true;
    const { deadlineMs } = this.#options;
    const nowMs = this.context.clock.nowMs();
    if (deadlineMs !== undefined && deadlineMs <= nowMs) {
      this.#expire();
      return true;
    }
    if (!connection.begin(this)) return false;
    this.#progress = 'running';
    // What goes wrong while it is being sent must not be reported before the caller has the call in its hands.
    this.#starting = true;
    const leftMs = deadlineMs === undefined ? Infinity : deadlineMs - nowMs;
    connection.sendHeaders(this, requestFields(this.context, this.path), false, requestExtras(leftMs, this.#options.metadata));
    this.sendRequest();
    this.#starting = false;
    return true;
  }

  cancel(): void {
    this.stop({ code: statusCode.CANCELLED, message: 'cancelled by the client' });
  }

  /** Ends it from our side. */
  stop(status: WireStatus): void {
    if (this.over) return;
    const waiting = this.#progress === 'waiting';
    if (!waiting) this.connection.reset(this, errorCode.cancel);
    this.#finish({ status, notProcessed: waiting });
  }

  /** It never got a connection. */
  refuse(message: string): void {
    this.#finish({ status: { code: statusCode.UNAVAILABLE, message }, notProcessed: true });
  }

  // --- Stream

  onHeaders(fields: HeaderFields, endStream: boolean, tooLarge: boolean): void {
    if (this.over) return;
    if (tooLarge) return this.stop({ code: statusCode.RESOURCE_EXHAUSTED, message: 'the headers of the answer are larger than the limit' });
    if (this.#headerFields !== undefined) return this.#onTrailers(fields, endStream);
    const head = this.context.responses.head(fields, endStream);
    switch (head.kind) {
      case 'interim': {
        // Any number may come (RFC 9110, section 15.2), in moderation.
        const { connection } = this;
        if (!connection.idleFrames.take(connection.nowMs)) connection.fail(errorCode.enhanceYourCalm, 'too many interim responses');
        return;
      }
      case 'headers':
        this.#headerFields = fields;
        this.#httpStatus = head.httpStatus;
        return this.onResponse(head.encoding);
      case 'end':
        return this.#ended(head.code, head.message, head.fields);
      case 'failed':
        this.connection.reset(this, errorCode.cancel);
        return this.#finish({ status: { code: head.code, message: head.message, trailers: metadataOf(head.fields) }, notProcessed: false });
      case 'malformed':
        return this.#malformed(head.text);
    }
  }

  onLost(loss: StreamLoss): void {
    if (this.over) return;
    switch (loss.kind) {
      case 'reset': {
        // The deadline runs out on both sides at once, and the server's RST_STREAM may be here before our timer.
        if (loss.code === errorCode.cancel && this.context.clock.nowMs() >= (this.#options.deadlineMs ?? Infinity)) return this.#expire();
        const refused = loss.code === errorCode.refusedStream;
        // A server that has sent its trailers may reset what it does not want to read.
        const { code, message } = statusOfReset(loss.code);
        return this.#finish({ status: { code, message }, notProcessed: refused });
      }
      case 'violation':
        return this.#finish({
          status: { code: statusCode.INTERNAL, message: `${errorName(loss.code)}: ${loss.message}` },
          notProcessed: false,
        });
      case 'connection':
        return this.#finish({
          status: { code: statusCode.UNAVAILABLE, message: `the connection was lost: ${loss.message}` },
          notProcessed: loss.refused,
        });
    }
  }

  /** Sends what the caller has given so far. */
  protected abstract sendRequest(): void;
  /** The server has answered with headers; messages follow in this encoding. */
  protected abstract onResponse(encoding: MessageEncoding): void;
  /** Trailers came: all messages must have. */
  protected abstract onResponseEnd(end: CallEnd): void;
  /** Once, last; never while the caller is still in its call. */
  protected abstract settle(end: CallEnd): void;
  protected abstract release(): void;

  /** Of the response's head. */
  protected responseMetadata(): Metadata {
    return this.#headerFields === undefined ? new Metadata() : this.context.responses.headMetadata(this.#headerFields);
  }

  protected finish(end: CallEnd): void {
    this.#finish(end);
  }

  /** The server breaks the rules of gRPC. */
  protected violated(status: WireStatus): void {
    if (this.over) return;
    this.connection.reset(this, errorCode.cancel);
    this.#finish({ status, notProcessed: false });
  }

  #onTrailers(fields: HeaderFields, endStream: boolean): void {
    if (!endStream) return this.#malformed('trailers without END_STREAM');
    const end = this.context.responses.trailers(fields, this.#httpStatus);
    if (end.kind === 'malformed') return this.#malformed(end.text);
    this.#ended(end.code, end.message, end.fields);
  }

  #ended(code: StatusCode, message: string, fields: HeaderFields): void {
    // The server does not wait for the rest of the request.
    if (!this.localEnded) this.connection.reset(this, errorCode.noError);
    this.onResponseEnd({ status: { code, message, trailers: this.context.responses.trailerMetadata(fields) }, notProcessed: false });
  }

  #malformed(text: string): void {
    this.connection.reset(this, errorCode.protocolError);
    this.#finish({ status: { code: statusCode.INTERNAL, message: `the answer is malformed: ${text}` }, notProcessed: false });
  }

  #expire(): void {
    this.stop({ code: statusCode.DEADLINE_EXCEEDED, message: 'the deadline passed before the call was answered' });
  }

  #finish(end: CallEnd): void {
    if (this.over) return;
    const starting = this.#starting || this.#progress === 'waiting';
    this.#progress = 'over';
    this.#timer?.cancel();
    this.context.left(this);
    if (starting) {
      setImmediate(() => this.settle(end));
      this.release();
      return;
    }
    this.settle(end);
    this.release();
  }
}
