import { FakeClock } from '@headrace/runtime/testing';
import { describe, expect, it } from 'vitest';
import type { RunBook, SlotLoad, SlotRun } from '../domain/slot-turns.js';
import type { FromWorker, ToWorker } from './messages.js';
import { beatMs, silentMs } from './messages.js';
import { TurnHub } from './turn-hub.js';
import { WorkerTurns } from './worker-turns.js';

/** A worker with one model and one slot; runs are entered by hand. */
class Worker {
  readonly turns: WorkerTurns;
  readonly runs = new Set<SlotRun>();
  readonly pumps: string[] = [];
  readonly spent: number[] = [];
  readonly observed: number[] = [];
  waiting = 0;
  oldestMs = 0;
  fallbacks = 0;
  /** False: what comes is kept until it is true again, as for a process that was stopped. */
  listens = true;
  readonly inbox: ToWorker[] = [];
  readonly #clock: FakeClock;

  constructor(clock: FakeClock, send: (message: FromWorker) => void) {
    this.#clock = clock;
    this.turns = new WorkerTurns({ clock, defer: (flush) => void clock.setTimer(flush, 0), send });
    const book: RunBook<SlotRun> = {
      enter: (run) => {
        const entry = { ...run };
        this.runs.add(entry);
        return entry;
      },
      leave: (run) => void this.runs.delete(run),
    };
    // The ledger takes any run book's own kind of run; here it is the plain one.
    this.turns.attachRuns(book);
    this.turns.attachLanes({
      turnsChanged: (model) => void this.pumps.push(model),
      targetsChanged: () => void this.pumps.push('*'),
      spendBypass: (_model, _version, ms) => void this.spent.push(ms),
    });
    this.turns.onFallback(() => (this.fallbacks += 1));
  }

  receive(message: ToWorker): void {
    if (!this.listens) this.inbox.push(message);
    else if (message.kind === 'turns' || message.kind === 'beat') this.turns.receive(message);
  }

  /** Whether a run may start on the slot now. */
  may(target = 's'): boolean {
    const load: SlotLoad = { id: target, outstanding: this.runs.size, capacity: 2, freeInMs: 0 };
    const [gated] = this.turns.gate('m', [load], () => ({ queuedRequests: this.waiting, oldestMs: this.oldestMs }));
    return gated !== undefined && gated.outstanding < gated.capacity;
  }

  start(target = 's'): SlotRun {
    const run = { targetId: target, backend: 'b', model: 'm', predictedMs: 10, startedMs: this.#clock.nowMs() };
    this.runs.add(run);
    this.turns.started(run);
    return run;
  }

  end(run: SlotRun): void {
    this.runs.delete(run);
    this.turns.ended(run);
  }
}

class Site {
  readonly clock = new FakeClock();
  readonly hub: TurnHub;
  readonly workers = new Map<number, Worker>();
  /** False: the primary does not run. */
  primaryRuns = true;
  readonly #held: (() => void)[] = [];

