import { statusCode } from '@headrace/runtime';
import { expect, it } from 'vitest';
import type { ChannelState, MethodHandler } from '../../port.js';
import { call, chat, echo, holding, inMs, openStream, until } from './harness.js';
import type { Harness } from './harness.js';

export function connectionCases(harness: () => Harness): void {
  it('lets running calls finish while draining, and refuses new ones', async () => {
    const hold = holding();
    const { channel, server } = await harness().pair([hold.method, echo]);
    const running = call(channel, hold.path);
    await until(() => hold.calls.length === 1);
    const drained = server.drain(10_000);
    const refused = await call(channel, echo.path);
    expect(refused).toMatchObject({ ok: false, status: { code: statusCode.UNAVAILABLE }, notProcessed: true });
    expect(hold.cancels()).toBe(0);
    hold.calls[0]?.reply(Buffer.from('in time'));
    expect(await running).toMatchObject({ ok: true, message: Buffer.from('in time') });
    await drained;
  });

  it('cuts off what outlives the grace', async () => {
    const hold = holding();
    const { channel, server } = await harness().pair([hold.method]);
    const running = call(channel, hold.path);
    await until(() => hold.calls.length === 1);
    await server.drain(20);
    expect(await running).toMatchObject({ ok: false, notProcessed: false, status: { code: statusCode.UNAVAILABLE } });
    await until(() => hold.cancels() === 1);
  });

  it('drains at once where nothing runs, and only once', async () => {
    const { channel, server } = await harness().pair([echo]);
    await call(channel, echo.path);
    let drains = 0;
    server.onDrain(() => drains++);
    await Promise.all([server.drain(600_000), server.drain(600_000)]);
    expect(drains).toBe(1);
  });

  it('rejects a taken port with code EADDRINUSE', async () => {
    const { port } = await harness().serve([echo]);
    await expect(harness().serve([echo], {}, port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('fails calls to a port where nobody listens, certain that nobody saw them', async () => {
    const { server, address } = await harness().serve([echo]);
    await server.drain(0);
    const outcome = await call(harness().open(address), echo.path);
    expect(outcome).toMatchObject({ ok: false, notProcessed: true, status: { code: statusCode.UNAVAILABLE } });
  });

  it('fails calls and streams of a lost connection as UNAVAILABLE, not certain whether they ran', async () => {
    const hold = holding();
    const { port } = await harness().serve([hold.method, chat]);
    const relay = await harness().relay(port);
    const channel = harness().open(relay.address);
    const running = call(channel, hold.path);
    const talk = openStream(channel, chat.path);
    talk.stream.write(Buffer.from('hello'));
    await until(() => hold.calls.length === 1 && talk.messages.length === 1);
    relay.cut();
    expect(await running).toMatchObject({ ok: false, notProcessed: false, status: { code: statusCode.UNAVAILABLE } });
    expect((await talk.status).code).toBe(statusCode.UNAVAILABLE);
    await until(() => hold.cancels() === 1);
  });

  it('works again after the connection was lost', async () => {
    const { port } = await harness().serve([echo]);
    const relay = await harness().relay(port);
    const channel = harness().open(relay.address);
    expect(await call(channel, echo.path)).toMatchObject({ ok: true });
    relay.cut();
    await until(() => channel.state() !== 'ready');
    expect(await call(channel, echo.path, '', { waitForReady: true })).toMatchObject({ ok: true });
  });

  it('connects again by itself when the server comes back', async () => {
    const first = await harness().serve([echo]);
    const channel = harness().open(first.address);
    const seen: ChannelState[] = [];
    channel.onState((state) => seen.push(state));
    channel.connect();
    await until(() => channel.state() === 'ready');
    await first.server.drain(0);
    await until(() => channel.state() === 'failing');
    await harness().serve([echo], {}, first.port);
    await until(() => channel.state() === 'ready');
    expect(await call(channel, echo.path)).toMatchObject({ ok: true });
    channel.close();
    expect(channel.state()).toBe('closed');
    expect(seen.filter((state) => state === 'ready').length).toBe(2);
    expect(seen.at(-1)).toBe('closed');
  });

  it('is idle until it is asked for something', async () => {
    const { channel } = await harness().pair([echo]);
    expect(channel.state()).toBe('idle');
    await call(channel, echo.path);
    expect(channel.state()).toBe('ready');
  });

  it('holds a call that waits for a server, until its deadline at most', async () => {
    const first = await harness().serve([echo]);
    await first.server.drain(0);
    const channel = harness().open(first.address);
    expect(await call(channel, echo.path, '', { waitForReady: true, deadlineMs: inMs(150) })).toMatchObject({
      ok: false,
      status: { code: statusCode.DEADLINE_EXCEEDED },
    });
    const waiting = call(channel, echo.path, 'patience', { waitForReady: true });
    await harness().serve([echo], {}, first.port);
    expect(await waiting).toMatchObject({ ok: true, message: Buffer.from('patience') });
  });

  it('keeps channels apart: each has its own connection, and closing one does not touch another', async () => {
    const whence: MethodHandler = {
      kind: 'unary',
      path: '/test.Suite/Whence',
      handle: (_message, incoming) => incoming.reply(Buffer.from(incoming.peer.address)),
    };
    const { address, channel } = await harness().pair([whence]);
    const other = harness().open(address);
    const answers = await Promise.all([channel, other].map(async (each) => call(each, whence.path)));
    expect(new Set(answers.map((outcome) => outcome.ok && outcome.message.toString())).size).toBe(2);
    channel.close();
    expect(await call(other, whence.path)).toMatchObject({ ok: true });
  });

  it('takes addresses with the dns scheme', async () => {
    const { port } = await harness().serve([echo]);
    expect(await call(harness().open(`dns:///127.0.0.1:${port}`), echo.path)).toMatchObject({ ok: true });
  });
}
