import { expect, it } from 'vitest';
import { ThreadTurns } from './turns.js';
import type { RunThread } from './worker-thread.js';

function fakeThread(): RunThread & { busy: boolean } {
  const refuse = (): never => {
    throw new Error('not part of this test');
  };
  return { id: 1, busy: false, open: refuse, run: refuse, close: refuse, stop: refuse, onLost: () => {} };
}

it('those that wait go first come first served, and never the one that just ran', () => {
  const thread = fakeThread();
  const turns = new ThreadTurns(thread);
  const order: string[] = [];
  const users = ['a', 'b', 'c'].map((name) => ({ name }));
  for (const user of users) turns.wait(user, () => order.push(user.name));
  turns.offer(users[0] as object);
  expect(order).toEqual(['b', 'c']);
});

it('once a user took the thread the others go on waiting', () => {
  const thread = fakeThread();
  const turns = new ThreadTurns(thread);
  const order: string[] = [];
  const [a, b] = [{}, {}];
  turns.wait(a, () => {
    order.push('a');
    thread.busy = true;
  });
  turns.wait(b, () => order.push('b'));
  turns.offer({});
  expect(order).toEqual(['a']);
  thread.busy = false;
  turns.offer(a);
  expect(order).toEqual(['a', 'b']);
});
