import { FakeClock } from '@headrace/runtime/testing';
import { describe, expect, it } from 'vitest';
import { beatMs } from './messages.js';
import { SilenceWatch } from './silence-watch.js';

const limitMs = 10_000;

/** A watch that is looked at every beat for as long as the clock goes; `says` tells who speaks at each. */
class Site {
  readonly clock = new FakeClock();
  readonly watch = new SilenceWatch(limitMs, this.clock.nowMs());
  /** Times from the beginning. */
  readonly ended: (readonly [worker: number, afterMs: number])[] = [];
  readonly #beganMs = this.clock.nowMs();

  constructor(workers: number, listening = true) {
    for (let worker = 1; worker <= workers; worker++) {
      this.watch.join(worker);
      if (listening) this.watch.listens(worker);
    }
  }

  run(forMs: number, says: readonly number[] = []): void {
    for (let passedMs = 0; passedMs < forMs; passedMs += beatMs) {
      this.clock.advance(beatMs);
      this.#look(says);
    }
  }

  /** Nothing runs for so long, the primary neither; then the next look comes. */
  stop(forMs: number): void {
    this.clock.advance(forMs);
    this.#look([]);
  }

  #look(says: readonly number[]): void {
    for (const worker of says) this.watch.heard(worker);
    const found = this.watch.look(this.clock.nowMs());
    if (found === undefined) return;
    this.ended.push([found.worker, this.clock.nowMs() - this.#beganMs]);
    this.watch.leave(found.worker);
  }
}

describe('SilenceWatch', () => {
  it('ends the one that says nothing, not before its time and only once', () => {
    const site = new Site(3);
    site.run(limitMs - beatMs, [1, 3]);
    expect(site.ended).toEqual([]);
    site.run(60_000, [1, 3]);
    expect(site.ended).toEqual([[2, limitMs]]);
  });

  it('lets one that speaks now and then live', () => {
    const site = new Site(1);
    for (let round = 0; round < 10; round++) {
      site.run(limitMs - 2 * beatMs);
      site.run(beatMs, [1]);
    }
    expect(site.ended).toEqual([]);
  });

  it.each([
    ['an hour of sleep', 3_600_000],
    ['a stop just longer than a worker may be silent', 1_001],
  ])('counts nothing of %s, and nothing of before', (_name, stopMs) => {
    const site = new Site(4);
    site.run(limitMs - beatMs);
    site.stop(stopMs);
    site.run(limitMs - beatMs);
    expect(site.ended).toEqual([]);
    site.run(beatMs);
    expect(site.ended.length).toBe(1);
  });

  it('ends those that are silent together one after the other, each after the whole time', () => {
    const site = new Site(3);
    site.run(10 * limitMs);
    expect(site.ended.map(([, afterMs]) => afterMs)).toEqual([limitMs, 2 * limitMs, 3 * limitMs]);
    expect(new Set(site.ended.map(([worker]) => worker)).size).toBe(3);
  });

  it('after one was ended, another that was silent nearly as long lives when it speaks', () => {
    const site = new Site(2);
    site.run(2 * beatMs, [1]);
    site.run(limitMs - 2 * beatMs);
    expect(site.ended.map(([worker]) => worker)).toEqual([2]);
    site.run(60_000, [1]);
    expect(site.ended.length).toBe(1);
  });

  it('gives one that starts six times as long', () => {
    const site = new Site(1, false);
    site.run(6 * limitMs - beatMs);
    expect(site.ended).toEqual([]);
    site.run(beatMs);
    expect(site.ended).toEqual([[1, 6 * limitMs]]);
  });

  it('never ends anybody without a limit', () => {
    const clock = new FakeClock();
    const watch = new SilenceWatch(Infinity, clock.nowMs());
    watch.join(1);
    for (let beat = 0; beat < 10_000; beat++) {
      clock.advance(beatMs);
      expect(watch.look(clock.nowMs())).toBeUndefined();
    }
  });
});
