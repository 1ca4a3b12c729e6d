import { statusCode } from '@headrace/runtime';
import type { WireStatus } from '../../port.js';
import { gunzipMessage } from './compression.js';
import type { MessageEncoding } from './encoding.js';
import { malformed, tooLarge } from './message-problems.js';
import { MessageReader } from './message-reader.js';
import type { MessageSink, ReceiveBudget } from './message-reader.js';

export interface InboundOptions {
  readonly maxMessageBytes: number;
  readonly encoding: MessageEncoding;
  readonly budget: ReceiveBudget;
  /** So many bytes were taken in: the peer may send as many again. */
  readonly consumed: (bytes: number) => void;
  readonly onMessage: (message: Buffer) => void;
  /** All messages were handed over. */
  readonly onEnd: () => void;
  readonly onProblem: (status: WireStatus) => void;
  /** For error texts, e.g. "a request message". */
  readonly what: string;
}

/**
 * One direction of a stream: from DATA to messages in order, decompressed, and none while the listener has paused. While it
 * pauses, what came is kept (counted against the budget), and the stream's window is not reopened: that stops the sender.
 */
export class InboundMessages implements MessageSink {
  readonly #options: InboundOptions;
  readonly #reader: MessageReader;
  #unreturnedBytes = 0;
  /** By the listener, and by us while a large message is decompressed in another thread. */
  #pausedByListener = false;
  #inflating = false;
  /** The listener has paused or resumed by itself. */
  #decided = false;
  #over = false;

  constructor(options: InboundOptions) {
    this.#options = options;
    this.#reader = new MessageReader(this, options);
  }

  /** The peer owes the rest of a message. */
  get inMessage(): boolean {
    return this.#reader.inMessage;
  }

  push(bytes: Buffer, start: number, end: number): void {
    this.#unreturnedBytes += end - start;
    this.#reader.push(bytes, start, end);
    this.#giveBack();
  }

  /** END_STREAM. onEnd follows when all is handed over. */
  end(): void {
    this.#reader.end();
  }

  pause(): void {
    this.#decided = true;
    this.#pausedByListener = true;
    this.#reader.pause();
  }

  resume(): void {
    this.#decided = true;
    this.#pausedByListener = false;
    this.#goOn();
  }

  /** From the beginning until start(): there is no listener yet. */
  hold(): void {
    this.#pausedByListener = true;
    this.#reader.pause();
  }

  /** The end of hold(), unless the listener has paused or resumed by itself since. */
  start(): void {
    if (!this.#decided) this.resume();
  }

  release(): void {
    this.#over = true;
    this.#reader.release();
  }

  // --- MessageSink

  onMessage(message: Buffer, compressed: boolean): void {
    if (!compressed) return this.#options.onMessage(message);
    this.#inflating = true;
    this.#reader.pause();
    gunzipMessage(message, this.#options.maxMessageBytes, (result) => {
      this.#inflating = false;
      if (this.#over) return;
      if (!result.ok) return this.#options.onProblem({ code: result.code, message: result.text });
      this.#options.onMessage(result.message);
      this.#goOn();
    });
  }

  onEnd(): void {
    this.#options.onEnd();
  }

  onTooLarge(bytes: number): void {
    const { what, maxMessageBytes } = this.#options;
    this.#options.onProblem(tooLarge(what, maxMessageBytes, bytes));
  }

  onMalformed(text: string): void {
    this.#options.onProblem(malformed(text));
  }

  onNoMemory(): void {
    this.#options.onProblem({ code: statusCode.RESOURCE_EXHAUSTED, message: `no memory for ${this.#options.what} now` });
  }

  #goOn(): void {
    if (this.#over || this.#pausedByListener || this.#inflating) return;
    this.#reader.resume();
    this.#giveBack();
  }

  #giveBack(): void {
    if (this.#over || this.#pausedByListener || this.#inflating || this.#unreturnedBytes === 0) return;
    const bytes = this.#unreturnedBytes;
    this.#unreturnedBytes = 0;
    this.#options.consumed(bytes);
  }
}
