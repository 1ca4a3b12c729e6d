import { statusCode } from '@headrace/runtime';
import { expect, it } from 'vitest';
import type { ChannelOptions, MethodHandler, ServerOptions } from '../../port.js';
import { call, chat, echo, holding, openStream, until } from './harness.js';
import type { Harness } from './harness.js';

/** Dead peers are found soon. */
const quick = { timeMs: 100, timeoutMs: 100, withoutCalls: true };
/** Asks often, and gives a busy machine the time to answer. */
const curious = { timeMs: 100, timeoutMs: 600_000, withoutCalls: true };

const whence: MethodHandler = {
  kind: 'unary',
  path: '/test.Suite/Whence',
  handle: (_message, incoming) => incoming.reply(Buffer.from(incoming.peer.address)),
};

/** Keepalive and age of connections, through the options of the port. */
export function lifetimeCases(harness: () => Harness): void {
  it('a server loses a client that stands still, and the calls that it had', async () => {
    const hold = holding();
    const { port } = await harness().serve([hold.method], { keepalive: quick });
    const relay = await harness().relay(port);
    void call(harness().open(relay.address), hold.path);
    await until(() => hold.calls.length === 1);
    relay.freeze();
    await until(() => hold.cancels() > 0);
    expect(hold.cancels()).toBe(1);
  });

  it('a channel loses a server that stands still: its calls fail as UNAVAILABLE, not certain whether they ran', async () => {
    const hold = holding();
    const { port } = await harness().serve([hold.method, chat]);
    const relay = await harness().relay(port);
    const channel = harness().open(relay.address, { keepalive: quick });
    const running = call(channel, hold.path);
    const talk = openStream(channel, chat.path);
    await until(() => hold.calls.length === 1);
    relay.freeze();
    expect(await running).toMatchObject({ ok: false, notProcessed: false, status: { code: statusCode.UNAVAILABLE } });
    expect((await talk.status).code).toBe(statusCode.UNAVAILABLE);
  });

  it.each([
    ['a server', 'toClient', { keepalive: curious }, {}],
    ['a channel', 'toServer', {}, { keepalive: curious }],
  ] as const)('%s asks a peer that is quiet, and keeps one that answers', async (_name, way, ofServer, ofChannel) => {
    const hold = holding();
    const { port } = await harness().serve([hold.method], ofServer satisfies ServerOptions);
    const relay = await harness().relay(port);
    const running = call(harness().open(relay.address, ofChannel satisfies ChannelOptions), hold.path);
    // One that was not answered would be the last.
    await until(() => relay.pings[way] >= 3);
    expect(hold.cancels()).toBe(0);
    hold.calls[0]?.reply(Buffer.from('late'));
    expect(await running).toMatchObject({ ok: true, message: Buffer.from('late') });
    expect(relay.pings[way === 'toServer' ? 'toClient' : 'toServer']).toBe(0);
  });

  it('a channel without calls asks only if it is told to', async () => {
    const { port } = await harness().serve([echo]);
    const [quiet, talkative] = [await harness().relay(port), await harness().relay(port)];
    await call(harness().open(quiet.address, { keepalive: { ...curious, withoutCalls: false } }), echo.path);
    await call(harness().open(talkative.address, { keepalive: curious }), echo.path);
    await until(() => talkative.pings.toServer >= 3);
    // What the call itself asked for is not counted: it may have taken its time.
    expect(quiet.pings.toServer).toBeLessThanOrEqual(1);
  });

  it('an old connection makes place for a new one, again and again, and no call is lost by it', async () => {
    const { channel } = await harness().pair([whence], { maxConnectionAgeMs: 300 });
    const seen = new Set<string>();
    while (seen.size < 3) {
      const outcome = await call(channel, whence.path);
      if (outcome.ok) seen.add(outcome.message.toString());
      expect(outcome.ok || outcome.notProcessed).toBe(true);
      await new Promise<void>((resolve) => setTimeout(resolve, 5));
    }
  });

  it('a call and a stream that run on an old connection are finished there', async () => {
    const hold = holding();
    const { channel } = await harness().pair([hold.method, chat], { maxConnectionAgeMs: 300, maxConnectionAgeGraceMs: 600_000 });
    const running = call(channel, hold.path);
    const talk = openStream(channel, chat.path);
    await until(() => hold.calls.length === 1 && channel.state() !== 'ready');
    talk.stream.write(Buffer.from('still there?'));
    await until(() => talk.messages.length === 1);
    talk.stream.end();
    expect((await talk.status).code).toBe(statusCode.OK);
    expect(hold.cancels()).toBe(0);
    hold.calls[0]?.reply(Buffer.from('in time'));
    expect(await running).toMatchObject({ ok: true, message: Buffer.from('in time') });
  });

  it('a call that outlives the grace of an old connection is cut off', async () => {
    const hold = holding();
    const { channel } = await harness().pair([hold.method], { maxConnectionAgeMs: 200, maxConnectionAgeGraceMs: 50 });
    const outcome = await call(channel, hold.path);
    expect(outcome).toMatchObject({ ok: false, notProcessed: false, status: { code: statusCode.UNAVAILABLE } });
    await until(() => hold.cancels() === 1);
  });
}
