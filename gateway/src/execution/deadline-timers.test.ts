import { FakeClock } from '@headrace/runtime/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DeadlineTimers } from './deadline-timers.js';

const item = (name: string): { name: string; dueMs: number; at: number[] } => ({ name, dueMs: Infinity, at: [-1] });

it('each item is due once, at the deadline that it was given last, and never when it was cleared', () => {
  const clock = new FakeClock();
  const due: [string, number][] = [];
  const startMs = clock.nowMs();
  const timers = new DeadlineTimers<ReturnType<typeof item>>(clock, ({ name }) => due.push([name, clock.nowMs() - startMs]));
  const [early, late, moved, cleared, none] = ['early', 'late', 'moved', 'cleared', 'none'].map(item) as [
    ReturnType<typeof item>,
    ReturnType<typeof item>,
    ReturnType<typeof item>,
    ReturnType<typeof item>,
    ReturnType<typeof item>,
  ];
  timers.set(late, startMs + 30);
  timers.set(early, startMs + 10);
  timers.set(moved, startMs + 5);
  timers.set(moved, startMs + 20);
  timers.set(cleared, startMs + 15);
  timers.set(none, startMs + 12);
  timers.set(none, Infinity);
  timers.clear(cleared);
  clock.advance(100);
  expect(due).toEqual([
    ['early', 10],
    ['moved', 20],
    ['late', 30],
  ]);
});

it('whatever is set and cleared, nothing is early and nothing is forgotten', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), fc.option(fc.nat(50)), fc.nat(10)), { maxLength: 40 }), (steps) => {
      const clock = new FakeClock();
      const wanted = new Map<string, number>();
      const timers = new DeadlineTimers<ReturnType<typeof item>>(clock, ({ name }) => {
        expect(clock.nowMs()).toBeGreaterThanOrEqual(wanted.get(name) ?? Infinity);
        wanted.delete(name);
      });
      const items = Array.from({ length: 6 }, (_, index) => item(String(index)));
      for (const [index, inMs, waitMs] of steps) {
        const one = items[index] ?? item('');
        if (inMs === null) {
          timers.clear(one);
          wanted.delete(one.name);
        } else {
          timers.set(one, clock.nowMs() + inMs);
          wanted.set(one.name, clock.nowMs() + inMs);
        }
        clock.advance(waitMs);
      }
      clock.advance(1000);
      expect([...wanted]).toEqual([]);
    }),
  );
});
