import { Lifecycle, silentLogger } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { expect, it } from 'vitest';
import type { LeaseAsk } from '../domain/lease-store.js';
import { silentMs } from './messages.js';
import type { FromWorker, ToWorker } from './messages.js';
import { WorkerLink } from './worker-link.js';

const bucket = { name: 'r', ratePerSecond: 1, burst: 1, total: 0, owed: 0, want: 1, usePerSecond: 0, initial: 1 };
const ask: LeaseAsk = { tenantKey: 'a', epoch: 'e', sequence: 1, ttlMs: 2_000, buckets: [bucket] };

function linked(): { clock: FakeClock; link: WorkerLink; sent: FromWorker[]; hear: (message: ToWorker) => void } {
  const clock = new FakeClock();
  const sent: FromWorker[] = [];
  const listeners: ((message: ToWorker) => void)[] = [];
  const link = new WorkerLink({
    clock,
    logger: silentLogger,
    defer: (flush) => void clock.setTimer(flush, 0),
    channel: {
      send: (message) => void sent.push(message),
      onMessage: (listener) => void listeners.push(listener),
      onClose: () => undefined,
      close: () => undefined,
    },
    lifecycle: new Lifecycle({ clock, logger: silentLogger, graceMs: 1_000 }),
  });
  return { clock, link, sent, hear: (message) => listeners.forEach((listener) => listener(message)) };
}

it('asks the primary for leases, and hears what it gives', async () => {
  const { clock, link, sent, hear } = linked();
  const answers = link.leases.exchange(ask);
  clock.advance(0);
  expect(sent.filter(({ kind }) => kind === 'leases')).toEqual([{ kind: 'leases', asks: [{ id: 1, ask }] }]);
  hear({ kind: 'leases', replies: [{ id: 1, answers: [{ lease: 1, level: 0, share: 1 }] }] });
  expect(await answers).toEqual([{ lease: 1, level: 0, share: 1 }]);
});

it('asks nothing of a primary that is silent; any word of it will do', async () => {
  const { clock, link, sent, hear } = linked();
  clock.advance(silentMs + 1);
  await expect(link.leases.exchange(ask)).rejects.toThrow('silent');
  hear({ kind: 'beat', epoch: 1 });
  void link.leases.exchange(ask);
  clock.advance(0);
  expect(sent.filter(({ kind }) => kind === 'leases').length).toBe(1);
});

it('asks siblings, and answers them', async () => {
  const { link, sent, hear } = linked();
  const told = link.siblings.askSiblings('explain', Buffer.from('id'));
  hear({ kind: 'replies', id: 1, bodies: [Buffer.from('there').toString('base64')], missing: 0 });
  expect((await told).map(String)).toEqual(['there']);
  link.siblings.answer('explain', async (body) => Buffer.from(`here ${body.toString()}`));
  hear({ kind: 'question', id: 9, question: 'explain', body: Buffer.from('id').toString('base64') });
  await expect.poll(() => sent.at(-1)).toEqual({ kind: 'reply', id: 9, body: Buffer.from('here id').toString('base64') });
});

it('leaves nobody waiting when it ends', async () => {
  const { link } = linked();
  const answers = link.leases.exchange(ask).catch(String);
  const told = link.siblings.askSiblings('limits', Buffer.alloc(0));
  link.close();
  expect(await answers).toContain('this worker has ended');
  expect(await told).toEqual([]);
});
