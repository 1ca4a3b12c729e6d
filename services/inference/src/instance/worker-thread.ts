import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type {
  FromWorker,
  OpenedSession,
  RanSession,
  SessionSettings,
  SlotRunNumber,
  TensorInTransit,
  ToWorker,
  WorkerStart,
} from './protocol.js';
import { RunSlot } from './run-slot.js';

export type RunOutcome =
  | ({ readonly ok: true } & RanSession)
  | { readonly ok: false; readonly message: string; readonly inputs: readonly ArrayBuffer[]; readonly lost: boolean };

/** What the serving thread sees of a worker thread. A port, so that tests of what is above need no thread. */
export interface RunThread {
  readonly id: number;
  /** A run or a load is going on; another run would wait behind it. */
  readonly busy: boolean;
  open(modelFile: string, settings: SessionSettings): Promise<OpenedSession>;
  /** Calls `done` exactly once, never synchronously. */
  run(session: number, inputs: readonly TensorInTransit[], outputs: readonly number[], done: (outcome: RunOutcome) => void): void;
  close(session: number): Promise<void>;
  /** Waits for the run in flight: ending a thread in the middle of one aborts the whole process. */
  stop(): Promise<void>;
  onLost(listener: (message: string) => void): void;
}

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

interface PostedRun {
  readonly run: number;
  /** Of the run that lies in the slot: they were copied there. Undefined: transferred. */
  readonly kept: readonly TensorInTransit[] | undefined;
  readonly done: (outcome: RunOutcome) => void;
}

let lastThread = 0;
let lastSession = 0;

export class WorkerThread implements RunThread {
  readonly id = ++lastThread;
  readonly #worker: Worker;
  readonly #opening = new Map<number, Waiting<OpenedSession>>();
  readonly #closing = new Map<number, () => void>();
  /** In the order in which they were posted, which is that of their outcomes. */
  #runs: PostedRun[] = [];
  readonly #slot = new RunSlot();
  #slotTaken = false;
  readonly #lostListeners = new Set<(message: string) => void>();
  readonly #started: Promise<number | undefined>;
  readonly #exited: Promise<void>;
  #lastRun = 0;
  #stopping = false;
  #lost: string | undefined;

  constructor() {
    // Through the package's export: the same built file whether this code runs from dist or from source under a test runner.
    this.#worker = new Worker(createRequire(import.meta.url).resolve('@headrace/inference/worker'), {
      name: 'headrace-model',
      workerData: { slotMemory: this.#slot.memory } satisfies WorkerStart,
    });
    let started: (threadId: number | undefined) => void = () => {};
    this.#started = new Promise((resolve) => (started = resolve));
    this.#worker.on('message', (message: FromWorker) => {
      if (typeof message === 'number') this.#receiveFromSlot(message);
      else if (message.kind === 'started') started(message.threadId);
      else this.#receive(message);
    });
    let failure: Error | undefined;
    this.#worker.on('error', (error) => (failure = error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        started(undefined);
        if (!this.#stopping) this.#lose(failure?.message ?? `worker thread ended unexpectedly with code ${code}`);
        resolve();
      });
    });
  }

  /** Kernel thread id, once the thread runs. */
  get threadId(): Promise<number | undefined> {
    return this.#started;
  }

  get exited(): Promise<void> {
    return this.#exited;
  }

  /** It ended by itself, and its sessions with it. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  get busy(): boolean {
    return this.#runs.length > 0 || this.#opening.size > 0 || this.#lost !== undefined;
  }

  open(modelFile: string, options: SessionSettings): Promise<OpenedSession> {
    if (this.#lost !== undefined) return Promise.reject(new Error(this.#lost));
    const session = ++lastSession;
    return new Promise((resolve, reject) => {
      this.#opening.set(session, { resolve, reject });
      this.#tell({ kind: 'open', session, modelFile, options });
    });
  }

  run(session: number, inputs: readonly TensorInTransit[], outputs: readonly number[], done: (outcome: RunOutcome) => void): void {
    const lost = this.#lost;
    if (lost !== undefined) return queueMicrotask(() => done({ ok: false, message: lost, inputs: [], lost: true }));
    const run = ++this.#lastRun;
    // One run at a time has the slot; a bypass that is posted behind it goes by message.
    if (!this.#slotTaken && this.#slot.putRun({ session, inputs, outputs })) {
      this.#slotTaken = true;
      this.#runs.push({ run, kept: inputs, done });
      return this.#tell(run);
    }
    this.#runs.push({ run, kept: undefined, done });
    this.#tell(
      { kind: 'run', run, session, inputs, outputs },
      inputs.map((input) => input.buffer),
    );
  }

  close(session: number): Promise<void> {
    if (this.#lost !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#closing.set(session, resolve);
      this.#tell({ kind: 'close', session });
    });
  }

  stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      // Taken from the queue after any run that was posted before it.
      this.#tell({ kind: 'stop' });
    }
    return this.#exited;
  }

  onLost(listener: (message: string) => void): void {
    this.#lostListeners.add(listener);
  }

  #receive(message: Exclude<FromWorker, SlotRunNumber | { kind: 'started' }>): void {
    switch (message.kind) {
      case 'opened':
        take(this.#opening, message.session)?.resolve(message);
        return;
      case 'openFailed':
        take(this.#opening, message.session)?.reject(new Error(message.message));
        return;
      case 'ran':
      case 'runFailed': {
        const posted = this.#takeRun(message.run);
        const inputs = posted?.kept?.map(({ buffer }) => buffer) ?? message.inputs;
        posted?.done(
          message.kind === 'ran' ? { ok: true, ...message, inputs } : { ok: false, message: message.message, inputs, lost: false },
        );
        return;
      }
      case 'closed':
        take(this.#closing, message.session)?.();
        return;
    }
  }

  #receiveFromSlot(run: SlotRunNumber): void {
    // Taken out first: `done` may well start the next run.
    const result = this.#slot.takeResult();
    const posted = this.#takeRun(run);
    posted?.done({ ok: true, kind: 'ran', run, inputs: posted.kept?.map(({ buffer }) => buffer) ?? [], ...result });
  }

  #takeRun(run: number): PostedRun | undefined {
    const index = this.#runs.findIndex((waiting) => waiting.run === run);
    const posted = index < 0 ? undefined : this.#runs.splice(index, 1)[0];
    if (posted?.kept !== undefined) this.#slotTaken = false;
    return posted;
  }

  #lose(message: string): void {
    this.#lost = message;
    for (const waiting of this.#opening.values()) waiting.reject(new Error(message));
    const runs = this.#runs;
    this.#runs = [];
    for (const { done } of runs) done({ ok: false, message, inputs: [], lost: true });
    for (const closed of this.#closing.values()) closed();
    this.#opening.clear();
    this.#closing.clear();
    for (const listener of this.#lostListeners) listener(message);
  }

  #tell(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}

function take<V>(map: Map<number, V>, key: number): V | undefined {
  const value = map.get(key);
  map.delete(key);
  return value;
}
