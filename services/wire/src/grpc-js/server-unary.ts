import type grpc from '@grpc/grpc-js';
import type { Metadata } from '../metadata.js';
import type { UnaryCall, WireStatus } from '../port.js';
import { toGrpc } from './metadata.js';
import type { ServerContext, SurfaceCall } from './server-call.js';
import { GrpcJsServerCall } from './server-call.js';
import { failureToGrpc } from './status.js';

export class GrpcJsUnaryCall extends GrpcJsServerCall implements UnaryCall {
  readonly #respond: grpc.sendUnaryData<Buffer>;

  constructor(path: string, call: SurfaceCall, respond: grpc.sendUnaryData<Buffer>, context: ServerContext) {
    super(path, call, context);
    this.#respond = respond;
  }

  reply(message: Buffer, trailers?: Metadata): void {
    if (this.finish()) this.#respond(null, message, trailers === undefined ? undefined : toGrpc(trailers));
  }

  fail(status: WireStatus): void {
    if (this.finish()) this.#respond(failureToGrpc(status), null);
  }
}
