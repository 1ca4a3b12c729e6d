import type { Clock } from '@headrace/runtime';
import { nextGapMs } from './arrivals.js';
import { LatencyRecorder } from './latency.js';

/** How a request ended: undefined = well, else the reason by which failures are counted. */
export type Outcome = { readonly reason: string; readonly message: string } | undefined;

/** Port to what sends. `done` is called exactly once, never synchronously. */
export type Send = (done: (outcome: Outcome) => void) => void;

export interface LoadPlan {
  /** closed: each of n clients sends the next request when it has its answer. open: requests arrive whatever the answers do. */
  readonly loop:
    | { readonly kind: 'closed'; readonly concurrency: number }
    | { readonly kind: 'open'; readonly ratePerSecond: number; readonly maxInFlight: number };
  readonly warmUpMs: number;
  /** Whichever comes first ends the measurement. */
  readonly durationMs: number;
  readonly maxRequests: number;
}

export interface LoadResult {
  /** From the intended start: closed loop, when it was sent; open loop, when it should have been (no coordinated omission). */
  readonly latency: LatencyRecorder;
  /** Open loop: how late requests were sent after they should have been; large values mean that the client is the bottleneck. */
  readonly lateness: LatencyRecorder;
  readonly failures: ReadonlyMap<string, { count: number; readonly message: string }>;
  readonly failed: number;
  /** From the first measured arrival to the last answer. */
  readonly elapsedMs: number;
}

/** A closed-loop client rests after a failure: a server that is gone refuses faster than any server answers. */
const afterFailureMs = 10;

/** Failure reasons are the server's words: no more than these are kept apart. */
const maxReasons = 50;

/** One measurement. run() resolves when the last measured request was answered; stop() ends it early. */
export class LoadRun {
  readonly #plan: LoadPlan;
  readonly #send: Send;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #latency = new LatencyRecorder();
  readonly #lateness = new LatencyRecorder();
  readonly #failures = new Map<string, { count: number; readonly message: string }>();
  #startMs = 0;
  #lastDoneMs = 0;
  #measured = 0;
  #inFlight = 0;
  #failed = 0;
  #stopped = false;
  #finish: (() => void) | undefined;

  constructor(plan: LoadPlan, send: Send, clock: Clock, random: () => number) {
    this.#plan = plan;
    this.#send = send;
    this.#clock = clock;
    this.#random = random;
  }

  async run(): Promise<LoadResult> {
    this.#startMs = this.#clock.nowMs() + this.#plan.warmUpMs;
    this.#lastDoneMs = this.#startMs;
    const { loop } = this.#plan;
    const finished = new Promise<void>((resolve) => (this.#finish = resolve));
    const end = this.#clock.setTimer(() => this.stop(), this.#plan.warmUpMs + this.#plan.durationMs);
    if (loop.kind === 'closed') for (let client = 0; client < loop.concurrency; client += 1) this.#sendClosed();
    else this.#arrive(this.#clock.nowMs(), loop.ratePerSecond, loop.maxInFlight);
    await finished;
    end.cancel();
    return this.result();
  }

  stop(): void {
    this.#stopped = true;
    this.#settle();
  }

  result(): LoadResult {
    return {
      latency: this.#latency,
      lateness: this.#lateness,
      failures: this.#failures,
      failed: this.#failed,
      elapsedMs: Math.max(0, this.#lastDoneMs - this.#startMs),
    };
  }

  get progress(): { readonly warmingUp: boolean; readonly done: number; readonly failed: number; readonly elapsedMs: number } {
    const elapsedMs = this.#clock.nowMs() - this.#startMs;
    return { warmingUp: elapsedMs < 0, done: this.#latency.count, failed: this.#failed, elapsedMs };
  }

  #sendClosed(): void {
    if (this.#enough()) return this.#settle();
    this.#launch(this.#clock.nowMs(), (failed) => {
      if (failed) this.#clock.setTimer(() => this.#sendClosed(), afterFailureMs);
      else this.#sendClosed();
    });
  }

  /** Sends all that is due, then sleeps until the next arrival. Timers are coarse (1 ms); intended times are not. */
  #arrive(firstMs: number, ratePerSecond: number, maxInFlight: number): void {
    let dueMs = firstMs;
    for (; dueMs <= this.#clock.nowMs(); dueMs += nextGapMs(ratePerSecond, this.#random())) {
      if (this.#enough()) return this.#settle();
      if (this.#inFlight >= maxInFlight)
        this.#record(dueMs, { reason: 'CLIENT_LIMIT', message: `${maxInFlight} requests were in flight already` });
      else {
        if (dueMs >= this.#startMs) this.#lateness.record(this.#clock.nowMs() - dueMs);
        this.#launch(dueMs, () => undefined);
      }
    }
    this.#clock.setTimer(() => this.#arrive(dueMs, ratePerSecond, maxInFlight), dueMs - this.#clock.nowMs());
  }

  #launch(intendedMs: number, then: (failed: boolean) => void): void {
    if (intendedMs >= this.#startMs) this.#measured += 1;
    this.#inFlight += 1;
    this.#send((outcome) => {
      this.#inFlight -= 1;
      this.#record(intendedMs, outcome);
      then(outcome !== undefined);
      this.#settle();
    });
  }

  #record(intendedMs: number, outcome: Outcome): void {
    if (intendedMs < this.#startMs) return;
    this.#lastDoneMs = this.#clock.nowMs();
    if (outcome === undefined) {
      this.#latency.record(this.#lastDoneMs - intendedMs);
      return;
    }
    this.#failed += 1;
    const reason = this.#failures.size < maxReasons || this.#failures.has(outcome.reason) ? outcome.reason : 'OTHER';
    const known = this.#failures.get(reason);
    if (known === undefined) this.#failures.set(reason, { count: 1, message: outcome.message });
    else known.count += 1;
  }

  #enough(): boolean {
    return this.#stopped || this.#measured >= this.#plan.maxRequests;
  }

  #settle(): void {
    if (this.#enough() && this.#inFlight === 0) this.#finish?.();
  }
}
