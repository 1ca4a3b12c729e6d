import type grpc from '@grpc/grpc-js';
import type { Metadata } from '../metadata.js';
import type { StreamCall, WireStatus } from '../port.js';
import { toGrpc } from './metadata.js';
import type { ServerContext } from './server-call.js';
import { GrpcJsServerCall } from './server-call.js';
import { failureToGrpc } from './status.js';

/**
 * grpc-js reads one message at a time and holds at most 16 ahead of the reader (Node's object streams), so that a
 * paused call stops the client through HTTP/2 flow control.
 */
export class GrpcJsStreamCall extends GrpcJsServerCall implements StreamCall {
  readonly #stream: grpc.ServerDuplexStream<Buffer, Buffer>;

  constructor(path: string, stream: grpc.ServerDuplexStream<Buffer, Buffer>, context: ServerContext) {
    super(path, stream, context);
    this.#stream = stream;
  }

  onMessage(listener: (message: Buffer) => void): void {
    this.#stream.on('data', (message: Buffer) => this.guard(() => listener(message)));
  }

  onEnd(listener: () => void): void {
    this.#stream.on('end', () => {
      if (!this.cancelled && !this.#stream.cancelled) this.guard(listener);
    });
    // Without a reader the end would never be reached.
    if (this.#stream.listenerCount('data') === 0) this.#stream.resume();
  }

  write(message: Buffer): boolean {
    if (this.cancelled || this.#over()) return true;
    return this.#stream.write(message);
  }

  onDrain(listener: () => void): void {
    this.#stream.on('drain', () => this.guard(listener));
  }

  end(trailers?: Metadata): void {
    if (this.finish() && !this.#over()) this.#stream.end(trailers === undefined ? undefined : toGrpc(trailers));
  }

  fail(status: WireStatus): void {
    // grpc-js turns an error on its stream into this call's status, behind what was written before.
    if (this.finish() && !this.#over()) this.#stream.emit('error', failureToGrpc(status));
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  #over(): boolean {
    return this.#stream.destroyed || this.#stream.writableEnded;
  }
}
