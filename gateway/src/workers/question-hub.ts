import type { Clock, Timer } from '@headrace/runtime';
import { maxBodyBytes } from './messages.js';
import type { QuestionKind, ToWorker } from './messages.js';

export interface QuestionHubOptions {
  readonly clock: Clock;
  /** Those that can be asked: they listen. */
  readonly workers: () => readonly number[];
  readonly send: (worker: number, message: ToWorker) => void;
}

interface OpenQuestion {
  readonly from: number;
  /** Of the worker that asks. */
  readonly askedAs: number;
  readonly awaited: Set<number>;
  readonly bodies: string[];
  length: number;
  missing: number;
  timer: Timer | undefined;
}

/** Shorter than what the worker that asks waits. */
const patienceMs = 400;
const maxOpen = 16;
const maxBodyLength = 4 * Math.ceil(maxBodyBytes / 3);
/** Of one question's answers together: they are held here until the last has come. */
const maxTotalLength = 8 * maxBodyLength;

/** Carries a worker's question to all others and their answers back. Bounded in time, in number and in size; who is late is left out. */
export class QuestionHub {
  readonly #options: QuestionHubOptions;
  readonly #open = new Map<number, OpenQuestion>();
  #lastId = 0;

  constructor(options: QuestionHubOptions) {
    this.#options = options;
  }

  ask(from: number, askedAs: number, question: QuestionKind, body: string): void {
    const { clock, workers, send } = this.#options;
    const others = workers().filter((worker) => worker !== from);
    if (others.length === 0 || this.#open.size >= maxOpen || body.length > maxBodyLength) {
      send(from, { kind: 'replies', id: askedAs, bodies: [], missing: others.length });
      return;
    }
    const id = ++this.#lastId;
    const open: OpenQuestion = { from, askedAs, awaited: new Set(others), bodies: [], length: 0, missing: 0, timer: undefined };
    this.#open.set(id, open);
    open.timer = clock.setTimer(() => this.#tell(id, open), patienceMs);
    for (const other of others) send(other, { kind: 'question', id, question, body });
  }

  /** `body` null: it has no answer. */
  reply(worker: number, id: number, body: string | null): void {
    const open = this.#open.get(id);
    if (open === undefined || !open.awaited.delete(worker)) return;
    if (body === null || body.length > maxBodyLength || open.length + body.length > maxTotalLength) open.missing += 1;
    else {
      open.bodies.push(body);
      open.length += body.length;
    }
    if (open.awaited.size === 0) this.#tell(id, open);
  }

  /** Its process ended. */
  gone(worker: number): void {
    for (const [id, open] of this.#open) {
      if (open.from === worker) this.#close(id, open);
      else this.reply(worker, id, null);
    }
  }

  #tell(id: number, open: OpenQuestion): void {
    this.#close(id, open);
    const { from, askedAs, bodies, missing, awaited } = open;
    this.#options.send(from, { kind: 'replies', id: askedAs, bodies, missing: missing + awaited.size });
  }

  #close(id: number, { timer }: OpenQuestion): void {
    timer?.cancel();
    this.#open.delete(id);
  }
}
