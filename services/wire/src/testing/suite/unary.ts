import { statusCode } from '@headrace/runtime';
import { expect, it } from 'vitest';
import { Metadata } from '../../metadata.js';
import type { MethodHandler, ServerCall } from '../../port.js';
import { call, echo, holding, inMs, until } from './harness.js';
import type { Harness } from './harness.js';

export function unaryCases(harness: () => Harness): void {
  it.each([
    ['empty', Buffer.alloc(0)],
    ['small', Buffer.from('hello')],
    ['larger than a frame and a window', Buffer.alloc(3_000_000, 'abc')],
  ])('carries an %s message both ways', async (_name, message) => {
    const { channel } = await harness().pair([echo]);
    const outcome = await call(channel, echo.path, message);
    expect(outcome.ok && outcome.message.equals(message)).toBe(true);
  });

  it('runs many calls at once without mixing their messages', async () => {
    const { channel } = await harness().pair([echo]);
    const texts = Array.from({ length: 200 }, (_, i) => `message ${i}`);
    const outcomes = await Promise.all(texts.map(async (text) => call(channel, echo.path, text)));
    expect(outcomes.map((outcome) => outcome.ok && outcome.message.toString())).toEqual(texts);
  });

  it('calls done later, even on a closed channel', async () => {
    const { channel } = await harness().pair([echo]);
    channel.close();
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      channel.unary(echo.path, Buffer.alloc(0), {}, (outcome) => {
        order.push('done');
        expect(outcome).toMatchObject({ ok: false, notProcessed: true, status: { code: statusCode.UNAVAILABLE } });
        resolve();
      });
      order.push('returned');
    });
    expect(order).toEqual(['returned', 'done']);
  });

  it.each([
    ['plain', 'no such model'],
    ['percent signs and punctuation', '100% of "a;b", #1?'],
    ['lines and letters beyond ASCII', 'zweite Zeile:\nDürfte gehen, 数字, 🙂'],
  ])('carries a failure with trailers: %s', async (_name, text) => {
    const trailers = Metadata.of({ 'x-why': 'because', 'x-why-bin': Buffer.from([0, 1, 255]) });
    const failing: MethodHandler = {
      kind: 'unary',
      path: '/test.Suite/Fail',
      handle: (_m, incoming) => incoming.fail({ code: statusCode.NOT_FOUND, message: text, trailers }),
    };
    const { channel } = await harness().pair([failing]);
    const outcome = await call(channel, failing.path);
    expect(outcome).toMatchObject({ ok: false, notProcessed: false, status: { code: statusCode.NOT_FOUND, message: text } });
    const got = outcome.ok ? undefined : outcome.status.trailers;
    expect(got?.get('x-why')).toBe('because');
    expect(got?.getBinary('x-why-bin')).toEqual(Buffer.from([0, 1, 255]));
  });

  it('survives a message of lone surrogates and of any length', async () => {
    const failing: MethodHandler = {
      kind: 'unary',
      path: '/test.Suite/Fail',
      handle: (_m, incoming) => incoming.fail({ code: statusCode.INTERNAL, message: `\ud800 ${'x'.repeat(100_000)}` }),
    };
    const { channel } = await harness().pair([failing, echo]);
    expect(await call(channel, failing.path)).toMatchObject({ ok: false, status: { code: statusCode.INTERNAL } });
    expect(await call(channel, echo.path, 'still here')).toMatchObject({ ok: true });
  });

  it('carries metadata both ways: text, several values, bytes', async () => {
    let seen: ServerCall | undefined;
    const method: MethodHandler = {
      kind: 'unary',
      path: '/test.Suite/Meta',
      handle: (_m, incoming) => {
        seen = incoming;
        // Read while the call lives: a transport may decode lazily.
        void incoming.metadata;
        incoming.sendHeaders(Metadata.of({ 'x-head': 'h', 'x-head-bin': Buffer.from([7]) }));
        incoming.reply(Buffer.from('ok'), Metadata.of({ 'x-tail': 't', 'x-tail-bin': Buffer.from([8]) }));
      },
    };
    const { channel } = await harness().pair([method]);
    const metadata = Metadata.of({ 'X-Upper': 'case', 'x-all-bin': Buffer.from(Array.from({ length: 256 }, (_, i) => i)), 'x-empty': '' });
    metadata.append('x-twice', 'a');
    metadata.append('x-twice', 'b');
    const outcome = await call(channel, method.path, '', { metadata });
    expect(seen?.metadata.get('x-upper')).toBe('case');
    expect(seen?.metadata.getAll('x-twice').join(', ').split(', ')).toEqual(['a', 'b']);
    expect(seen?.metadata.getBinary('x-all-bin')).toEqual(metadata.getBinary('x-all-bin'));
    expect(seen?.metadata.get('x-empty')).toBe('');
    expect(
      [...(seen?.metadata.entries() ?? [])].map(([key]) => key).filter((key) => !key.startsWith('x-') && key !== 'user-agent'),
    ).toEqual([]);
    if (!outcome.ok) throw new Error(outcome.status.message);
    expect([outcome.headers.get('x-head'), outcome.trailers.get('x-tail')]).toEqual(['h', 't']);
    expect([outcome.headers.getBinary('x-head-bin'), outcome.trailers.getBinary('x-tail-bin')]).toEqual([
      Buffer.from([7]),
      Buffer.from([8]),
    ]);
    expect([outcome.headers.get('x-tail'), outcome.trailers.get('x-head')]).toEqual([undefined, undefined]);
  });

  it('does not fail a call whose metadata text cannot travel', async () => {
    const { channel } = await harness().pair([echo]);
    expect(await call(channel, echo.path, '', { metadata: Metadata.of({ 'x-odd': 'line\nbreak ü' }) })).toMatchObject({ ok: true });
  });

  it('tells the server where a call comes from', async () => {
    let peer: ServerCall['peer'] | undefined;
    const method: MethodHandler = {
      kind: 'unary',
      path: '/test.Suite/Peer',
      handle: (_m, incoming) => {
        peer = incoming.peer;
        incoming.reply(Buffer.alloc(0));
      },
    };
    const { channel } = await harness().pair([method]);
    await call(channel, method.path);
    expect(peer).toMatchObject({ loopback: true, secure: false, identities: [] });
    expect(peer?.address).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('answers UNIMPLEMENTED to an unknown method, naming it', async () => {
    const { channel } = await harness().pair([echo]);
    const outcome = await call(channel, '/test.Suite/Nothing');
    expect(outcome).toMatchObject({
      ok: false,
      status: { code: statusCode.UNIMPLEMENTED, message: expect.stringContaining('/test.Suite/Nothing') as string },
    });
  });

  it('refuses a path registered twice', () => {
    const server = harness().transport.createServer({});
    server.register(echo);
    expect(() => server.register(echo)).toThrow(echo.path);
  });

  it('turns an exception of a handler into INTERNAL without its text, and serves on', async () => {
    const throwing: MethodHandler = {
      kind: 'unary',
      path: '/test.Suite/Throw',
      handle: () => {
        throw new Error('the password is hunter2');
      },
    };
    const { channel } = await harness().pair([throwing, echo]);
    const outcome = await call(channel, throwing.path);
    expect(outcome).toMatchObject({ ok: false, status: { code: statusCode.INTERNAL } });
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
    expect(await call(channel, echo.path)).toMatchObject({ ok: true });
  });

  it('takes the first answer only', async () => {
    const twice: MethodHandler = {
      kind: 'unary',
      path: '/test.Suite/Twice',
      handle: (_m, incoming) => {
        incoming.reply(Buffer.from('first'));
        incoming.reply(Buffer.from('second'));
        incoming.fail({ code: statusCode.INTERNAL, message: 'third' });
      },
    };
    const { channel } = await harness().pair([twice, echo]);
    expect(await call(channel, twice.path)).toMatchObject({ ok: true, message: Buffer.from('first') });
    expect(await call(channel, echo.path)).toMatchObject({ ok: true });
  });

  it('sends the deadline, and ends the call on both sides when it passes', async () => {
    const hold = holding();
    const { channel } = await harness().pair([hold.method]);
    const deadlineMs = inMs(200);
    const outcome = await call(channel, hold.path, '', { deadlineMs });
    expect(outcome).toMatchObject({ ok: false, notProcessed: false, status: { code: statusCode.DEADLINE_EXCEEDED } });
    await until(() => hold.cancels() === 1);
    const [incoming] = hold.calls;
    expect(incoming?.cancelled).toBe(true);
    // grpc-timeout has a resolution, and the way here took a moment.
    expect(Math.abs((incoming?.deadlineMs ?? 0) - deadlineMs)).toBeLessThan(1_000);
  });

  it('has no deadline where the client set none', async () => {
    const hold = holding();
    const { channel } = await harness().pair([hold.method]);
    const outcome = call(channel, hold.path);
    await until(() => hold.calls.length === 1);
    expect(hold.calls[0]?.deadlineMs).toBe(Infinity);
    hold.calls[0]?.reply(Buffer.alloc(0));
    expect(await outcome).toMatchObject({ ok: true });
  });

  it('fails a call whose deadline has passed already', async () => {
    const { channel } = await harness().pair([echo]);
    expect(await call(channel, echo.path, '', { deadlineMs: inMs(-5) })).toMatchObject({
      ok: false,
      status: { code: statusCode.DEADLINE_EXCEEDED },
    });
  });

  it('passes a cancel on to the server, once, and ignores what is answered afterwards', async () => {
    const hold = holding();
    const { channel } = await harness().pair([hold.method, echo]);
    const outcome = new Promise((resolve) => {
      const outgoing = channel.unary(hold.path, Buffer.alloc(0), {}, resolve);
      void until(() => hold.calls.length === 1).then(() => outgoing.cancel());
    });
    expect(await outcome).toMatchObject({ ok: false, status: { code: statusCode.CANCELLED } });
    await until(() => hold.cancels() === 1);
    const [incoming] = hold.calls;
    incoming?.reply(Buffer.from('too late'));
    incoming?.fail({ code: statusCode.INTERNAL, message: 'too late' });
    let atOnce = false;
    incoming?.onCancel(() => {
      atOnce = true;
    });
    expect(atOnce).toBe(true);
    expect(await call(channel, echo.path)).toMatchObject({ ok: true });
    expect(hold.cancels()).toBe(1);
  });

  it('reports no cancel after a normal end', async () => {
    const hold = holding();
    const { channel } = await harness().pair([hold.method, echo]);
    const outcome = call(channel, hold.path);
    await until(() => hold.calls.length === 1);
    hold.calls[0]?.reply(Buffer.from('done'));
    await outcome;
    channel.close();
    const other = harness().open((await harness().serve([echo])).address);
    await call(other, echo.path);
    expect([hold.cancels(), hold.calls[0]?.cancelled]).toEqual([0, false]);
  });
}
