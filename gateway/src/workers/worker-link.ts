import type { Defer } from '@headrace/batching';
import type { Clock, Lifecycle, Logger, MetricsSnapshot, Timer } from '@headrace/runtime';
import type { LeaseStore } from '../domain/lease-store.js';
import type { FromWorker, ToWorker } from './messages.js';
import { beatMs } from './messages.js';
import { SiblingQuestions } from './sibling-questions.js';
import type { Siblings } from './sibling-questions.js';
import { WorkerLeases } from './worker-leases.js';
import { WorkerTurns } from './worker-turns.js';

/** The way to the primary process. */
export interface PrimaryChannel {
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
  /** The primary is gone. */
  onClose(listener: () => void): void;
  close(): void;
}

/** What the primary wants to know of a worker's gateway. */
export interface WorkerGateway {
  isReady(): boolean;
  readyModels(): readonly string[];
  metricsSnapshot(): Promise<MetricsSnapshot>;
}

export interface WorkerLinkOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly defer: Defer;
  readonly channel: PrimaryChannel;
  readonly lifecycle: Lifecycle;
}

/** A worker's end of the line: turns, leases of quotas, questions to siblings, readiness, metrics, and the word to drain. */
export class WorkerLink {
  readonly turns: WorkerTurns;
  readonly leases: LeaseStore;
  readonly siblings: Siblings;
  readonly #leases: WorkerLeases;
  readonly #questions: SiblingQuestions;
  readonly #options: WorkerLinkOptions;
  #gateway: WorkerGateway | undefined;
  #told = '';
  #timer: Timer | undefined;

  constructor(options: WorkerLinkOptions) {
    this.#options = options;
    const { clock, defer, channel, lifecycle, logger } = options;
    const send = (message: FromWorker): void => channel.send(message);
    this.turns = new WorkerTurns({ clock, defer, send });
    this.leases = this.#leases = new WorkerLeases({ clock, defer, send });
    this.siblings = this.#questions = new SiblingQuestions({ clock, logger, send });
    channel.onMessage((message) => this.#receive(message));
    // Its listening socket went with it: what is left to do is to finish.
    channel.onClose(() => void lifecycle.drain('the primary process is gone'));
    logger.debug({}, 'worker started');
  }

  /** The gateway listens: tells so now, and whenever readiness changes. */
  serve(gateway: WorkerGateway): void {
    this.#gateway = gateway;
    this.#tellState();
  }

  /** Why this worker cannot start. */
  problem(text: string): void {
    this.#options.channel.send({ kind: 'problem', text });
  }

  close(): void {
    this.#timer?.cancel();
    this.turns.close();
    this.#leases.close();
    this.#questions.close();
    this.#options.channel.close();
  }

  #receive(message: ToWorker): void {
    this.#leases.heard();
    switch (message.kind) {
      case 'turns':
      case 'beat':
        this.turns.receive(message);
        break;
      case 'leases':
        this.#leases.receive(message.replies);
        break;
      case 'question':
      case 'replies':
        this.#questions.receive(message);
        break;
      case 'scrape':
        void this.#answerScrape(message.scrape);
        break;
      case 'drain':
        void this.#options.lifecycle.drain('the primary process drains');
    }
  }

  async #answerScrape(scrape: number): Promise<void> {
    try {
      const snapshot = (await this.#gateway?.metricsSnapshot()) ?? [];
      this.#options.channel.send({ kind: 'metrics', scrape, snapshot });
    } catch (error) {
      this.#options.logger.error({ error }, 'metrics could not be read');
    }
  }

  #tellState(): void {
    const gateway = this.#gateway;
    if (gateway === undefined) return;
    const state = { kind: 'state', ready: gateway.isReady(), models: gateway.readyModels() } as const;
    const text = JSON.stringify(state);
    if (text !== this.#told) this.#options.channel.send(state);
    this.#told = text;
    this.#timer = this.#options.clock.setTimer(() => this.#tellState(), beatMs);
  }
}
