import { statusCode } from '@headrace/runtime';
import { expect, it } from 'vitest';
import type { MethodHandler } from '../../port.js';
import { call, echo, holding, openStream, until } from './harness.js';
import type { Harness } from './harness.js';

const growing: MethodHandler = {
  kind: 'unary',
  path: '/test.Suite/Grow',
  handle: (message, incoming) => incoming.reply(Buffer.alloc(Number(message.toString()))),
};

export function limitCases(harness: () => Harness): void {
  const cases: readonly (readonly [string, { server?: number; channel?: number }, MethodHandler, Buffer, boolean])[] = [
    ['a request at the server limit passes', { server: 1_000 }, echo, Buffer.alloc(1_000), true],
    ['a request above the server limit is refused', { server: 1_000 }, echo, Buffer.alloc(1_001), false],
    ['a reply above the server limit is refused', { server: 1_000 }, growing, Buffer.from('1001'), false],
    ['a reply at the client limit passes', { channel: 1_000 }, growing, Buffer.from('1000'), true],
    ['a reply above the client limit is refused', { channel: 1_000 }, growing, Buffer.from('1001'), false],
    ['a request above the client limit is refused', { channel: 1_000 }, echo, Buffer.alloc(1_001), false],
  ];
  it.each(cases)('%s', async (_name, limits, method, message, passes) => {
    const { channel } = await harness().pair(
      [echo, growing],
      limits.server === undefined ? {} : { maxMessageBytes: limits.server },
      limits.channel === undefined ? {} : { maxMessageBytes: limits.channel },
    );
    const outcome = await call(channel, method.path, message);
    expect(outcome.ok || outcome.status.code).toBe(passes ? true : statusCode.RESOURCE_EXHAUSTED);
    expect(await call(channel, echo.path, 'next')).toMatchObject({ ok: true });
  });

  it('refuses a message above the limit on a stream', async () => {
    let cancels = 0;
    const method: MethodHandler = {
      kind: 'stream',
      path: '/test.Suite/Big',
      handle: (incoming) => {
        incoming.onMessage(() => {});
        incoming.onCancel(() => cancels++);
      },
    };
    const { channel } = await harness().pair([method], { maxMessageBytes: 1_000 });
    const got = openStream(channel, method.path);
    got.stream.write(Buffer.alloc(1_001));
    expect((await got.status).code).toBe(statusCode.RESOURCE_EXHAUSTED);
    await until(() => cancels === 1);
  });

  it('never runs more calls of one connection than it allows', async () => {
    const hold = holding();
    const { channel } = await harness().pair([hold.method, echo], { maxConcurrentStreams: 2 });
    // The limit is known once the connection stands.
    await call(channel, echo.path);
    const outcomes = Array.from({ length: 6 }, async () => call(channel, hold.path));
    for (let answered = 0; answered < 6; answered++) {
      await until(() => hold.calls.length > answered);
      expect(hold.calls.length - answered).toBeLessThanOrEqual(2);
      hold.calls[answered]?.reply(Buffer.alloc(0));
    }
    expect((await Promise.all(outcomes)).every(({ ok }) => ok)).toBe(true);
  });
}
