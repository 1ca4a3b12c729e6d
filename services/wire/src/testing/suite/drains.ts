import { once } from 'node:events';
import { connect } from 'node:net';
import { statusCode } from '@headrace/runtime';
import { expect, it } from 'vitest';
import { call, chat, echo, holding, openStream, until } from './harness.js';
import type { Harness } from './harness.js';

/** A drain with this grace ends because all is done, or the test's timeout does it. */
const forEver = 600_000;

/** The end of a server while calls, streams and connections of all kinds are there. */
export function drainCases(harness: () => Harness): void {
  it('a stream that is open goes on both ways, new ones are refused, and its end ends the drain', async () => {
    const { channel, server } = await harness().pair([chat]);
    const talk = openStream(channel, chat.path);
    talk.stream.write(Buffer.from('before'));
    await until(() => talk.messages.length === 1);
    let over = false;
    const drained = server.drain(forEver).then(() => (over = true));
    const late = openStream(channel, chat.path);
    expect((await late.status).code).toBe(statusCode.UNAVAILABLE);
    talk.stream.write(Buffer.from('after'));
    await until(() => talk.messages.length === 2);
    expect(over).toBe(false);
    talk.stream.end();
    expect((await talk.status).code).toBe(statusCode.OK);
    await drained;
    expect(talk.messages.map(String)).toEqual(['before', 'after']);
  });

  it('a stream that outlives the grace is cut off, and its handler hears of it', async () => {
    let cancels = 0;
    const { channel, server } = await harness().pair([
      { kind: 'stream', path: chat.path, handle: (incoming) => (incoming.onCancel(() => cancels++), incoming.write(Buffer.from('here'))) },
    ]);
    const talk = openStream(channel, chat.path);
    await until(() => talk.messages.length === 1);
    await server.drain(20);
    expect((await talk.status).code).toBe(statusCode.UNAVAILABLE);
    await until(() => cancels === 1);
  });

  it('a second drain waits for the first and does not shorten it', async () => {
    const hold = holding();
    const { channel, server } = await harness().pair([hold.method]);
    const running = call(channel, hold.path);
    await until(() => hold.calls.length === 1);
    const first = server.drain(forEver);
    await until(() => channel.state() !== 'ready');
    const second = server.drain(0);
    // Cut connections would be seen by then: another server was drained meanwhile.
    const other = await harness().pair([echo]);
    await call(other.channel, echo.path);
    await other.server.drain(0);
    expect(hold.cancels()).toBe(0);
    hold.calls[0]?.reply(Buffer.from('in time'));
    expect(await running).toMatchObject({ ok: true });
    await Promise.all([first, second]);
  });

  it('connections without calls leave at once, and not when the last call is done', async () => {
    const hold = holding();
    const { channel, server, address } = await harness().pair([hold.method, echo]);
    const idle = harness().open(address);
    await call(idle, echo.path);
    const running = call(channel, hold.path);
    await until(() => hold.calls.length === 1);
    const drained = server.drain(forEver);
    await until(() => idle.state() !== 'ready');
    expect(hold.cancels()).toBe(0);
    hold.calls[0]?.reply(Buffer.alloc(0));
    expect(await running).toMatchObject({ ok: true });
    await drained;
  });

  it('a peer that has said nothing yet holds up no drain, and is gone after it', async () => {
    const { server, port, channel } = await harness().pair([echo]);
    const peer = connect(port, '127.0.0.1');
    await once(peer, 'connect');
    peer.resume();
    // Accepted in the order of their coming: with this one the other one is.
    expect(await call(channel, echo.path)).toMatchObject({ ok: true });
    const closed = once(peer, 'close');
    await server.drain(forEver);
    await closed;
  });
}
