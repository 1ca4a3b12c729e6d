import grpc from '@grpc/grpc-js';
import type { ClientStream, StreamReceiver } from '../port.js';
import type { RawCall } from './client-unary.js';
import { fromGrpc } from './metadata.js';
import { callEnd } from './outcome.js';
import type { GrpcJsStatus } from './status.js';

/** Above either, write answers false. */
const maxQueuedBytes = 256 * 1024;
const maxQueuedMessages = 16;

/**
 * One stream over grpc-js's channel-level call, which takes one message at a time (the next after the callback of the
 * last) and gives one message per startRead.
 */
export class GrpcJsClientStream implements ClientStream {
  readonly #call: RawCall;
  readonly #receiver: StreamReceiver;
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #writing = false;
  #blocked = false;
  #ending = false;
  #over = false;
  #paused = false;
  #reading = false;
  #answered = false;

  constructor(call: RawCall, receiver: StreamReceiver) {
    this.#call = call;
    this.#receiver = receiver;
  }

  start(metadata: grpc.Metadata): void {
    this.#call.start(metadata, {
      onReceiveMetadata: (headers) => {
        this.#answered = true;
        this.#receiver.onHeaders?.(fromGrpc(headers));
      },
      onReceiveMessage: (message: Buffer) => this.#onMessage(message),
      onReceiveStatus: (status) => this.#onStatus(status),
    });
    this.#read();
  }

  write(message: Buffer): boolean {
    if (this.#over || this.#ending) return true;
    this.#queue.push(message);
    this.#queuedBytes += message.length;
    this.#flush();
    this.#blocked = this.#queue.length >= maxQueuedMessages || this.#queuedBytes >= maxQueuedBytes;
    return !this.#blocked;
  }

  end(): void {
    if (this.#over || this.#ending) return;
    this.#ending = true;
    this.#flush();
  }

  cancel(): void {
    if (!this.#over) this.#call.cancelWithStatus(grpc.status.CANCELLED, 'cancelled by the client');
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#read();
  }

  #flush(): void {
    if (this.#writing) return;
    const next = this.#queue.shift();
    if (next === undefined) {
      if (this.#ending) this.#call.halfClose();
      return;
    }
    this.#writing = true;
    this.#call.sendMessageWithContext({ callback: () => this.#onWritten(next.length) }, next);
  }

  #onWritten(bytes: number): void {
    this.#writing = false;
    this.#queuedBytes -= bytes;
    if (this.#over) return;
    this.#flush();
    if (this.#blocked && this.#queue.length === 0 && !this.#ending) {
      this.#blocked = false;
      this.#receiver.onDrain?.();
    }
  }

  #onMessage(message: Buffer): void {
    this.#reading = false;
    this.#answered = true;
    this.#receiver.onMessage(message);
    this.#read();
  }

  #read(): void {
    if (this.#reading || this.#paused || this.#over) return;
    this.#reading = true;
    this.#call.startRead();
  }

  #onStatus(raw: GrpcJsStatus): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue.length = 0;
    this.#receiver.onStatus(callEnd(raw, this.#answered).status);
  }
}
