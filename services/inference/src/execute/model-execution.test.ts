import type { CostBook } from '@headrace/batching';
import { createCostBook } from '@headrace/batching';
import type { Refusal } from '@headrace/runtime';
import { refuse, silentLogger } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { defaultBatching } from '../config/settings.js';
import { ModelStatistics } from '../statistics/model-statistics.js';
import { BufferPool } from '../tensors/buffer-pool.js';
import { FakeInstance, fakeThread } from '../testing/fake-instance.js';
import { ModelExecution } from './model-execution.js';
import type { InferOutcome, PendingInfer } from './pending.js';

const signature = {
  inputs: [{ name: 'x', datatype: 'INT32' as const, shape: [-1, 1] }],
  outputs: [{ name: 'y', datatype: 'INT32' as const, shape: [-1, 1] }],
  skippedOutputs: [],
};

let clock: FakeClock;
let instance: FakeInstance;
let statistics: ModelStatistics;
let execution: ModelExecution;
let costs: CostBook;
let stopped: string[];
let outcomes: Map<number, InferOutcome>;
/** What the queue metric saw. */
let observedQueueMs: number[];

beforeEach(() => {
  clock = new FakeClock();
  instance = new FakeInstance(signature);
  statistics = new ModelStatistics();
  stopped = [];
  outcomes = new Map();
  observedQueueMs = [];
  costs = createCostBook({});
  execution = start(instance);
});

function start(on: FakeInstance | readonly FakeInstance[], defer?: (decide: () => void) => void): ModelExecution {
  const answered = (_reason: string, _totalMs: number, queueMs: number | undefined): void => {
    if (queueMs !== undefined) observedQueueMs.push(queueMs);
  };
  return new ModelExecution({
    model: 'm',
    version: 1,
    signature,
    instances: [on].flat(),
    ...(defer === undefined ? {} : { defer }),
    batching: { ...defaultBatching, maxBatchSize: 8 },
    mayMerge: true,
    costs,
    pool: new BufferPool(),
    statistics,
    metrics: { answered, ran: () => {}, queued: () => {}, ready: () => {}, memory: () => {}, loaded: () => {}, forget: () => {} },
    clock,
    logger: silentLogger,
    onMergeStopped: (reason) => stopped.push(reason),
  });
}

/** A request whose one row is `value`; its message is overwritten after submit, as a transport may do. */
function submit(
  value: number,
  more: Partial<PendingInfer> = {},
  to: ModelExecution = execution,
): { request: PendingInfer; refusal: Refusal | undefined } {
  const message = Buffer.from(Int32Array.of(value).buffer);
  const request: PendingInfer = {
    lane: 'lane',
    shapeClass: 'class',
    rows: 1,
    band: 3,
    bypass: false,
    arrivedMs: clock.nowMs(),
    deadlineMs: Infinity,
    mergeable: execution.mayMerge,
    tensors: [{ shape: [1, 1], data: message }],
    outputs: [0],
    startByMs: Infinity,
    done: (outcome) => {
      // Views live until the next wait only.
      const parts = outcome.ok ? outcome.parts.map((part) => ({ ...part, data: Buffer.from(part.data) })) : [];
      outcomes.set(value, outcome.ok ? { ...outcome, parts } : outcome);
    },
    state: 'waiting',
    startByTimer: undefined,
    ...more,
  };
  const refusal = to.submit(request);
  message.fill(0xee);
  return { request, refusal };
}

/** Ends the oldest open run. */
function end(action: (run: FakeInstance['runs'][number]) => void): void {
  const run = instance.runs.shift();
  if (run === undefined) throw new Error('nothing runs');
  action(run);
}

const answers = (): object =>
  Object.fromEntries(
    [...outcomes].map(([value, outcome]) => [
      value,
      outcome.ok ? Buffer.from(outcome.parts[0]?.data ?? []).readInt32LE() : outcome.refusal.reason,
    ]),
  );

