import { silentLogger } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { describe, expect, it } from 'vitest';
import { WorkerFleet, restartDelayMs } from './fleet.js';
import type { WorkerProcess } from './fleet.js';
import { LeaseDesk } from './lease-desk.js';
import { beatMs } from './messages.js';
import type { FromWorker, ToWorker } from './messages.js';
import { QuestionHub } from './question-hub.js';
import { TurnHub } from './turn-hub.js';

class FakeWorker implements WorkerProcess {
  readonly id: number;
  readonly pid: number;
  readonly got: ToWorker['kind'][] = [];
  killed = false;
  say: (message: FromWorker) => void = () => undefined;
  exit: (how: string, clean: boolean) => void = () => undefined;

  constructor(id: number) {
    this.id = id;
    this.pid = 1000 + id;
  }

  send(message: ToWorker): void {
    this.got.push(message.kind);
  }
  onMessage(listener: (message: FromWorker) => void): void {
    this.say = listener;
  }
  onExit(listener: (how: string, clean: boolean) => void): void {
    this.exit = listener;
  }
  kill(): void {
    this.killed = true;
    this.exit('SIGKILL', false);
  }
  listens(ready = true): void {
    this.say({ kind: 'state', ready, models: ready ? ['m'] : [] });
  }
}

const silenceMs = 10_000;

function site(count = 2): {
  clock: FakeClock;
  fleet: WorkerFleet;
  forked: FakeWorker[];
  gone: number[];
  restarts: () => number;
  kills: () => number;
  sweeps: () => number;
} {
  const clock = new FakeClock();
  const forked: FakeWorker[] = [];
  const gone: number[] = [];
  let restarts = 0;
  let kills = 0;
  let sweeps = 0;
  const book = { exchange: () => [], sweep: () => (sweeps += 1) };
  const fleet: WorkerFleet = new WorkerFleet({
    clock,
    logger: silentLogger,
    count,
    fork: () => {
      const worker = new FakeWorker(forked.length + 1);
      forked.push(worker);
      return worker;
    },
    hub: new TurnHub({ clock, defer: (flush) => void clock.setTimer(flush, 0), send: () => undefined }),
    leases: new LeaseDesk({ clock, book, send: (worker, message) => fleet.send(worker, message) }),
    questions: new QuestionHub({ clock, workers: () => fleet.listeningIds(), send: (worker, message) => fleet.send(worker, message) }),
    silenceMs,
    onRestart: () => (restarts += 1),
    onKill: () => (kills += 1),
    onMetrics: () => undefined,
    onGone: (worker) => void gone.push(worker),
  });
  return { clock, fleet, forked, gone, restarts: () => restarts, kills: () => kills, sweeps: () => sweeps };
}

async function started(count = 2): Promise<ReturnType<typeof site>> {
  const it = site(count);
  const starting = it.fleet.start();
  for (const worker of it.forked) worker.listens();
  expect(await starting).toEqual({ ok: true });
  return it;
}

