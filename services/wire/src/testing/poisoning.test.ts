import { systemClock } from '@headrace/runtime';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { grpcJsTransport } from '../grpc-js/transport.js';
import type { MethodHandler } from '../port.js';
import { poisonByte, poisoningTransport } from './poisoning.js';
import { Harness, call, chat, openStream } from './suite/harness.js';

// Real sockets on a machine that may be busy: the limit only ends what hangs.
vi.setConfig({ testTimeout: 30_000 });

let harness: Harness;
beforeEach(() => {
  harness = new Harness(poisoningTransport(grpcJsTransport(systemClock)));
});
afterEach(async () => harness.close());

const poisoned = Buffer.alloc(3, poisonByte);

it('overwrites a request that a handler keeps', async () => {
  let kept: Buffer | undefined;
  const keeping: MethodHandler = {
    kind: 'unary',
    path: '/test.Poison/Keep',
    handle: (message, incoming) => {
      kept = message;
      incoming.reply(Buffer.from('ok'));
    },
  };
  const { channel } = await harness.pair([keeping]);
  await call(channel, keeping.path, 'abc');
  expect(kept).toEqual(poisoned);
});

it('overwrites a reply and a stream message that a client keeps', async () => {
  const echoing: MethodHandler = {
    kind: 'unary',
    path: '/test.Poison/Echo',
    handle: (message, incoming) => incoming.reply(Buffer.from(message)),
  };
  const { channel } = await harness.pair([echoing, chat]);
  const reply = await new Promise<Buffer>((resolve, reject) => {
    channel.unary(echoing.path, Buffer.from('abc'), {}, (outcome) =>
      outcome.ok ? resolve(outcome.message) : reject(new Error(outcome.status.message)),
    );
  });
  expect(reply).toEqual(poisoned);
  const kept: Buffer[] = [];
  const talk = openStream(channel, chat.path, {}, (message) => kept.push(message));
  talk.stream.write(Buffer.from('abc'));
  talk.stream.end();
  await talk.status;
  expect(kept).toEqual([poisoned]);
  expect(talk.messages.map(String)).toEqual(['abc']);
});

it('refuses a borrowed message that is given away without a copy', async () => {
  const careless: MethodHandler = { kind: 'unary', path: '/test.Poison/Careless', handle: (message, incoming) => incoming.reply(message) };
  const { channel } = await harness.pair([careless]);
  expect(await call(channel, careless.path, 'abc')).toMatchObject({ ok: false });
});
