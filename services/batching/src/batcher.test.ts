import type { Refusal } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { describe, expect, test } from 'vitest';
import { Batcher } from './batcher.js';
import { createCostBook } from './cost/cost-book.js';
import { Simulation, makeLimits, makeRequest } from './testing/index.js';
import type { SimRequest, SimTarget } from './testing/index.js';
import type { Batch, BatchRunner, TargetSnapshot } from './types.js';

const slow: SimTarget = { id: 'one', podClass: 'x', overheadMs: 10, perRowMs: 1, capacity: 1 };

/** A runner driven by hand, whose snapshot may lag behind what it was given. */
class ByHand implements BatchRunner<SimRequest> {
  readonly batches: Batch<SimRequest>[] = [];
  readonly dropped: [SimRequest, Refusal][] = [];
  snapshot: TargetSnapshot[] = [{ id: 't', podClass: 'x', outstanding: 0, capacity: 1, freeInMs: 0, penalty: 1 }];
  onRun: (batch: Batch<SimRequest>) => void = () => undefined;
  onDrop: (request: SimRequest) => void = () => undefined;

  targets(): readonly TargetSnapshot[] {
    return this.snapshot;
  }
  run(batch: Batch<SimRequest>): void {
    this.batches.push(batch);
    this.onRun(batch);
  }
  drop(request: SimRequest, refusal: Refusal): void {
    this.dropped.push([request, refusal]);
    this.onDrop(request);
  }
}

function byHand(
  limits = makeLimits(),
  defer?: (decideNow: () => void) => void,
): { clock: FakeClock; runner: ByHand; batcher: Batcher<SimRequest> } {
  const clock = new FakeClock(0);
  const runner = new ByHand();
  const batcher = new Batcher<SimRequest>({ clock, runner, costs: createCostBook(), limits, ...(defer === undefined ? {} : { defer }) });
  return { clock, runner, batcher };
}

describe('submit refuses', () => {
  test('what is larger than a batch, naming both', () => {
    const { batcher } = byHand(makeLimits({ maxBatchRows: 4 }));
    expect(batcher.submit(makeRequest({ rows: 5 }))).toMatchObject({
      reason: 'INVALID_TENSOR',
      message: expect.stringMatching(/at most 4 .* got 5/) as string,
    });
  });

  test.each([NaN, -1, 1.5, Infinity])('%s rows', (rows) => {
    expect(byHand().batcher.submit(makeRequest({ rows }))?.reason).toBe('INVALID_TENSOR');
  });

  test('what is already late', () => {
    expect(byHand().batcher.submit(makeRequest({ deadlineMs: 0 }))?.reason).toBe('DEADLINE_EXCEEDED');
  });

  test('the same request twice', () => {
    const { batcher, runner } = byHand();
    runner.snapshot = [];
    const request = makeRequest();
    expect(batcher.submit(request)).toBeUndefined();
    expect(batcher.submit(request)?.reason).toBe('INTERNAL');
  });

  test('rows over the bound, and says when to come back from the fitted cost of what waits', () => {
    const simulation = new Simulation({ targets: [slow], limits: { maxQueuedRows: 64 } }).learn();
    for (let i = 0; i < 65; i++) simulation.submit();
    const refused = simulation.outcome(simulation.submit({ rows: 2 })).refused;
    expect(refused).toMatchObject({
      reason: 'QUEUE_FULL',
      message: expect.stringMatching(/at most 64 rows waiting, got 64 and 2 more/) as string,
    });
    // One row runs for 11 ms; then 64 rows at 29 in 39 ms, the size within 3 % of the best throughput: 86.1 ms.
    expect(refused?.retryAfterMs).toBe(98);
  });

  test('a lane too many, but takes more into the lanes there are', () => {
    const { batcher, runner } = byHand(makeLimits({ maxLanes: 2 }));
    runner.snapshot = [];
    expect(['a', 'b', 'a', 'c', 'b'].map((lane) => batcher.submit(makeRequest({ lane }))?.reason)).toEqual([
      undefined,
      undefined,
      undefined,
      'QUEUE_FULL',
      undefined,
    ]);
    expect(batcher.stats()).toMatchObject({ lanes: 2, queuedRequests: 4 });
  });

  test('requests without rows count as places: an endless stream of them does not grow for ever', () => {
    const { batcher, runner } = byHand(makeLimits({ maxQueuedRows: 3 }));
    runner.snapshot = [];
    expect([1, 2, 3, 4].map(() => batcher.submit(makeRequest({ rows: 0 }))?.reason)).toEqual([
      undefined,
      undefined,
      undefined,
      'QUEUE_FULL',
    ]);
  });
});

