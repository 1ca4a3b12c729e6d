import type { Socket } from 'node:net';
import { statusCode } from '@headrace/runtime';
import type { Peer } from '../../port.js';
import { Connection } from '../connection/connection.js';
import type { ConnectionHost } from '../connection/host.js';
import type { ConnectionLimits } from '../connection/limits.js';
import type { Stream } from '../connection/stream.js';
import { errorCode } from '../frames/constants.js';
import { StreamError } from '../frames/errors.js';
import { RequestHeads } from '../grpc/request-head.js';
import type { HeaderFields } from '../hpack/index.js';
import { ConnectionPeer } from './peer.js';
import { RefusedRequest } from './refused-request.js';
import type { Refusal } from './refused-request.js';
import type { ServerContext } from './server-context.js';
import type { Arrival } from './server-stream.js';
import { ServerStreamCall } from './stream-call.js';
import { ServerUnaryCall } from './unary-call.js';

/** From a request's header list to a call and its handler. */
export class ServerConnection implements ConnectionHost, Arrival {
  readonly connection: Connection;
  readonly context: ServerContext;
  readonly peer: Peer;
  readonly #heads = new RequestHeads();
  readonly #onClosed: (connection: ServerConnection) => void;

  constructor(socket: Socket, limits: ConnectionLimits, context: ServerContext, onClosed: (connection: ServerConnection) => void) {
    this.context = context;
    this.peer = new ConnectionPeer(socket);
    this.#onClosed = onClosed;
    this.connection = new Connection({ socket, isServer: true, limits, clock: context.clock, host: this, held: context.held });
  }

  get nowMs(): number {
    return this.connection.nowMs;
  }

  open(id: number, fields: HeaderFields, endStream: boolean, tooLarge: boolean): Stream | undefined {
    const { connection } = this;
    if (tooLarge) {
      const message = `request headers: expected at most ${connection.limits.maxHeaderListBytes} bytes and ${connection.limits.maxHeaderFields} fields`;
      return this.#refuse(id, endStream, {
        kind: 'status',
        code: statusCode.RESOURCE_EXHAUSTED,
        message,
        acceptEncoding: undefined,
        contentLength: -1,
      });
    }
    const head = this.#heads.read(fields);
    if (head.kind === 'malformed') throw new StreamError(id, errorCode.protocolError, head.text);
    if (endStream && head.contentLength > 0) throw new StreamError(id, errorCode.protocolError, 'content-length without a body');
    if (head.kind !== 'request') return this.#refuse(id, endStream, head);
    const method = this.context.methods.get(head.path);
    if (method === undefined) {
      const message = `method ${head.path.slice(0, 200)} is not implemented`;
      return this.#refuse(id, endStream, {
        kind: 'status',
        code: statusCode.UNIMPLEMENTED,
        message,
        acceptEncoding: undefined,
        contentLength: head.contentLength,
      });
    }
    if (method.kind === 'unary') {
      const call = new ServerUnaryCall(id, head, this, method);
      this.#begin(call, head.contentLength, endStream);
      if (endStream) call.onRequestEnd();
      return call;
    }
    const call = new ServerStreamCall(id, head, this);
    this.#begin(call, head.contentLength, endStream);
    call.guard(() => method.handle(call));
    if (endStream) call.onRequestEnd();
    return call;
  }

  onReady(): void {
    // A server waits for requests.
  }

  onRoom(): void {
    // And begins no streams.
  }

  onGoaway(): void {
    // The client leaves; it may still wait for answers.
  }

  onClosed(message: string, clean: boolean, defect: unknown): void {
    if (defect !== undefined) this.context.logger.error({ peer: this.peer.address, error: defect }, 'a connection was ended by a defect');
    if (!clean) this.context.logger.debug({ peer: this.peer.address, reason: message }, 'connection ended');
    this.#onClosed(this);
  }

  #refuse(id: number, endStream: boolean, refusal: Refusal): Stream {
    const refused = new RefusedRequest(id, refusal);
    this.#begin(refused, refusal.contentLength, endStream);
    refused.answer();
    return refused;
  }

  #begin(stream: Stream, contentLength: number, endStream: boolean): void {
    stream.promisedBytes = contentLength;
    this.connection.adopt(stream);
    if (endStream) this.connection.remoteEnd(stream);
  }
}