describe('model execution', () => {
  it('starts a lone request at once, merges what waits meanwhile, and gives each its own row', () => {
    for (const value of [1, 2, 3]) submit(value);
    expect(instance.runs.map(({ inputs }) => inputs[0]?.shape)).toEqual([[1, 1]]);
    end((run) => run.succeed());
    expect(instance.runs.map(({ inputs }) => inputs[0]?.shape)).toEqual([[2, 1]]);
    end((run) => run.succeed());
    expect(answers()).toEqual({ 1: 1, 2: 2, 3: 3 });
    expect(statistics).toMatchObject({ inferenceCount: 3, executionCount: 2 });
    expect(execution.inFlight).toBe(0);
  });

  it('models that share a thread and decide later all get their turn', () => {
    const decisions: (() => void)[] = [];
    const decideAll = (): void => {
      for (const decide of decisions.splice(0)) decide();
    };
    const thread = fakeThread();
    const instances = [1, 2, 3].map(() => new FakeInstance(signature, thread));
    const models = instances.map((on) => start(on, (decide) => void decisions.push(decide)));
    // All arrive while the thread is free; when the second and third decide, the first has it.
    models.forEach((model, index) => submit(index, {}, model));
    for (let turn = 0; turn < 3; turn++) {
      decideAll();
      const running = instances.filter(({ runs }) => runs.length > 0);
      expect(running).toHaveLength(1);
      running[0]?.runs.shift()?.succeed();
    }
    expect(answers()).toEqual({ 0: 0, 1: 1, 2: 2 });
  });

  it('runs a failed batch again item by item: one bad request hurts only itself', () => {
    for (const value of [1, 2, 3, 4]) submit(value);
    end((run) => run.succeed());
    end((run) => run.fail('bad index'));
    end((run) => run.succeed());
    end((run) => run.fail('bad index'));
    end((run) => run.succeed());
    expect(answers()).toEqual({ 1: 1, 2: 2, 3: 'EXECUTION_FAILED', 4: 4 });
    expect(outcomes.get(3)).toMatchObject({ refusal: { message: 'model "m" version 1 failed: bad index' } });
  });

  it('stops merging when an output cannot be cut into rows, and still answers everybody', () => {
    for (const value of [1, 2, 3]) submit(value);
    end((run) => run.succeed());
    end((run) => run.succeed([{ buffer: new ArrayBuffer(4), byteLength: 4, shape: [1, 1] }]));
    expect(stopped).toEqual([expect.stringMatching(/output "y": .*expected 2 rows/)]);
    end((run) => run.succeed());
    end((run) => run.succeed());
    expect(answers()).toEqual({ 1: 1, 2: 2, 3: 3 });
    for (const value of [4, 5, 6]) submit(value);
    for (let run = 0; run < 3; run++) end((running) => running.succeed());
    expect(answers()).toMatchObject({ 4: 4, 5: 5, 6: 6 });
  });

  it('what waited as mergeable when merging stopped runs one by one', () => {
    for (const value of [1, 2, 3]) submit(value);
    end((run) => run.succeed());
    for (const value of [4, 5]) submit(value);
    end((run) => run.succeed([{ buffer: new ArrayBuffer(0), byteLength: 0, shape: [] }]));
    while (instance.runs.length > 0) {
      expect(instance.runs[0]?.inputs[0]?.shape).toEqual([1, 1]);
      end((run) => run.succeed());
    }
    expect(answers()).toEqual({ 1: 1, 2: 2, 3: 3, 4: 4, 5: 5 });
  });

  it('a cancelled request leaves the queue; one that runs is not answered', () => {
    const first = submit(1).request;
    const second = submit(2).request;
    submit(3);
    execution.cancel(second);
    execution.cancel(first);
    execution.cancel(first);
    end((run) => run.succeed());
    expect(instance.runs[0]?.inputs[0]?.shape).toEqual([1, 1]);
    end((run) => run.succeed());
    expect(answers()).toEqual({ 3: 3 });
    expect(execution.inFlight).toBe(0);
  });

  it('a request may wait no longer than its timeout, and is told at once when that passed', () => {
    submit(1);
    submit(2, { startByMs: clock.nowMs() + 5 });
    clock.advance(4);
    expect(answers()).toEqual({});
    clock.advance(1);
    expect(answers()).toEqual({ 2: 'DEADLINE_EXCEEDED' });
    end((run) => run.succeed());
    expect(instance.runs).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('what ran out of time while it waited does not run', () => {
    submit(1);
    submit(2, { deadlineMs: clock.nowMs() + 5 });
    clock.advance(10);
    end((run) => run.succeed());
    expect(answers()).toEqual({ 1: 1, 2: 'DEADLINE_EXCEEDED' });
    expect(instance.runs).toEqual([]);
  });

  it('the request of a lost run learns that its backend is gone, and nothing runs there any more', () => {
    submit(1);
    end((run) => run.lose('out of memory'));
    expect(answers()).toEqual({ 1: 'BACKEND_LOST' });
    expect(submit(2).refusal ?? outcomes.get(2)).toBeUndefined();
    expect(instance.runs).toEqual([]);
    execution.close(refuse('DRAINING', 'closed'));
    expect(answers()).toMatchObject({ 2: 'DRAINING' });
  });

  it('drained resolves when the last request is answered', async () => {
    submit(1);
    submit(2);
    let drained = false;
    const waiting = execution.drained().then(() => (drained = true));
    end((run) => run.succeed());
    await Promise.resolve();
    expect(drained).toBe(false);
    end((run) => run.succeed());
    await waiting;
    expect(drained).toBe(true);
  });

  describe('waiting is all between arrival and outcome that is not the run itself', () => {
    /** Rounded to a microsecond, as a reply tells it. */
    const queueMsOf = (value: number): number => {
      const outcome = outcomes.get(value);
      return outcome?.ok === true ? Math.round(outcome.queueMs * 1e3) / 1e3 : Number.NaN;
    };
    const sumsUp = (): void => {
      const { queue, computeInput, computeInfer, computeOutput, success } = statistics;
      const parts = queue.ns + computeInput.ns + computeInfer.ns + computeOutput.ns;
      expect(parts).toBeLessThanOrEqual(success.ns);
      // Time stands still outside the runs here, so that nothing may be lost either; a few ns are the tensors' wrapping.
      expect(Number(success.ns - parts)).toBeLessThan(100);
    };

    it('a bypass that was posted behind a running batch tells the wait in the thread', () => {
      submit(1);
      clock.advance(2);
      submit(2, { bypass: true });
      expect(instance.runs).toHaveLength(2);
      clock.advance(6);
      end((run) => run.succeed(undefined, 7.9));
      clock.advance(3);
      end((run) => run.succeed(undefined, 3 - 0.1));
      expect([1, 2].map(queueMsOf)).toEqual([0.1, 6.1]);
      expect(observedQueueMs.map((ms) => Math.round(ms * 1e3) / 1e3)).toEqual([0.1, 6.1]);
      sumsUp();
    });

    it('the members of a batch waited each since its own arrival', () => {
      submit(1);
      clock.advance(1);
      submit(2);
      clock.advance(2);
      submit(3);
      end((run) => run.succeed(undefined, 2));
      clock.advance(5);
      end((run) => run.succeed(undefined, 4));
      expect([1, 2, 3].map(queueMsOf)).toEqual([1, 3, 1]);
      sumsUp();
    });

    it('the failed run of the batch is waiting, and so are the others’ runs alone', () => {
      for (const value of [1, 2, 3]) submit(value);
      clock.advance(4);
      end((run) => run.succeed(undefined, 3));
      clock.advance(5);
      end((run) => run.fail('bad index'));
      clock.advance(2);
      end((run) => run.succeed(undefined, 1));
      clock.advance(2);
      end((run) => run.succeed(undefined, 1));
      expect([1, 2, 3].map(queueMsOf)).toEqual([1, 10, 12]);
      sumsUp();
    });

    it('a run that says it took longer than its request was here waited for nothing', () => {
      submit(1);
      end((run) => run.succeed(undefined, 1));
      expect(queueMsOf(1)).toBe(0);
    });
  });

  it('what a thread still has to run counts in full when the next bypass chooses', () => {
    const [slow, fast] = ['0', '1'].map((id) => new FakeInstance(signature, undefined, id)) as [FakeInstance, FakeInstance];
    execution = start([slow, fast]);
    // Both busy since the same moment: 25 ms on one, 10 ms on the other.
    for (const [shapeClass, on, runMs] of [
      ['long', slow, 25],
      ['short', fast, 10],
    ] as const) {
      for (let known = 0; known < 20; known++) costs.observe(shapeClass, 'cpu', 1, runMs);
      submit(runMs, { shapeClass });
      expect(on.runs).toHaveLength(1);
    }
    // Three of 10 ms: the first two end sooner on the fast one (at 20 and 30, not 35), the third on the other (35, not 40).
    for (const value of [1, 2, 3]) submit(value, { shapeClass: 'short', bypass: true });
    expect([slow.runs.length, fast.runs.length]).toEqual([2, 3]);
  });

  it('refuses what is over the queue’s bound', () => {
    const refusals = Array.from({ length: 4100 }, (_, value) => submit(value).refusal).filter((refusal) => refusal !== undefined);
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals[0]).toMatchObject({ reason: 'QUEUE_FULL' });
  });
});