describe('runs', () => {
  test('an idle target at once, then what came meanwhile together', () => {
    const simulation = new Simulation({ targets: [slow] });
    for (let i = 0; i < 6; i++) simulation.submit();
    simulation.clock.advance(100);
    expect(simulation.runs.map(({ rows, startedMs }) => [rows, startedMs])).toEqual([
      [1, 0],
      [5, 11],
    ]);
  });

  test('with defer, what comes in one turn of the event loop goes together', () => {
    const turns: (() => void)[] = [];
    const { batcher, runner } = byHand(makeLimits(), (decideNow) => void turns.push(decideNow));
    for (let i = 0; i < 3; i++) batcher.submit(makeRequest());
    expect(runner.batches).toEqual([]);
    expect(turns.length).toBe(1);
    for (const turn of turns) turn();
    expect(runner.batches.map(({ rows }) => rows)).toEqual([3]);
  });

  test('no more than capacity even when the runner forgets to count', () => {
    const { batcher, runner } = byHand();
    for (let i = 0; i < 3; i++) batcher.submit(makeRequest());
    expect(runner.batches.length).toBe(1);
    const [first] = runner.batches;
    if (first !== undefined) batcher.finished(first, { runMs: 1, ranRows: 1 });
    expect(runner.batches.map(({ rows }) => rows)).toEqual([1, 2]);
  });

  test('what is finished twice, or was never started, changes nothing', () => {
    const { batcher, runner } = byHand(makeLimits({ maxBatchRows: 1 }));
    for (let i = 0; i < 3; i++) batcher.submit(makeRequest());
    const [first] = runner.batches;
    if (first === undefined) throw new Error('nothing ran');
    batcher.finished({ ...first, id: 99 }, { runMs: 1, ranRows: 1 });
    expect(runner.batches.length).toBe(1);
    batcher.finished(first, { runMs: 1, ranRows: 1 });
    batcher.finished(first, { runMs: 1, ranRows: 1 });
    expect(runner.batches.length).toBe(2);
  });

  test('a runner that ends every run inside run() is served to the end, in order, without nesting', () => {
    const { batcher, runner } = byHand(makeLimits({ maxBatchRows: 1 }));
    const names: string[] = [];
    let depth = 0;
    let deepest = 0;
    runner.snapshot = [];
    for (let i = 0; i < 500; i++) batcher.submit(makeRequest({ name: String(i), arrivedMs: i }));
    runner.snapshot = [{ id: 't', podClass: 'x', outstanding: 0, capacity: 1, freeInMs: 0, penalty: 1 }];
    runner.onRun = (batch) => {
      deepest = Math.max(deepest, ++depth);
      names.push(...batch.members.map(({ name }) => name));
      batcher.finished(batch, { runMs: 1, ranRows: 1 });
      depth--;
    };
    batcher.targetsChanged();
    expect(names).toEqual(Array.from({ length: 500 }, (_, index) => String(index)));
    expect(deepest).toBe(1);
  });

  test('a retry that is submitted from within drop is taken', () => {
    const { batcher, runner, clock } = byHand();
    runner.snapshot = [];
    runner.onDrop = (request) => void batcher.submit({ ...request, name: 'again', deadlineMs: Infinity });
    batcher.submit(makeRequest({ deadlineMs: 5 }));
    clock.advance(10);
    expect(runner.dropped.map(([, { reason }]) => reason)).toEqual(['DEADLINE_EXCEEDED']);
    expect(batcher.stats()).toEqual({ queuedRequests: 1, queuedRows: 1, lanes: 1, oldestMs: 10 });
  });

  test('a deadline passes on time though no target ever comes, with a clock of large numbers too', () => {
    const { batcher, runner, clock } = byHand();
    clock.advance(3e9);
    runner.snapshot = [];
    batcher.submit(makeRequest({ arrivedMs: clock.nowMs(), deadlineMs: clock.nowMs() + 5 }));
    clock.advance(5);
    expect(runner.dropped.length).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('cancel', () => {
  test('takes out what waits, once; what runs goes on', () => {
    const simulation = new Simulation({ targets: [slow] });
    const running = simulation.submit();
    const waiting = simulation.submit();
    expect([running, waiting, waiting].map((request) => simulation.batcher.cancel(request))).toEqual([false, true, false]);
    simulation.clock.advance(100);
    expect(simulation.runs.length).toBe(1);
    expect(simulation.batcher.stats().lanes).toBe(0);
  });
});

describe('close', () => {
  test('drops all that waits, takes nothing more, and lets runs end', () => {
    const simulation = new Simulation({ targets: [slow] });
    const running = simulation.submit();
    const waiting = simulation.submit();
    const refusal = refuse('DRAINING', 'the server is draining');
    simulation.batcher.close(refusal);
    expect(simulation.outcome(waiting).dropped).toBe(refusal);
    expect(simulation.outcome(simulation.submit()).refused).toBe(refusal);
    simulation.clock.advance(100);
    expect(simulation.latencyMs(running)).toBe(11);
  });
});

test('a retry item by item ends, and a bad request hurts only itself', () => {
  const simulation = new Simulation({ targets: [slow], fails: (batch) => batch.members.some(({ name }) => name === 'bad') });
  const first = simulation.submit();
  const members = ['good', 'bad', 'fine'].map((name) => simulation.submit({ name }));
  simulation.clock.advance(40);
  expect(simulation.runs.map(({ rows }) => rows)).toEqual([1, 3]);
  const retries = members.map((member) => simulation.submit({ ...member, mergeable: false }));
  simulation.clock.advance(100);
  expect(simulation.runs.map(({ rows }) => rows)).toEqual([1, 3, 1, 1, 1]);
  expect([first, ...retries].map((request) => simulation.latencyMs(request) < Infinity)).toEqual([true, true, false, true]);
});

describe('a share of bypass that others keep too', () => {
  test('tells what it takes, the correction after the run included, and does without what others took', () => {
    const clock = new FakeClock(0);
    const runner = new ByHand();
    const spent: number[] = [];
    const limits = makeLimits({ bypassMaxShare: 0.2 });
    const batcher = new Batcher<SimRequest>({ clock, runner, costs: createCostBook(), limits, onBypass: (ms) => void spent.push(ms) });
    const bypass = (): boolean => {
      const before = runner.batches.length;
      batcher.submit(makeRequest({ bypass: true, mergeable: false }));
      return runner.batches.length > before;
    };
    runner.snapshot = [{ id: 't', podClass: 'x', outstanding: 9, capacity: 1, freeInMs: 0, penalty: 1 }];
    expect(bypass()).toBe(true);
    const [batch] = runner.batches;
    if (batch !== undefined) batcher.finished(batch, { runMs: 15, ranRows: 1 });
    expect(spent).toEqual([0, 15]);
    // 200 ms a second in all, of which 15 are gone here.
    batcher.spendBypass(184);
    expect(bypass()).toBe(true);
    batcher.spendBypass(1);
    expect([bypass(), spent.length]).toEqual([false, 3]);
  });

  test.each([
    ['behind a running batch it goes at once', 1, true, true],
    ['behind a running and a staged one it is merged, at the front of its lane', 2, true, false],
    ['behind both what cannot be merged goes at once all the same', 2, false, true],
  ] as const)('%s', (_name, outstanding, mergeable, goes) => {
    const runner = new ByHand();
    runner.snapshot = [{ id: 't', podClass: 'x', outstanding, capacity: 2, freeInMs: 10, penalty: 1 }];
    const batcher = new Batcher<SimRequest>({
      clock: new FakeClock(0),
      runner,
      costs: createCostBook(),
      limits: makeLimits({ bypassMaxShare: 0.2 }),
    });
    batcher.submit(makeRequest({ bypass: true, mergeable }));
    expect(runner.batches.length).toBe(goes ? 1 : 0);
  });

  test('where tenants take turns it is merged as soon as half a batch waits, which is staged late', () => {
    const runner = new ByHand();
    runner.snapshot = [{ id: 't', podClass: 'x', outstanding: 1, capacity: 2, freeInMs: 10, penalty: 1 }];
    const limits = makeLimits({ bypassMaxShare: 0.2, maxBatchRows: 4 });
    const batcher = new Batcher<SimRequest>({ clock: new FakeClock(0), runner, costs: createCostBook(), limits });
    const tenant = { weight: 1 };
    for (let count = 0; count < 2; count++) batcher.submit(makeRequest({ tenant }));
    batcher.submit(makeRequest({ tenant, bypass: true }));
    expect([runner.batches.length, batcher.queuedRequests]).toEqual([0, 3]);
  });
});
