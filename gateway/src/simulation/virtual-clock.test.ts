import fc from 'fast-check';
import { expect, it } from 'vitest';
import { VirtualClock } from './virtual-clock.js';

it('fires timers in the order of their time, then of their creation, each at its own time', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ delayMs: fc.nat(20), cancelled: fc.boolean() }), { maxLength: 50 }), (timers) => {
      const clock = new VirtualClock();
      const fired: { index: number; atMs: number }[] = [];
      const set = timers.map(({ delayMs }, index) => clock.setTimer(() => fired.push({ index, atMs: clock.nowMs() }), delayMs));
      timers.forEach(({ cancelled }, index) => cancelled && set[index]?.cancel());
      while (clock.step(100));
      const left = timers.map((timer, index) => ({ ...timer, index })).filter(({ cancelled }) => !cancelled);
      const expected = left
        .sort((a, b) => a.delayMs - b.delayMs || a.index - b.index)
        .map(({ index, delayMs }) => ({ index, atMs: delayMs }));
      expect(fired).toEqual(expected);
      expect(clock.pendingTimers).toBe(0);
    }),
  );
});

it('leaves what is due at the moment it moves to, so that all of that moment is seen together', () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  clock.setTimer(() => fired.push('before'), 9);
  clock.setTimer(() => fired.push('then'), 10);
  clock.moveTo(10);
  expect([fired, clock.nowMs()]).toEqual([['before'], 10]);
  clock.moveTo(5);
  expect(clock.nowMs()).toBe(10);
  clock.moveTo(11);
  expect(fired).toEqual(['before', 'then']);
});

it.each([NaN, -5])('takes a delay of %d for none', (delayMs) => {
  const clock = new VirtualClock();
  let fired = false;
  clock.setTimer(() => (fired = true), delayMs);
  expect([clock.step(0), fired, clock.nowMs()]).toEqual([true, true, 0]);
});

it('does not step past the end it is given', () => {
  const clock = new VirtualClock();
  clock.setTimer(() => undefined, 10);
  expect([clock.step(9), clock.nowMs(), clock.step(10), clock.nowMs()]).toEqual([false, 0, true, 10]);
});
