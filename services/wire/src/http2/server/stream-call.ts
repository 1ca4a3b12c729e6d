import type { Metadata } from '../../metadata.js';
import type { StreamCall } from '../../port.js';
import { compressNow } from '../grpc/compression.js';
import { InboundMessages } from '../grpc/inbound-messages.js';
import { tooLarge } from '../grpc/message-problems.js';
import type { RequestHead } from '../grpc/request-head.js';
import { ServerStream } from './server-stream.js';
import type { Arrival } from './server-stream.js';

/** Client-, server- and bidirectional streaming on the server. Nothing is read ahead of a handler that has paused, or has no listener yet. */
export class ServerStreamCall extends ServerStream implements StreamCall {
  readonly #inbound: InboundMessages;
  #onMessage: ((message: Buffer) => void) | undefined;
  #onEnd: (() => void) | undefined;
  #onDrain: (() => void) | undefined;
  #requestOver = false;

  constructor(id: number, head: RequestHead, arrival: Arrival) {
    super(id, head, arrival);
    const { context } = arrival;
    this.#inbound = new InboundMessages({
      maxMessageBytes: context.maxMessageBytes,
      encoding: head.encoding,
      budget: context.budget,
      consumed: (bytes) => this.connection.consumed(this, bytes),
      onMessage: (message) => this.guard(() => this.#onMessage?.(message)),
      onEnd: () => this.#ended(),
      onProblem: (status) => this.refuse(status),
      what: 'a request message',
    });
    this.#inbound.hold();
  }

  onMessage(listener: (message: Buffer) => void): void {
    const first = this.#onMessage === undefined;
    this.#onMessage = listener;
    // After the handler has returned: it may still want to pause.
    if (first) queueMicrotask(() => this.#inbound.start());
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
    if (this.#onMessage === undefined) queueMicrotask(() => this.#inbound.start());
    if (this.#requestOver) this.#tellEnd();
  }

  write(message: Buffer): boolean {
    if (this.ended) return true;
    if (message.length > this.context.maxMessageBytes) {
      this.refuse(tooLarge('a reply message', this.context.maxMessageBytes, message.length));
      return true;
    }
    const packed = this.gzip ? compressNow(message) : undefined;
    return this.send(packed ?? message, packed !== undefined);
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  end(trailers?: Metadata): void {
    if (this.finish()) this.succeed(trailers);
  }

  pause(): void {
    this.#inbound.pause();
  }

  resume(): void {
    this.#inbound.resume();
  }

  // --- Stream

  override get mayStall(): boolean {
    return true;
  }

  get awaitsBytes(): boolean {
    return !this.ended && this.#inbound.inMessage;
  }

  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.ended) return this.ignore(end - start);
    if (end > start) this.#inbound.push(bytes, start, end);
    if (endStream) this.onRequestEnd();
  }

  onTurnEnd(): void {
    // It holds no views: InboundMessages copies what it does not hand over at once.
  }

  onSendRoom(): void {
    const listener = this.#onDrain;
    if (listener !== undefined && !this.ended) this.guard(listener);
  }

  // --- ServerStream

  onRequestEnd(): void {
    if (!this.ended) this.#inbound.end();
  }

  protected release(): void {
    this.#inbound.release();
  }

  #ended(): void {
    this.#requestOver = true;
    this.#tellEnd();
  }

  #tellEnd(): void {
    const listener = this.#onEnd;
    if (listener === undefined || this.ended) return;
    this.#onEnd = undefined;
    this.guard(listener);
  }
}
