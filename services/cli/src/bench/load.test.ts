import { FakeClock } from '@headrace/runtime/testing';
import { describe, expect, test } from 'vitest';
import { nextGapMs } from './arrivals.js';
import type { LoadPlan, Outcome, Send } from './load.js';
import { LoadRun } from './load.js';
import { seededRandom } from '../input/random.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const open = (ratePerSecond: number, maxInFlight = 1000): LoadPlan['loop'] => ({ kind: 'open', ratePerSecond, maxInFlight });
const closed = (concurrency: number): LoadPlan['loop'] => ({ kind: 'closed', concurrency });
const plan = (loop: LoadPlan['loop'], more: Partial<LoadPlan> = {}): LoadPlan => ({
  loop,
  warmUpMs: 0,
  durationMs: 1000,
  maxRequests: Infinity,
  ...more,
});
/** With this draw the next arrival of a 100/s process is exactly 10 ms away. */
const steady = () => 1 - Math.exp(-1);

/** Answers each request after the time that `serviceMs` gives for its number. */
function server(clock: FakeClock, serviceMs: (request: number) => number, outcome: (request: number) => Outcome = () => undefined) {
  const state = { sent: 0, inFlight: 0, mostInFlight: 0 };
  const send: Send = (done) => {
    const request = state.sent++;
    state.inFlight += 1;
    state.mostInFlight = Math.max(state.mostInFlight, state.inFlight);
    clock.setTimer(() => {
      state.inFlight -= 1;
      done(outcome(request));
    }, serviceMs(request));
  };
  return { state, send };
}

describe('closed loop', () => {
  test('keeps as many requests in flight as asked for, and waits for the last', async () => {
    const clock = new FakeClock();
    const { state, send } = server(clock, () => 10);
    const running = new LoadRun(plan(closed(4)), send, clock, Math.random).run();
    clock.advance(2000);
    const result = await running;
    expect(state.mostInFlight).toBe(4);
    // 4 clients, 10 ms each: 400 in a second; those sent before its end are answered after it.
    expect(result.latency.count).toBe(state.sent);
    expect(result.latency.count).toBeGreaterThanOrEqual(400);
    expect(result.latency.summary().maxMs).toBe(10);
  });

  test('ends after the number of requests asked for', async () => {
    const clock = new FakeClock();
    const { state, send } = server(clock, () => 10);
    const running = new LoadRun(plan(closed(3), { maxRequests: 10, durationMs: Infinity }), send, clock, Math.random).run();
    clock.advance(1000);
    expect((await running).latency.count).toBe(10);
    expect(state.sent).toBe(10);
    expect(clock.pendingTimers).toBe(0);
  });

  test('the warm-up is sent and not counted', async () => {
    const clock = new FakeClock();
    const { state, send } = server(clock, () => 10);
    const running = new LoadRun(plan(closed(1), { warmUpMs: 500 }), send, clock, Math.random).run();
    clock.advance(2000);
    const result = await running;
    expect(state.sent - result.latency.count).toBe(50);
  });

  test('failures are counted by reason, with the first message, and a failing server is not hammered', async () => {
    const clock = new FakeClock();
    const { state, send } = server(
      clock,
      () => 0,
      (request) => ({ reason: request < 3 ? 'QUEUE_FULL' : 'UNREACHABLE', message: `m${request}` }),
    );
    const running = new LoadRun(plan(closed(1)), send, clock, Math.random).run();
    clock.advance(2000);
    const result = await running;
    expect(state.sent).toBeLessThanOrEqual(101);
    expect(result.failed).toBe(state.sent);
    expect(result.failures.get('QUEUE_FULL')).toEqual({ count: 3, message: 'm0' });
    expect(result.latency.count).toBe(0);
  });

  test('a stop ends it with what was measured', async () => {
    const clock = new FakeClock();
    const { send } = server(clock, () => 10);
    const run = new LoadRun(plan(closed(1), { durationMs: Infinity }), send, clock, Math.random);
    const running = run.run();
    clock.advance(100);
    run.stop();
    clock.advance(10);
    expect((await running).latency.count).toBe(11);
  });
});

describe('open loop', () => {
  test('requests arrive whatever the answers do', async () => {
    const clock = new FakeClock();
    const { state, send } = server(clock, () => 500);
    const running = new LoadRun(plan(open(100)), send, clock, steady).run();
    clock.advance(2000);
    await running;
    expect(state.sent).toBe(100);
    expect(state.mostInFlight).toBe(50);
  });

  test('a stall of the client counts against latency: no coordinated omission', async () => {
    const clock = new FakeClock();
    const { send } = server(clock, () => 1);
    const stalled = new StallingClock(clock);
    const running = new LoadRun(plan(open(100)), send, stalled, steady).run();
    clock.advance(200);
    // The process sleeps for 300 ms: thirty arrivals are due when it wakes.
    stalled.stall(300);
    clock.advance(2000);
    const { latency, lateness } = await running;
    expect(latency.count).toBe(100);
    expect(latency.summary().maxMs).toBeGreaterThanOrEqual(290);
    expect(lateness.summary().maxMs).toBeGreaterThanOrEqual(289);
  });

  test('arrivals above the limit fail instead of piling up', async () => {
    const clock = new FakeClock();
    const { state, send } = server(clock, () => 10_000);
    const running = new LoadRun(plan(open(100, 5)), send, clock, steady).run();
    clock.advance(20_000);
    const result = await running;
    expect(state.sent).toBe(5);
    expect(result.failures.get('CLIENT_LIMIT')?.count).toBe(95);
  });

  test('gaps have the mean and the spread of a Poisson process', async () => {
    const random = seededRandom(3);
    const gaps = Array.from({ length: 20_000 }, () => nextGapMs(100, random()));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(mean).toBeCloseTo(10, 0);
    // Of an exponential the deviation is the mean.
    expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
    await turn();
  });
});

/** A clock whose timers are held back while the process is stalled; time itself goes on. */
class StallingClock {
  readonly #clock: FakeClock;
  #untilMs = 0;
  constructor(clock: FakeClock) {
    this.#clock = clock;
  }
  nowMs = () => this.#clock.nowMs();
  wallMs = () => this.#clock.wallMs();
  setTimer(fire: () => void, delayMs: number) {
    let inner = this.#clock.setTimer(() => {
      const leftMs = this.#untilMs - this.#clock.nowMs();
      if (leftMs > 0) inner = this.#clock.setTimer(fire, leftMs);
      else fire();
    }, delayMs);
    return { cancel: () => inner.cancel() };
  }
  stall(ms: number): void {
    this.#untilMs = this.#clock.nowMs() + ms;
  }
}
