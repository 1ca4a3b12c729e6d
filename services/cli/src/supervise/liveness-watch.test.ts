import { FakeClock } from '@headrace/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Probe } from './liveness-watch.js';
import { LivenessWatch, livenessPolicy } from './liveness-watch.js';

const { pauseMs, timeoutMs, maxSilences } = livenessPolicy;
let clock: FakeClock;
/** Questions in order; `answer` is what an answering process does. */
let asked: { readonly url: string; readonly atMs: number; readonly answer: () => void; abandoned: boolean }[];
let hungAtMs: number[];
/** How long the process takes to answer; undefined: it is silent. */
let answersAfterMs: number | undefined;

const probe: Probe = (url, onAnswer) => {
  const call = {
    url,
    atMs: clock.nowMs(),
    abandoned: false,
    answer: () => {
      if (!call.abandoned) onAnswer();
    },
  };
  asked.push(call);
  if (answersAfterMs !== undefined) clock.setTimer(call.answer, answersAfterMs);
  return { abandon: () => void (call.abandoned = true) };
};

beforeEach(() => {
  clock = new FakeClock(0);
  asked = [];
  hungAtMs = [];
  answersAfterMs = 1;
});

const watch = (): LivenessWatch => new LivenessWatch(clock, probe, 'http://host:1/livez', () => hungAtMs.push(clock.nowMs()));

describe('a process', () => {
  test('that answers is asked for ever, after a pause each time', () => {
    watch();
    clock.advance(4 * (pauseMs + 1));
    expect(asked.map(({ url, atMs }) => `${url} ${atMs}`)).toEqual(
      [1, 2, 3, 4].map((times) => `http://host:1/livez ${times * pauseMs + times - 1}`),
    );
    clock.advance(40_000);
    expect(hungAtMs).toEqual([]);
  });

  test('that is silent hangs after the last of several questions, and is asked no more', () => {
    answersAfterMs = undefined;
    watch();
    clock.advance(40_000);
    expect(hungAtMs).toEqual([maxSilences * (pauseMs + timeoutMs)]);
    expect(asked).toHaveLength(maxSilences);
    expect(asked.every(({ abandoned }) => abandoned)).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test('that is slow, but in time, does not hang', () => {
    answersAfterMs = timeoutMs - 1;
    watch();
    clock.advance(40_000);
    expect(hungAtMs).toEqual([]);
  });

  test('that answers one question of each few has its silences forgotten', () => {
    watch();
    for (let ms = 0; ms < 40_000; ms++) {
      answersAfterMs = asked.length % maxSilences === 0 ? 1 : undefined;
      clock.advance(1);
    }
    expect(hungAtMs).toEqual([]);
  });

  test('whose answer comes after its question was given up is not taken for alive', () => {
    answersAfterMs = timeoutMs + 1;
    watch();
    clock.advance(40_000);
    expect(hungAtMs).toHaveLength(1);
  });
});

test.each<[string, number]>([
  ['in a pause', pauseMs - 1],
  ['while a question is open', pauseMs + 1],
])('a watch that is stopped %s leaves nothing behind', (_, afterMs) => {
  answersAfterMs = undefined;
  const watching = watch();
  clock.advance(afterMs);
  watching.stop();
  expect(clock.pendingTimers).toBe(0);
  for (const call of asked) call.answer();
  clock.advance(40_000);
  expect([hungAtMs, clock.pendingTimers]).toEqual([[], 0]);
});
