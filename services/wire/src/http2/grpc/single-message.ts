import { statusCode } from '@headrace/runtime';
import type { WireStatus } from '../../port.js';
import { gunzipMessage } from './compression.js';
import type { MessageEncoding } from './encoding.js';
import { malformed, tooLarge } from './message-problems.js';
import { MessageReader } from './message-reader.js';
import type { MessageSink, ReceiveBudget } from './message-reader.js';
import { messagePrefixBytes } from './message-writer.js';

/** The call that the message belongs to. */
export interface MessageOwner {
  /** Of the peer's messages; asked for with the first bytes. */
  readonly messageEncoding: MessageEncoding;
  /** The message cannot be had: the call ends with this, and releases it. */
  onMessageProblem(status: WireStatus): void;
}

export interface SingleMessageLimits {
  readonly maxMessageBytes: number;
  readonly budget: ReceiveBudget;
}

/** For the texts of problems: "the request", "one request message". */
export interface MessageNames {
  readonly the: string;
  readonly one: string;
}

/**
 * The one message of a unary call's direction.
 *
 * The way of most: one DATA frame holds it whole, and what completes the call comes in the same read. It is then a view of
 * the chunk that the socket read, and nothing is copied. If that does not come in the same read, the owner calls keep().
 */
export class SingleMessage implements MessageSink {
  readonly #owner: MessageOwner;
  readonly #limits: SingleMessageLimits;
  readonly #names: MessageNames;
  #message: Buffer | undefined;
  /** #message is a view of what is being read. */
  #borrowed = false;
  #compressed = false;
  #heldBytes = 0;
  /** What is being pushed into #reader: a message outside of it was put together, and is nobody else's. */
  #chunk: Buffer | undefined;
  #reader: MessageReader | undefined;
  #over = false;

  constructor(owner: MessageOwner, limits: SingleMessageLimits, names: MessageNames) {
    this.#owner = owner;
    this.#limits = limits;
    this.#names = names;
  }

  /** It is a view of the chunk that is being read: keep() must come before the chunk may be overwritten. */
  get borrowed(): boolean {
    return this.#borrowed;
  }

  /** The peer owes the rest of it. */
  get incomplete(): boolean {
    return this.#reader?.inMessage ?? false;
  }

  push(bytes: Buffer, start: number, end: number): void {
    if (this.#message !== undefined) return this.#surplus();
    if (this.#reader === undefined && this.#isWhole(bytes, start, end)) {
      this.#message = bytes.subarray(start + messagePrefixBytes, end);
      this.#borrowed = true;
      return;
    }
    const { maxMessageBytes, budget } = this.#limits;
    this.#reader ??= new MessageReader(this, { maxMessageBytes, budget, encoding: this.#owner.messageEncoding });
    this.#chunk = bytes;
    this.#reader.push(bytes, start, end);
    this.#chunk = undefined;
  }

  /** Held and counted until the call is complete; a view of what the socket read is copied. */
  keep(): void {
    const message = this.#message;
    if (message === undefined) return;
    if (!this.#limits.budget.take(message.length)) return this.onNoMemory();
    this.#heldBytes += message.length;
    if (this.#borrowed) this.#message = Buffer.from(message);
    this.#borrowed = false;
  }

  /** No more bytes will come. `done` gets it decompressed, or undefined where there was none; at once, unless it is large and compressed. */
  end(done: (message: Buffer | undefined) => void): void {
    this.#reader?.end();
    if (this.#over) return;
    const message = this.#message;
    if (message === undefined || !this.#compressed) return done(message);
    gunzipMessage(message, this.#limits.maxMessageBytes, (result) => {
      if (this.#over) return;
      if (result.ok) done(result.message);
      else this.#owner.onMessageProblem({ code: result.code, message: result.text });
    });
  }

  /** Gives back what is held; nothing is told afterwards. */
  release(): void {
    this.#over = true;
    this.#message = undefined;
    this.#borrowed = false;
    this.#reader?.release();
    if (this.#heldBytes > 0) this.#limits.budget.give(this.#heldBytes);
    this.#heldBytes = 0;
  }

  // --- MessageSink

  onMessage(message: Buffer, compressed: boolean): void {
    if (this.#message !== undefined) return this.#surplus();
    this.#message = message;
    this.#borrowed = message.buffer === this.#chunk?.buffer;
    this.#compressed = compressed;
    this.keep();
  }

  onTooLarge(bytes: number): void {
    this.#owner.onMessageProblem(tooLarge(this.#names.the, this.#limits.maxMessageBytes, bytes));
  }

  onMalformed(text: string): void {
    this.#owner.onMessageProblem(malformed(text));
  }

  onNoMemory(): void {
    const message = `no memory for ${this.#names.the} now: too many large messages are under way`;
    this.#owner.onMessageProblem({ code: statusCode.RESOURCE_EXHAUSTED, message });
  }

  #surplus(): void {
    this.#owner.onMessageProblem(malformed(`expected ${this.#names.one}, got more`));
  }

  #isWhole(bytes: Buffer, start: number, end: number): boolean {
    const length = end - start - messagePrefixBytes;
    return length >= 0 && length <= this.#limits.maxMessageBytes && bytes[start] === 0 && length === bytes.readUInt32BE(start + 1);
  }
}
