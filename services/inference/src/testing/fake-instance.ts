import type { ModelInstance } from '../instance/instance.js';
import type { TensorInTransit } from '../instance/protocol.js';
import { ThreadTurns } from '../instance/turns.js';
import type { RunOutcome, RunThread } from '../instance/worker-thread.js';
import type { ModelSignature } from '../tensors/signature.js';

/** A run that the test has to end. */
export interface FakeRun {
  readonly inputs: readonly TensorInTransit[];
  readonly outputs: readonly number[];
  /** Answers with the inputs as outputs, or with what is given; the model alone took `runMs`, 1 unless told. */
  succeed(outputs?: readonly TensorInTransit[], runMs?: number): void;
  fail(message: string): void;
  /** The thread died in the run. */
  lose(message: string): void;
}

/** A thread that is busy while one of its instances' runs is open. */
export interface FakeThread {
  /** Runs posted and not ended. */
  openRuns: number;
  readonly turns: ThreadTurns;
}

export function fakeThread(): FakeThread {
  const refuse = (): never => {
    throw new Error('a fake instance has no thread');
  };
  const thread = {
    id: 0,
    get busy() {
      return fake.openRuns > 0;
    },
    open: refuse,
    run: refuse,
    close: refuse,
    stop: refuse,
    onLost: () => {},
  } satisfies RunThread;
  const fake: FakeThread = { openRuns: 0, turns: new ThreadTurns(thread) };
  return fake;
}

/** An instance without a thread: its runs wait in `runs` until the test ends them. */
export class FakeInstance implements ModelInstance {
  readonly id: string;
  readonly provider = 'cpu';
  readonly deviceId = 0;
  readonly memoryBytes = 0;
  readonly signature: ModelSignature;
  readonly runs: FakeRun[] = [];
  readonly lease: ModelInstance['lease'];
  lost = false;
  readonly #thread: FakeThread;
  readonly #lostListeners: ((message: string) => void)[] = [];

  /** `shared`: the thread on which other instances run too. */
  constructor(signature: ModelSignature, shared?: FakeThread, id = '0') {
    this.id = id;
    this.signature = signature;
    this.#thread = shared ?? fakeThread();
    const kind = shared === undefined ? 'own' : 'shared';
    this.lease = { turns: this.#thread.turns, kind, core: undefined, release: async () => {} };
  }

  get busy(): boolean {
    return this.#thread.turns.busy;
  }

  run(inputs: readonly TensorInTransit[], outputs: readonly number[], done: (outcome: RunOutcome) => void): void {
    this.#thread.openRuns += 1;
    const buffers = inputs.map(({ buffer }) => buffer);
    const end = (outcome: RunOutcome): void => {
      this.#thread.openRuns -= 1;
      done(outcome);
    };
    this.runs.push({
      inputs,
      outputs,
      succeed: (given, runMs = 1) =>
        end({
          ok: true,
          kind: 'ran',
          run: 0,
          inputs: buffers,
          // Copies: a real run gives buffers of its own.
          outputs: given ?? inputs.map((input) => ({ ...input, buffer: input.buffer.slice(0) })),
          inputNs: 1,
          runNs: runMs * 1e6,
          outputNs: 1,
        }),
      fail: (message) => end({ ok: false, message, inputs: buffers, lost: false }),
      lose: (message) => {
        this.lost = true;
        end({ ok: false, message, inputs: [], lost: true });
        for (const listener of this.#lostListeners) listener(message);
      },
    });
  }

  onLost(listener: (message: string) => void): void {
    this.#lostListeners.push(listener);
  }

  async close(): Promise<void> {}
}
