import type grpc from '@grpc/grpc-js';
import { statusCode } from '@headrace/runtime';
import { Metadata } from '../metadata.js';
import type { UnaryOutcome } from '../port.js';
import { fromGrpc } from './metadata.js';
import { callEnd } from './outcome.js';
import type { GrpcJsStatus } from './status.js';

/** The part of grpc-js's channel-level call that is used; skipping its Client class saves a stack trace and an emitter per call. */
export type RawCall = ReturnType<grpc.Channel['createCall']>;

/** Collects the events of one unary call into its outcome. */
export class UnaryListener {
  readonly #call: RawCall;
  readonly #done: (outcome: UnaryOutcome) => void;
  #headers: grpc.Metadata | undefined;
  #message: Buffer | undefined;
  #surplus = false;

  constructor(call: RawCall, done: (outcome: UnaryOutcome) => void) {
    this.#call = call;
    this.#done = done;
  }

  onReceiveMetadata(metadata: grpc.Metadata): void {
    this.#headers = metadata;
  }

  onReceiveMessage(message: Buffer): void {
    if (this.#message === undefined) {
      this.#message = message;
      // The status is only let through once nothing is left to read.
      this.#call.startRead();
      return;
    }
    this.#surplus = true;
    this.#call.cancelWithStatus(statusCode.INTERNAL, 'expected one response message, got more');
  }

  onReceiveStatus(status: GrpcJsStatus): void {
    this.#done(this.#outcome(status));
  }

  #outcome(raw: GrpcJsStatus): UnaryOutcome {
    const headers = this.#headers === undefined ? new Metadata() : fromGrpc(this.#headers);
    if (raw.code === statusCode.OK && this.#message !== undefined && !this.#surplus) {
      return { ok: true, message: this.#message, headers, trailers: fromGrpc(raw.metadata) };
    }
    if (raw.code === statusCode.OK) {
      const message = 'expected one response message, got none';
      return { ok: false, status: { code: statusCode.INTERNAL, message, trailers: fromGrpc(raw.metadata) }, headers, notProcessed: false };
    }
    const { status, notProcessed } = callEnd(raw, this.#headers !== undefined || this.#message !== undefined);
    return { ok: false, status, headers, notProcessed };
  }
}
