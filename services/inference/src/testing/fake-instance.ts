import type { ModelInstance } from '../instance/instance.js';
import type { TensorInTransit } from '../instance/protocol.js';
import { ThreadTurns } from '../instance/turns.js';
import type { RunOutcome, RunThread } from '../instance/worker-thread.js';
import type { ModelSignature } from '../tensors/signature.js';

/** A run that the test has to end. */
export interface FakeRun {
  readonly inputs: readonly TensorInTransit[];
  readonly outputs: readonly number[];
  /** Answers with the inputs as outputs, or with what is given. */
  succeed(outputs?: readonly TensorInTransit[]): void;
  fail(message: string): void;
  /** The thread died in the run. */
  lose(message: string): void;
}

/** A thread that is busy while one of its instances' runs is open. */
export interface FakeThread {
  busy: boolean;
  readonly turns: ThreadTurns;
}

export function fakeThread(): FakeThread {
  const refuse = (): never => {
    throw new Error('a fake instance has no thread');
  };
  const thread = { id: 0, busy: false, open: refuse, run: refuse, close: refuse, stop: refuse, onLost: () => {} } satisfies RunThread;
  const turns = new ThreadTurns(thread);
  return {
    turns,
    get busy() {
      return thread.busy;
    },
    set busy(is) {
      thread.busy = is;
    },
  };
}

/** An instance without a thread: its runs wait in `runs` until the test ends them. */
export class FakeInstance implements ModelInstance {
  readonly id = '0';
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
  constructor(signature: ModelSignature, shared?: FakeThread) {
    this.signature = signature;
    this.#thread = shared ?? fakeThread();
    const kind = shared === undefined ? 'own' : 'shared';
    this.lease = { turns: this.#thread.turns, kind, core: undefined, release: async () => {} };
  }

  get busy(): boolean {
    return this.#thread.busy;
  }

  run(inputs: readonly TensorInTransit[], outputs: readonly number[], done: (outcome: RunOutcome) => void): void {
    this.#thread.busy = true;
    const buffers = inputs.map(({ buffer }) => buffer);
    const end = (outcome: RunOutcome): void => {
      this.#thread.busy = false;
      done(outcome);
    };
    this.runs.push({
      inputs,
      outputs,
      succeed: (given) =>
        end({
          ok: true,
          kind: 'ran',
          run: 0,
          inputs: buffers,
          // Copies: a real run gives buffers of its own.
          outputs: given ?? inputs.map((input) => ({ ...input, buffer: input.buffer.slice(0) })),
          inputNs: 1,
          runNs: 1_000_000,
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
