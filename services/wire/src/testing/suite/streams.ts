import { statusCode } from '@headrace/runtime';
import { expect, it } from 'vitest';
import { Metadata } from '../../metadata.js';
import type { MethodHandler, StreamCall } from '../../port.js';
import { chat, echo, call, deferred, inMs, openStream, settled, until } from './harness.js';
import type { Harness } from './harness.js';

const path = '/test.Suite/Stream';

function streaming(handle: (incoming: StreamCall) => void): MethodHandler {
  return { kind: 'stream', path, handle };
}

export function streamCases(harness: () => Harness): void {
  it('talks both ways in turns', async () => {
    const { channel } = await harness().pair([chat]);
    let left = 5;
    const talk = openStream(channel, chat.path, {}, () => {
      if (--left > 0) talk.stream.write(Buffer.from(`turn ${left}`));
      else talk.stream.end();
    });
    talk.stream.write(Buffer.from('turn 5'));
    expect(await talk.status).toMatchObject({ code: statusCode.OK });
    expect(talk.messages.map(String)).toEqual(['turn 5', 'turn 4', 'turn 3', 'turn 2', 'turn 1']);
  });

  it('streams from the server, with headers before and trailers after', async () => {
    const method = streaming((incoming) => {
      incoming.onMessage((message) => {
        const count = Number(message.toString());
        incoming.sendHeaders(Metadata.of({ 'x-count': String(count) }));
        for (let i = 0; i < count; i++) incoming.write(Buffer.from(`item ${i}`));
      });
      incoming.onEnd(() => incoming.end(Metadata.of({ 'x-done': 'yes' })));
    });
    const { channel } = await harness().pair([method]);
    const got = openStream(channel, path);
    got.stream.write(Buffer.from('100'));
    got.stream.end();
    const status = await got.status;
    expect(got.messages.map(String)).toEqual(Array.from({ length: 100 }, (_, i) => `item ${i}`));
    expect([got.headers[0]?.get('x-count'), status.trailers?.get('x-done'), got.headers.length]).toEqual(['100', 'yes', 1]);
  });

  it('streams from the client, answered once at the end', async () => {
    const method = streaming((incoming) => {
      let sum = 0;
      incoming.onMessage((message) => {
        sum += message.readUInt32LE();
      });
      incoming.onEnd(() => {
        incoming.write(Buffer.from(String(sum)));
        incoming.end();
      });
    });
    const { channel } = await harness().pair([method]);
    const sent = openStream(channel, path);
    for (let i = 1; i <= 100; i++) {
      const number = Buffer.alloc(4);
      number.writeUInt32LE(i);
      sent.stream.write(number);
    }
    sent.stream.end();
    await sent.status;
    expect(sent.messages.map(String)).toEqual(['5050']);
  });

  it('ends a stream on which nothing was said', async () => {
    const { channel } = await harness().pair([chat]);
    const silent = openStream(channel, chat.path);
    silent.stream.end();
    expect([(await silent.status).code, silent.messages.length]).toEqual([statusCode.OK, 0]);
  });

  it('fails in the middle, behind what was written', async () => {
    const method = streaming((incoming) => {
      incoming.write(Buffer.from('one'));
      incoming.write(Buffer.from('two'));
      incoming.fail({ code: statusCode.DATA_LOSS, message: 'gone', trailers: Metadata.of({ 'x-at': '2' }) });
      incoming.write(Buffer.from('never'));
    });
    const { channel } = await harness().pair([method]);
    const got = openStream(channel, path);
    const status = await got.status;
    expect([status.code, status.message, status.trailers?.get('x-at')]).toEqual([statusCode.DATA_LOSS, 'gone', '2']);
    expect(got.messages.map(String)).toEqual(['one', 'two']);
  });

  it('fails at once without a message', async () => {
    const method = streaming((incoming) => incoming.fail({ code: statusCode.PERMISSION_DENIED, message: 'no' }));
    const { channel } = await harness().pair([method]);
    expect(await openStream(channel, path).status).toMatchObject({ code: statusCode.PERMISSION_DENIED, message: 'no' });
  });

  it.each([
    ['the handler', false],
    ['its message listener', true],
  ])('turns an exception of %s into INTERNAL, and serves on', async (_name, late) => {
    const method = streaming((incoming) => {
      if (!late) throw new Error('hunter2');
      incoming.onMessage(() => {
        throw new Error('hunter2');
      });
    });
    const { channel } = await harness().pair([method, echo]);
    const got = openStream(channel, path);
    got.stream.write(Buffer.from('x'));
    const status = await got.status;
    expect(status.code).toBe(statusCode.INTERNAL);
    expect(status.message).not.toContain('hunter2');
    expect(await call(channel, echo.path)).toMatchObject({ ok: true });
  });

  it.each([
    ['a cancel', undefined, statusCode.CANCELLED],
    ['a deadline', 150, statusCode.DEADLINE_EXCEEDED],
  ])('ends the stream on both sides by %s', async (_name, timeoutMs, code) => {
    let cancels = 0;
    let endsAfterwards = 0;
    const opened = deferred<StreamCall>();
    const method = streaming((incoming) => {
      incoming.onMessage(() => opened.resolve(incoming));
      incoming.onEnd(() => {
        if (cancels > 0) endsAfterwards++;
      });
      incoming.onCancel(() => cancels++);
    });
    const { channel } = await harness().pair([method]);
    const got = openStream(channel, path, timeoutMs === undefined ? {} : { deadlineMs: inMs(timeoutMs) });
    got.stream.write(Buffer.from('x'));
    const incoming = await opened.promise;
    if (timeoutMs === undefined) got.stream.cancel();
    expect((await got.status).code).toBe(code);
    await until(() => cancels === 1);
    incoming.write(Buffer.from('too late'));
    incoming.end();
    expect([incoming.cancelled, endsAfterwards, cancels]).toEqual([true, 0, 1]);
  });

  it('stops a client whose server does not read, and lets it go on afterwards', async () => {
    const total = 400;
    const opened = deferred<StreamCall>();
    let received = 0;
    const method = streaming((incoming) => {
      incoming.onMessage(() => received++);
      incoming.onEnd(() => incoming.end());
      incoming.pause();
      opened.resolve(incoming);
    });
    const { channel } = await harness().pair([method]);
    const chunk = 100_000;
    let sent = 0;
    const done = deferred<number>();
    const pump = (): void => {
      while (sent < total) {
        sent++;
        if (!stream.write(Buffer.alloc(chunk))) return;
      }
      stream.end();
    };
    const stream = channel.stream(path, {}, { onMessage: () => {}, onDrain: pump, onStatus: ({ code }) => done.resolve(code) });
    pump();
    const incoming = await opened.promise;
    const stuckAt = await settled(() => sent);
    expect(stuckAt).toBeLessThan(total);
    expect(received).toBeLessThanOrEqual(1);
    incoming.resume();
    expect(await done.promise).toBe(statusCode.OK);
    expect([sent, received]).toEqual([total, total]);
  });

  it('stops a server whose client does not read, and lets it go on afterwards', async () => {
    const total = 400;
    let sent = 0;
    const method = streaming((incoming) => {
      const pump = (): void => {
        while (sent < total) {
          sent++;
          if (!incoming.write(Buffer.alloc(100_000))) return;
        }
        incoming.end();
      };
      incoming.onDrain(pump);
      pump();
    });
    const { channel } = await harness().pair([method]);
    const got = openStream(channel, path);
    got.stream.pause();
    await until(() => sent > 0);
    const stuckAt = await settled(() => sent);
    expect(stuckAt).toBeLessThan(total);
    // One read may have been under way when it was paused.
    expect(got.messages.length).toBeLessThanOrEqual(1);
    got.stream.resume();
    expect((await got.status).code).toBe(statusCode.OK);
    expect(got.messages.length).toBe(total);
  });
}
