import type { Clock, Timer } from '@headrace/runtime';
import type { ChildEvent, ChildState, Exit, RestartPolicy } from './child-state.js';
import { restartPolicy, step } from './child-state.js';
import type { Announcement } from './announcement.js';
import { parseAnnouncement } from './announcement.js';
import type { Hang, Probe } from './liveness-watch.js';
import { LivenessWatch, listenWithinMs } from './liveness-watch.js';
import type { ProcessSpec, RunningProcess, StartProcess } from './process-port.js';

export type ReadyAnnouncement = Extract<Announcement, { event: 'ready' }>;
export type ModelAnnouncement = Extract<Announcement, { event: 'model' }>;
export type ServerState = ChildState<ReadyAnnouncement>;

export interface SupervisedOptions {
  readonly name: string;
  /** Asked for at each start, so that a restart can have other arguments. */
  readonly spec: () => ProcessSpec;
  readonly start: StartProcess;
  readonly probe: Probe;
  /** Where its metrics server is reached from here, as a URL names a host. */
  readonly host: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** It runs and does not answer: it is killed now, and its end comes to `onState`. */
  readonly onHung: (hang: Hang) => void;
  readonly onState: (state: ServerState, before: ServerState) => void;
  readonly onModel: (model: ModelAnnouncement) => void;
  readonly onLogLine: (line: string) => void;
  /** After SIGTERM, how long the process may drain before it is killed. */
  readonly killAfterMs: number;
  readonly policy?: RestartPolicy;
}

/** How many of its last lines are kept to explain a death. */
const keptLines = 12;

/** Runs the state machine of child-state.ts against a real (or played) process. */
export class SupervisedProcess {
  readonly name: string;
  readonly #options: SupervisedOptions;
  #state: ServerState = { kind: 'idle' };
  #process: RunningProcess | undefined;
  #timer: Timer | undefined;
  #stopWatch: (() => void) | undefined;
  #lastLines: string[] = [];
  readonly #stopWaiters: ((exit: Exit | undefined) => void)[] = [];

  constructor(options: SupervisedOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get state(): ServerState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** The last lines it wrote to standard error, oldest first. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  start(): void {
    this.#handle({ kind: 'start' });
  }

  /** Asks it to drain and resolves when it is gone; undefined when it was not running. */
  stop(): Promise<Exit | undefined> {
    this.#handle({ kind: 'stop' });
    if (this.#state.kind === 'stopped') return Promise.resolve(this.#state.exit);
    return new Promise((resolve) => this.#stopWaiters.push(resolve));
  }

  /** No drain, no mercy. */
  kill(): void {
    this.#handle({ kind: 'stop' });
    this.#process?.kill('SIGKILL');
  }

  #handle(event: ChildEvent<ReadyAnnouncement>): void {
    const before = this.#state;
    const { clock, random, policy } = this.#options;
    const next = step(before, event, clock.nowMs(), random(), policy ?? restartPolicy);
    this.#state = next.state;
    for (const action of next.actions) {
      switch (action.kind) {
        case 'spawn':
          this.#spawn();
          break;
        case 'wait':
          this.#timer = clock.setTimer(() => this.#handle({ kind: 'timer' }), action.delayMs);
          break;
        case 'cancelWait':
          this.#timer?.cancel();
          break;
        case 'terminate':
          this.#process?.kill('SIGTERM');
          this.#timer = clock.setTimer(() => this.#process?.kill('SIGKILL'), this.#options.killAfterMs);
          break;
        case 'kill':
          this.#process?.kill('SIGKILL');
          break;
      }
    }
    if (next.state !== before) {
      this.#watchOnly(next.state);
      this.#options.onState(next.state, before);
    }
    if (next.state.kind === 'stopped') {
      for (const resolve of this.#stopWaiters.splice(0)) resolve(next.state.exit);
    }
  }

  /**
   * A process that starts has a time limit until it listens, and is asked for signs of life from there on: how long its
   * models load is not known, but it answers meanwhile. One that stops has its time limit in killAfterMs.
   */
  #watchOnly(state: ServerState): void {
    this.#stopWatch?.();
    this.#stopWatch = undefined;
    if (state.kind === 'ready') this.#watchLiveness(state.announced.metricsPort);
    if (state.kind !== 'starting') return;
    const timer = this.#options.clock.setTimer(() => this.#hung('start'), listenWithinMs);
    this.#stopWatch = () => timer.cancel();
  }

  #watchLiveness(metricsPort: number | undefined): void {
    this.#stopWatch?.();
    this.#stopWatch = undefined;
    if (metricsPort === undefined) return;
    const { clock, probe, host } = this.#options;
    const watch = new LivenessWatch(clock, probe, `http://${host}:${metricsPort}/livez`, () => this.#hung('silence'));
    this.#stopWatch = () => watch.stop();
  }

  #hung(hang: Hang): void {
    this.#options.onHung(hang);
    this.#handle({ kind: 'hung' });
  }

  #spawn(): void {
    this.#lastLines = [];
    this.#process = this.#options.start(this.#options.spec(), {
      onStdoutLine: (line) => this.#onStdoutLine(line),
      onStderrLine: (line) => this.#onStderrLine(line),
      onExit: (exit) => {
        this.#process = undefined;
        this.#timer?.cancel();
        this.#handle({ kind: 'exited', exit });
      },
    });
  }

  #onStdoutLine(line: string): void {
    const announcement = parseAnnouncement(line);
    if (announcement?.event === 'ready') this.#handle({ kind: 'announced', announced: announcement });
    else if (announcement?.event === 'listening' && this.#state.kind === 'starting') this.#watchLiveness(announcement.metricsPort);
    else if (announcement?.event === 'model') this.#options.onModel(announcement);
  }

  #onStderrLine(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
    this.#options.onLogLine(line);
  }
}