describe('WorkerFleet', () => {
  it('has started when all listen, and is ready when all are', async () => {
    const { fleet, forked } = site();
    const starting = fleet.start();
    forked[0]?.listens();
    let done = false;
    void starting.then(() => (done = true));
    await Promise.resolve();
    expect([done, fleet.listening]).toEqual([false, 1]);
    forked[1]?.listens(false);
    expect(await starting).toEqual({ ok: true });
    const ready = fleet.untilAllReady();
    expect([fleet.ready, fleet.models()]).toEqual([1, ['m']]);
    forked[1]?.listens();
    expect(await ready).toBe(true);
  });

  it.each([
    ['says', (worker: FakeWorker | undefined) => worker?.say({ kind: 'problem', text: 'no' }), 'no'],
    ['does not say', (worker: FakeWorker | undefined) => worker?.exit('code 1', false), 'a worker ended (code 1) before it listened'],
  ])('does not start when a worker cannot, and %s why', async (_name, fails, problem) => {
    const { fleet, forked, restarts } = site();
    const starting = fleet.start();
    forked[0]?.listens();
    fails(forked[1]);
    expect(await starting).toEqual({ ok: false, problem });
    expect(restarts()).toBe(0);
  });

  it('starts a worker that ended again, ever later while they keep ending, at once again after a good life', async () => {
    const { clock, forked, gone, restarts } = await started();
    const endAndCome = (afterMs: number): boolean => {
      const before = forked.length;
      forked.at(-1)?.exit('SIGKILL', false);
      clock.advance(afterMs - 1);
      expect(forked.length).toBe(before);
      clock.advance(1);
      forked.at(-1)?.listens();
      return forked.length === before + 1;
    };
    expect([endAndCome(100), endAndCome(200), endAndCome(400)]).toEqual([true, true, true]);
    clock.advance(30_000);
    expect(endAndCome(100)).toBe(true);
    expect([gone, restarts()]).toEqual([[2, 3, 4, 5], 4]);
    expect(restartDelayMs(1000)).toBe(10_000);
  });

  it('kills one that lives and says nothing, and starts another', async () => {
    const { clock, fleet, forked, restarts, kills } = await started();
    const beats = (forMs: number): void => {
      for (let passedMs = 0; passedMs < forMs; passedMs += beatMs) {
        clock.advance(beatMs);
        forked[0]?.say({ kind: 'beat' });
        fleet.beat();
      }
    };
    beats(silenceMs - beatMs);
    expect(kills()).toBe(0);
    beats(beatMs);
    expect(forked.map(({ killed }) => killed)).toEqual([false, true]);
    beats(beatMs);
    forked[2]?.listens();
    expect([kills(), restarts(), fleet.listening]).toEqual([1, 1, 2]);
  });

  it('leaves one that is silent while all drain to the end of the grace', async () => {
    const { clock, fleet, forked, kills } = await started();
    const drained = fleet.drain(3 * silenceMs);
    for (let passedMs = 0; passedMs < 2 * silenceMs; passedMs += beatMs) {
      clock.advance(beatMs);
      fleet.beat();
    }
    expect([kills(), forked.map(({ killed }) => killed)]).toEqual([0, [false, false]]);
    for (const worker of forked) worker.exit('code 0', true);
    await drained;
  });

  it('answers asks for leases, forgets idle ones at each beat, and carries questions to those who listen', async () => {
    const { clock, fleet, forked, sweeps } = await started(3);
    fleet.beat();
    forked[2]?.exit('SIGKILL', false);
    clock.advance(100);
    const [first, second, , starting] = forked;
    first?.say({ kind: 'leases', asks: [] });
    first?.say({ kind: 'ask', id: 7, question: 'limits', body: '' });
    second?.say({ kind: 'reply', id: 1, body: 'AA==' });
    expect([sweeps(), first?.got, second?.got, starting?.got]).toEqual([1, ['leases', 'replies'], ['question'], []]);
    first?.say({ kind: 'ask', id: 8, question: 'limits', body: '' });
    second?.exit('SIGKILL', false);
    expect(first?.got.at(-1)).toBe('replies');
    expect(first?.got.length).toBe(3);
  });

  it('drains all, and is done when the last has ended', async () => {
    const { fleet, forked, clock } = await started();
    const drained = fleet.drain(1000);
    expect(forked.map(({ got }) => got)).toEqual([['drain'], ['drain']]);
    // It may not have heard: a process that is starting does not.
    forked[1]?.say({ kind: 'beat' });
    expect(forked.map(({ got }) => got.length)).toEqual([1, 2]);
    for (const worker of forked) worker.exit('code 0', true);
    await drained;
    clock.advance(60_000);
    expect([forked.length, fleet.alive]).toEqual([2, false]);
  });

  it('kills what does not end in time, and says that it was not well', async () => {
    const { fleet, forked, clock } = await started();
    const drained = fleet.drain(1000);
    forked[0]?.exit('code 0', true);
    clock.advance(1000);
    await expect(drained).rejects.toThrow('did not end well');
    expect(forked.map(({ killed }) => killed)).toEqual([false, true]);
  });
});
