import type grpc from '@grpc/grpc-js';
import type { Clock, Logger } from '@headrace/runtime';
import { describeError, statusCode } from '@headrace/runtime';
import type { Metadata } from '../metadata.js';
import type { Peer, ServerCall, WireStatus } from '../port.js';
import { fromGrpc, toGrpc } from './metadata.js';
import { GrpcJsPeer } from './peer.js';

/** What all calls of one server share. */
export interface ServerContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly secure: boolean;
}

/** What unary and streaming calls of grpc-js have in common. */
export type SurfaceCall = Pick<
  grpc.ServerUnaryCall<Buffer, Buffer>,
  'metadata' | 'getPeer' | 'getDeadline' | 'getAuthContext' | 'sendMetadata' | 'cancelled'
> & { on(event: 'cancelled', listener: () => void): unknown };

/** The answer to a handler that threw: nothing of the exception leaves the process. */
export const handlerFailure: WireStatus = { code: statusCode.INTERNAL, message: 'internal error' };

export abstract class GrpcJsServerCall implements ServerCall {
  readonly path: string;
  readonly deadlineMs: number;
  protected readonly context: ServerContext;
  readonly #call: SurfaceCall;
  #metadata: Metadata | undefined;
  #peer: Peer | undefined;
  #ended = false;
  #cancelled = false;
  #cancelListener: (() => void) | undefined;

  constructor(path: string, call: SurfaceCall, context: ServerContext) {
    this.path = path;
    this.context = context;
    this.#call = call;
    this.deadlineMs = toMonotonic(call.getDeadline(), context.clock);
    call.on('cancelled', () => this.#onCancelled());
    // The peer is read while the connection certainly exists; what is costly in it stays lazy.
    this.#peer = new GrpcJsPeer(call, context.secure);
  }

  get metadata(): Metadata {
    this.#metadata ??= fromGrpc(this.#call.metadata);
    return this.#metadata;
  }

  get peer(): Peer {
    return (this.#peer ??= new GrpcJsPeer(this.#call, this.context.secure));
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  onCancel(listener: () => void): void {
    if (this.#cancelled) this.guard(listener);
    else if (!this.#ended) this.#cancelListener = listener;
  }

  sendHeaders(metadata: Metadata): void {
    if (!this.#ended && !this.#cancelled) this.#call.sendMetadata(toGrpc(metadata));
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

  abstract fail(status: WireStatus): void;

  /** True once, for whoever ends the call; false when it is over already. */
  protected finish(): boolean {
    if (this.#ended || this.#cancelled) return false;
    this.#ended = true;
    this.#cancelListener = undefined;
    return true;
  }

  /** grpc-js emits this after normal ends too; those are over for us. */
  #onCancelled(): void {
    if (this.#ended || this.#cancelled) return;
    this.#cancelled = true;
    const listener = this.#cancelListener;
    this.#cancelListener = undefined;
    if (listener === undefined) return;
    try {
      listener();
    } catch (error) {
      this.context.logger.error({ path: this.path, reason: describeError(error) }, 'cancel listener threw');
    }
  }
}

/** grpc-js keeps deadlines on the wall clock; the port's are monotonic, so that a clock step cannot expire a call. */
function toMonotonic(deadline: Date | number, clock: Clock): number {
  if (deadline === Infinity) return Infinity;
  return clock.nowMs() + (Number(deadline) - clock.wallMs());
}
