import { expect, it } from 'vitest';
import { FakeClock } from './fake-clock.js';

it('fires timers at their own times, in order, including those set on the way', () => {
  const clock = new FakeClock(0);
  const fired: string[] = [];
  const note = (name: string) => () => fired.push(`${name}@${clock.nowMs()}`);
  clock.setTimer(note('b'), 20);
  clock.setTimer(note('a'), 10);
  clock.setTimer(() => clock.setTimer(note('chained'), 5), 10);
  clock.setTimer(note('cancelled'), 12).cancel();
  clock.setTimer(note('late'), 31);
  clock.advance(30);
  expect([fired, clock.nowMs(), clock.pendingTimers]).toEqual([['a@10', 'chained@15', 'b@20'], 30, 1]);
});

it('moves the wall clock with time, and alone by a jump', () => {
  const clock = new FakeClock(0, 1_000_000);
  clock.advance(5);
  clock.jumpWall(-500);
  expect([clock.nowMs(), clock.wallMs()]).toEqual([5, 999_505]);
});
