import { describeError } from '@headrace/runtime';
import type { Clock, Logger, MetricsSnapshot } from '@headrace/runtime';
import type { LeaseDesk } from './lease-desk.js';
import type { FromWorker, ToWorker } from './messages.js';
import type { QuestionHub } from './question-hub.js';
import { SilenceWatch } from './silence-watch.js';
import type { TurnHub } from './turn-hub.js';

/** A forked worker as the fleet sees it. */
export interface WorkerProcess {
  /** Never used again for another. */
  readonly id: number;
  readonly pid: number;
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** `how`: e.g. "code 1" or "SIGKILL". */
  onExit(listener: (how: string, clean: boolean) => void): void;
  kill(): void;
}

export interface FleetOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly count: number;
  readonly fork: () => WorkerProcess;
  readonly hub: TurnHub;
  readonly leases: LeaseDesk;
  readonly questions: QuestionHub;
  /** A worker that says nothing for so long is killed; Infinity: never. See SilenceWatch. */
  readonly silenceMs: number;
  readonly onRestart: () => void;
  readonly onKill: () => void;
  readonly onMetrics: (worker: number, scrape: number, snapshot: MetricsSnapshot) => void;
  readonly onGone: (worker: number) => void;
}

interface Member {
  readonly process: WorkerProcess;
  readonly startedMs: number;
  listening: boolean;
  ready: boolean;
  models: readonly string[];
}

const firstDelayMs = 100;
const longestDelayMs = 10_000;
/** Who lived this long was well: the next one comes at once again. */
const wellAfterMs = 30_000;

/** Keeps `count` workers: starts them, starts those that end again, ever later while they keep ending, and drains them all. */
export class WorkerFleet {
  readonly #options: FleetOptions;
  readonly #members = new Map<number, Member>();
  readonly #watchers = new Set<() => void>();
  readonly #silence: SilenceWatch;
  #failures = 0;
  #draining = false;
  #clean = true;
  #started = false;
  #problem: string | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#silence = new SilenceWatch(options.silenceMs, options.clock.nowMs());
  }

  get listening(): number {
    return [...this.#members.values()].filter(({ listening }) => listening).length;
  }

  get ready(): number {
    return [...this.#members.values()].filter(({ ready }) => ready).length;
  }

  get alive(): boolean {
    return this.#members.size > 0;
  }

  models(): readonly string[] {
    return [...new Set([...this.#members.values()].flatMap(({ models }) => models))].sort();
  }

  ids(): readonly number[] {
    return [...this.#members.keys()];
  }

  listeningIds(): readonly number[] {
    return this.ids().filter((id) => this.#members.get(id)?.listening === true);
  }

  send(worker: number, message: ToWorker): void {
    this.#members.get(worker)?.process.send(message);
  }

  /** To be called every beatMs. A drain has an end of its own: see drain. */
  beat(): void {
    const { clock, hub, leases, logger, onKill } = this.#options;
    hub.beat();
    leases.beat();
    const silent = this.#draining ? undefined : this.#silence.look(clock.nowMs());
    const process = silent === undefined ? undefined : this.#members.get(silent.worker)?.process;
    if (silent === undefined || process === undefined) return;
    const { worker, silentMs } = silent;
    logger.error({ worker, workerPid: process.pid, silentMs: Math.round(silentMs) }, 'a worker said nothing for too long: it is killed');
    onKill();
    process.kill();
  }

  /** Resolves once all listen, or with why one of them cannot. */
  async start(): Promise<{ readonly ok: true } | { readonly ok: false; readonly problem: string }> {
    const { count } = this.#options;
    for (let worker = 0; worker < count; worker++) this.#fork();
    await this.#until(() => this.#problem !== undefined || this.#draining || this.listening === count);
    this.#started = true;
    return this.#problem === undefined ? { ok: true } : { ok: false, problem: this.#problem };
  }

  /** False when a drain began before all were ready. */
  async untilAllReady(): Promise<boolean> {
    await this.#until(() => this.#draining || this.ready === this.#options.count);
    return !this.#draining;
  }

  /** Rejects when a worker did not end well; kills what is left after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    this.#changed();
    for (const { process } of this.#members.values()) process.send({ kind: 'drain' });
    const timer = this.#options.clock.setTimer(() => this.kill(), graceMs);
    await this.#until(() => this.#members.size === 0);
    timer.cancel();
    if (!this.#clean) throw new Error('a worker did not end well');
  }

  kill(): void {
    for (const { process } of this.#members.values()) process.kill();
  }

  #fork(): void {
    const { clock, fork, hub, logger } = this.#options;
    const process = fork();
    const member: Member = { process, startedMs: clock.nowMs(), listening: false, ready: false, models: [] };
    this.#members.set(process.id, member);
    process.onMessage((message) => this.#receive(member, message));
    process.onExit((how, clean) => this.#exited(member, how, clean));
    hub.join(process.id);
    this.#silence.join(process.id);
    logger.debug({ worker: process.id, workerPid: process.pid }, 'worker forked');
  }

  #receive(member: Member, message: FromWorker): void {
    const { hub, leases, questions, logger, onMetrics } = this.#options;
    const { id } = member.process;
    hub.heard(id);
    this.#silence.heard(id);
    switch (message.kind) {
      case 'turns':
        hub.receive(id, message.epoch, message.claims);
        break;
      case 'beat':
        // One that was just forked does not listen yet when all are told.
        if (this.#draining) member.process.send({ kind: 'drain' });
        break;
      case 'state':
        member.listening = true;
        this.#silence.listens(id);
        member.ready = message.ready;
        member.models = message.models;
        this.#changed();
        break;
      case 'metrics':
        onMetrics(id, message.scrape, message.snapshot);
        break;
      case 'leases':
        leases.receive(id, message.asks);
        break;
      case 'ask':
        questions.ask(id, message.id, message.question, message.body);
        break;
      case 'reply':
        questions.reply(id, message.id, message.body);
        break;
      case 'problem':
        if (this.#started) logger.error({ worker: id, problem: message.text }, 'a worker cannot start');
        this.#problem ??= message.text;
        this.#changed();
    }
  }

  #exited({ process, startedMs, listening }: Member, how: string, clean: boolean): void {
    const { clock, hub, questions, logger, onGone, onRestart } = this.#options;
    this.#members.delete(process.id);
    hub.leave(process.id);
    questions.gone(process.id);
    this.#silence.leave(process.id);
    onGone(process.id);
    if (this.#draining) this.#clean &&= clean;
    else if (!this.#started) this.#problem ??= `a worker ended (${how}) before it listened`;
    else {
      this.#failures = listening && clock.nowMs() - startedMs >= wellAfterMs ? 0 : this.#failures + 1;
      const delayMs = restartDelayMs(this.#failures);
      logger.warn(
        { worker: process.id, workerPid: process.pid, how, delayMs },
        'a worker ended: its calls in flight are lost; it is started again',
      );
      clock.setTimer(() => {
        if (this.#draining) return;
        onRestart();
        try {
          this.#fork();
        } catch (error) {
          logger.error({ error: describeError(error) }, 'a worker could not be forked');
        }
      }, delayMs);
    }
    this.#changed();
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  #changed(): void {
    for (const look of [...this.#watchers]) look();
  }
}

/** 0.1, 0.2, 0.4 ... 10 s. */
export function restartDelayMs(failures: number): number {
  return Math.min(firstDelayMs * 2 ** Math.min(Math.max(failures - 1, 0), 20), longestDelayMs);
}