  constructor(count: number) {
    this.hub = new TurnHub({
      clock: this.clock,
      defer: (flush) => void this.clock.setTimer(flush, 0),
      send: (worker, message) => this.workers.get(worker)?.receive(message),
    });
    for (let id = 1; id <= count; id++) {
      this.workers.set(id, new Worker(this.clock, (message) => this.#toPrimary(() => this.#receive(id, message))));
      this.hub.join(id);
    }
    this.#beat();
    this.pass(1);
  }

  worker(id: number): Worker {
    const found = this.workers.get(id);
    if (found === undefined) throw new Error(`no worker ${id}`);
    return found;
  }

  pass(ms: number): void {
    this.clock.advance(ms);
  }

  resumePrimary(): void {
    this.primaryRuns = true;
    for (const act of this.#held.splice(0)) act();
  }

  #toPrimary(act: () => void): void {
    if (this.primaryRuns) act();
    else this.#held.push(act);
  }

  #receive(id: number, message: FromWorker): void {
    if (this.workers.get(id)?.listens !== true) return;
    this.hub.heard(id);
    if (message.kind === 'turns') this.hub.receive(id, message.epoch, message.claims);
  }

  #beat(): void {
    if (this.primaryRuns) this.hub.beat();
    this.clock.setTimer(() => this.#beat(), beatMs);
  }
}

/** A worker that wants a turn, and what came of it. */
function wants(worker: Worker, oldestMs = 0): void {
  worker.waiting = 1;
  worker.oldestMs = oldestMs;
  worker.may();
}

/** Both permits of the slot, and a run with each. */
function startTwo(site: Site, worker: Worker): void {
  for (let permit = 0; permit < 2; permit++) {
    wants(worker);
    site.pass(1);
    worker.start();
  }
}

describe('turns between workers', () => {
  it('a worker alone asks once, and its permits stay with it', () => {
    const site = new Site(2);
    const a = site.worker(1);
    wants(a);
    expect(a.may()).toBe(false);
    site.pass(1);
    for (let time = 0; time < 3; time++) {
      expect(a.may()).toBe(true);
      a.end(a.start());
      site.pass(1);
    }
  });

  it('two on one slot hand over one running and one staged run together, by turns', () => {
    const site = new Site(2);
    const [a, b] = [site.worker(1), site.worker(2)];
    for (const each of [a, b]) wants(each);
    site.pass(1);
    const [first, second] = [a.start(), b.start()];
    site.pass(1);
    // Each knows both runs, and nobody may start a third.
    expect([a.runs.size, b.runs.size, a.may(), b.may()]).toEqual([2, 2, false, false]);
    site.pass(1);
    a.oldestMs = 5;
    a.end(first);
    site.pass(1);
    // One place is free, and goes to one of them.
    expect([a.may(), b.may()].filter(Boolean).length).toBe(1);
    b.end(second);
    site.pass(1);
    expect([a.may(), b.may()]).toEqual([true, true]);
  });

  it('the one whose oldest request has waited longest comes first', () => {
    for (const [ageA, ageB] of [
      [50, 10],
      [10, 50],
    ] as const) {
      const site = new Site(3);
      const [a, b, c] = [site.worker(1), site.worker(2), site.worker(3)];
      for (let permit = 0; permit < 2; permit++) {
        wants(c);
        site.pass(1);
        c.start();
      }
      wants(a, ageA);
      wants(b, ageB);
      c.waiting = 0;
      site.pass(1);
      const [run] = c.runs;
      if (run !== undefined) c.end(run);
      site.pass(1);
      expect([a.may(), b.may()]).toEqual([ageA > ageB, ageB > ageA]);
    }
  });

  it('an idle permit comes back at once when its holder has nothing for it, else after its moment', () => {
    const site = new Site(2);
    const [a, b] = [site.worker(1), site.worker(2)];
    for (let permit = 0; permit < 2; permit++) {
      wants(a);
      site.pass(1);
      if (permit === 0) a.start();
    }
    // Something waits for it: B is put off, but not for ever.
    wants(b);
    site.pass(1);
    expect([a.may(), b.may()]).toEqual([true, false]);
    a.waiting = 0;
    site.pass(20);
    expect([a.may(), b.may()]).toEqual([false, true]);
  });

  it('a dead worker frees its permits and its runs', () => {
    const site = new Site(2);
    const [a, b] = [site.worker(1), site.worker(2)];
    startTwo(site, a);
    wants(b);
    site.pass(1);
    expect([b.may(), b.runs.size]).toEqual([false, 2]);
    site.hub.leave(1);
    site.pass(1);
    expect([b.may(), b.runs.size]).toEqual([true, 0]);
  });

  it('a worker that stands still loses its permits, and begins anew when it moves on', () => {
    const site = new Site(2);
    const [a, b] = [site.worker(1), site.worker(2)];
    startTwo(site, a);
    a.listens = false;
    wants(b);
    site.pass(silentMs + 2 * beatMs);
    expect(b.may()).toBe(true);
    const run = b.start();
    site.pass(1);
    a.listens = true;
    a.inbox.splice(0).forEach((message) => a.receive(message));
    site.pass(2 * beatMs);
    // Its own runs go on and are known again; what B did meanwhile is not known to A, but A has no permit of before.
    expect(b.runs.size).toBe(3);
    expect(a.may()).toBe(false);
    b.end(run);
    site.pass(1);
    expect(b.runs.size).toBe(2);
  });

  it('while the primary is silent each serves a slot with one run at a time, counted; then turns go on', () => {
    const site = new Site(2);
    const [a, b] = [site.worker(1), site.worker(2)];
    for (let permit = 0; permit < 2; permit++) {
      wants(a);
      site.pass(1);
    }
    const held = [a.start(), a.start()];
    site.primaryRuns = false;
    wants(b);
    site.pass(silentMs / 2);
    expect(b.may()).toBe(false);
    site.pass(silentMs + 2 * beatMs);
    expect(b.pumps).toContain('*');
    expect(b.may()).toBe(true);
    const run = b.start();
    expect([b.may(), b.fallbacks]).toEqual([false, 1]);
    site.resumePrimary();
    site.pass(2 * beatMs);
    // A's two and B's one, known to both; none of them holds a permit from before.
    expect([a.runs.size, b.runs.size]).toEqual([3, 3]);
    for (const each of held) a.end(each);
    b.end(run);
    site.pass(1);
    wants(b);
    site.pass(1);
    expect([a.runs.size, b.runs.size, b.may(), b.fallbacks]).toEqual([0, 0, true, 1]);
  });

  it('what bypass spends and what runs cost is known to all, and to each once', () => {
    const site = new Site(3);
    const books = [1, 2, 3].map((id) =>
      site.worker(id).turns.shareCosts({
        estimate: () => ({ predictMs: () => 0, identified: false, overheadMs: 0, perRowMs: 0, residualMs: 0 }),
        observe: (_shape, _class, rows) => void site.worker(id).observed.push(rows),
        reset: () => undefined,
      }),
    );
    site.worker(1).turns.bypassSpent('m', '', 7);
    books[1]?.observe('m', 'cpu', 4, 10);
    site.pass(1);
    expect([1, 2, 3].map((id) => site.worker(id).spent)).toEqual([[], [7], [7]]);
    expect([1, 2, 3].map((id) => site.worker(id).observed)).toEqual([[4], [4], [4]]);
  });
});
