import type { CallOptions, ClientStream, StreamReceiver } from '../../port.js';
import { compressNow } from '../grpc/compression.js';
import type { MessageEncoding } from '../grpc/encoding.js';
import { InboundMessages } from '../grpc/inbound-messages.js';
import { malformed, tooLarge } from '../grpc/message-problems.js';
import { messagePrefix } from '../grpc/message-writer.js';
import type { CallEnd } from './client-call.js';
import { ClientStreamBase } from './client-call.js';
import type { ClientContext } from './client-context.js';

/** Written before there is a connection; above it write answers false. */
const maxEarlyBytes = 256 * 1024;

/** A streaming call of any kind. */
export class ClientStreamCall extends ClientStreamBase implements ClientStream {
  readonly #receiver: StreamReceiver;
  readonly #early: Buffer[] = [];
  #earlyBytes = 0;
  #blocked = false;
  #started = false;
  #ending = false;
  #inbound: InboundMessages | undefined;
  #paused = false;
  /** The trailers, until every message has been handed over. */
  #end: CallEnd | undefined;

  constructor(path: string, options: CallOptions, context: ClientContext, receiver: StreamReceiver) {
    super(path, options, context);
    this.#receiver = receiver;
  }

  write(message: Buffer): boolean {
    if (this.over || this.#ending) return true;
    const { maxMessageBytes } = this.context;
    if (message.length > maxMessageBytes) {
      this.stop(tooLarge('a request message', maxMessageBytes, message.length));
      return true;
    }
    if (this.#started) return this.#send(message);
    this.#early.push(message);
    this.#earlyBytes += message.length;
    this.#blocked ||= this.#earlyBytes >= maxEarlyBytes;
    return !this.#blocked;
  }

  end(): void {
    if (this.over || this.#ending) return;
    this.#ending = true;
    if (this.#started) this.connection.sendData(this, empty, empty, true);
  }

  pause(): void {
    this.#paused = true;
    this.#inbound?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#inbound?.resume();
  }

  // --- Stream

  get awaitsBytes(): boolean {
    return this.#inbound?.inMessage ?? false;
  }

  onData(bytes: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.over) return;
    if (end > start) this.#inbound?.push(bytes, start, end);
    if (endStream && !this.over) this.violated(malformed('the answer ended without trailers'));
  }

  onTurnEnd(): void {
    // It holds no views.
  }

  onSendRoom(): void {
    if (!this.over && !this.#ending) this.#tell(() => this.#receiver.onDrain?.());
  }

  // --- ClientStreamBase

  protected sendRequest(): void {
    this.#started = true;
    let room = true;
    for (const message of this.#early.splice(0)) room = this.#send(message);
    this.#earlyBytes = 0;
    if (this.#ending) this.connection.sendData(this, empty, empty, true);
    else if (this.#blocked && room) setImmediate(() => this.onSendRoom());
    this.#blocked = false;
  }

  protected onResponse(encoding: MessageEncoding): void {
    const { maxMessageBytes, budget } = this.context;
    this.#inbound = new InboundMessages({
      maxMessageBytes,
      encoding,
      budget,
      consumed: (bytes) => this.connection.consumed(this, bytes),
      onMessage: (message) => this.#tell(() => this.#receiver.onMessage(message)),
      onEnd: () => {
        if (this.#end !== undefined) this.finish(this.#end);
      },
      onProblem: (status) => this.violated(status),
      what: 'a reply message',
    });
    if (this.#paused) this.#inbound.pause();
    this.#tell(() => this.#receiver.onHeaders?.(this.responseMetadata()));
  }

  protected onResponseEnd(end: CallEnd): void {
    if (this.#inbound === undefined) return this.finish(end);
    this.#end = end;
    this.#inbound.end();
  }

  protected settle({ status }: CallEnd): void {
    this.#tell(() => this.#receiver.onStatus(status));
  }

  protected release(): void {
    this.#inbound?.release();
    this.#early.length = 0;
    this.#earlyBytes = 0;
  }

  #send(message: Buffer): boolean {
    const packed = this.context.compress ? compressNow(message) : undefined;
    const payload = packed ?? message;
    return this.connection.sendData(this, messagePrefix(payload.length, packed !== undefined), payload, false);
  }

  /** A throwing listener is a defect above; it must not break the connection's bookkeeping. */
  #tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.context.logger.error({ path: this.path, error }, 'channel listener threw');
    }
  }
}

const empty = Buffer.alloc(0);
