import type { Clock, Logger } from '@headrace/runtime';
import { maxBodyBytes } from './messages.js';
import type { FromWorker, QuestionKind, ToWorker } from './messages.js';

/** What one worker may ask of all others. Bodies are encoded protobuf messages. */
export interface Siblings {
  /**
   * Each sibling's answer, in no order; never rejects. Who has none within 500 ms, or one larger than 1 MiB, is left out; while the
   * primary process is silent that is everybody.
   */
  askSiblings(kind: QuestionKind, body: Buffer): Promise<Buffer[]>;
  /** How this worker answers. An answer that rejects is none. */
  answer(kind: QuestionKind, answer: (body: Buffer) => Promise<Buffer>): void;
}

export interface SiblingQuestionsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly send: (message: FromWorker) => void;
}

interface OpenQuestion {
  readonly done: (bodies: readonly string[], missing: number | 'all') => void;
}

/** Longer than what the primary waits for the others, so that those who answered are told of. */
const patienceMs = 500;
/** People ask, and their tools: one after the other. */
const maxOpen = 8;

export class SiblingQuestions implements Siblings {
  readonly #options: SiblingQuestionsOptions;
  readonly #handlers = new Map<QuestionKind, (body: Buffer) => Promise<Buffer>>();
  readonly #open = new Map<number, OpenQuestion>();
  #lastId = 0;

  constructor(options: SiblingQuestionsOptions) {
    this.#options = options;
  }

  askSiblings(kind: QuestionKind, body: Buffer): Promise<Buffer[]> {
    const { clock, logger, send } = this.#options;
    if (this.#open.size >= maxOpen || body.length > maxBodyBytes) {
      logger.warn({ question: kind, bodyBytes: body.length, open: this.#open.size }, 'siblings are not asked: too much at once');
      return Promise.resolve([]);
    }
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const timer = clock.setTimer(() => this.#open.get(id)?.done([], 'all'), patienceMs);
      const done: OpenQuestion['done'] = (bodies, missing) => {
        this.#open.delete(id);
        timer.cancel();
        if (missing !== 0) logger.warn({ question: kind, missing }, 'siblings did not answer: what is told leaves them out');
        resolve(bodies.map((text) => Buffer.from(text, 'base64')));
      };
      this.#open.set(id, { done });
      send({ kind: 'ask', id, question: kind, body: body.toString('base64') });
    });
  }

  answer(kind: QuestionKind, answer: (body: Buffer) => Promise<Buffer>): void {
    this.#handlers.set(kind, answer);
  }

  /** What was asked has no answers any more. */
  close(): void {
    for (const { done } of [...this.#open.values()]) done([], 'all');
  }

  receive(message: Extract<ToWorker, { kind: 'question' | 'replies' }>): void {
    if (message.kind === 'replies') this.#open.get(message.id)?.done(message.bodies, message.missing);
    else void this.#reply(message.id, message.question, Buffer.from(message.body, 'base64'));
  }

  async #reply(id: number, question: QuestionKind, body: Buffer): Promise<void> {
    const { logger, send } = this.#options;
    try {
      const reply = await this.#handlers.get(question)?.(body);
      if (reply !== undefined && reply.length <= maxBodyBytes) return send({ kind: 'reply', id, body: reply.toString('base64') });
      logger.warn({ question, replyBytes: reply?.length, maxBytes: maxBodyBytes }, 'a question of a sibling has no answer here');
    } catch (error) {
      logger.error({ question, error }, 'a question of a sibling could not be answered');
    }
    send({ kind: 'reply', id, body: null });
  }
}
