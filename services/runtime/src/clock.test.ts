import { expect, test } from 'vitest';
import { systemClock } from './clock.js';

test('a timer never fires before its time, fractions of a millisecond included', async () => {
  const early = async (delayMs: number): Promise<number> => {
    const startMs = systemClock.nowMs();
    await new Promise<void>((resolve) => systemClock.setTimer(resolve, delayMs));
    return Math.max(0, delayMs - (systemClock.nowMs() - startMs));
  };
  const found: number[] = [];
  for (let round = 0; round < 100; round++) found.push(...(await Promise.all([0, 0.4, 1, 1.9, 3.3].map(early))));
  expect(found.filter((ms) => ms > 0)).toEqual([]);
});

test('a cancelled timer does not fire, whenever it is cancelled', async () => {
  let fired = 0;
  const timers = Array.from({ length: 20 }, (_, index) => systemClock.setTimer(() => fired++, index / 4));
  for (const timer of timers) timer.cancel();
  await new Promise<void>((resolve) => systemClock.setTimer(resolve, 10));
  expect(fired).toBe(0);
});
