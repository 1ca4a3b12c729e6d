import { beforeEach, describe, expect, it } from 'vitest';
import { rawData, rawFrame, rawHeaders, rawPing, preface, rawSettings } from '../../testing/raw-frames.js';
import { errorName, frameFlag, frameType, settingId } from '../frames/constants.js';
import type { KeepaliveOptions } from '../../port.js';
import { HpackEncoder } from '../hpack/index.js';
import { Bench } from '../testing/plain-stream.js';
import { Watchdog } from './watchdog.js';
import type { AgeSettings } from './watchdog.js';
import type { ConnectionLimits } from './limits.js';

const never: KeepaliveOptions = { timeMs: Infinity, timeoutMs: 1_000, withoutCalls: true };
const block = Buffer.from(new HpackEncoder().encode([':method', 'POST']));

describe('Watchdog', () => {
  let bench: Bench;

  async function watch(
    limits: Partial<ConnectionLimits>,
    keepalive = never,
    age: AgeSettings = {},
    ...settings: (readonly [number, number])[]
  ): Promise<Watchdog> {
    bench = await Bench.server(limits, ...settings);
    const watchdog = new Watchdog(bench.clock, keepalive, age);
    watchdog.add(bench.connection);
    return watchdog;
  }

  const codes = async (): Promise<string[]> =>
    (await bench.frames()).flatMap(({ type, payload }) => {
      if (type === frameType.goaway) return [`GOAWAY ${errorName(payload.readUInt32BE(4))}`];
      if (type === frameType.rstStream) return [`RST_STREAM ${errorName(payload.readUInt32BE(0))}`];
      return type === frameType.ping ? ['PING'] : [];
    });

  beforeEach(() => {
    bench = new Bench();
  });

  it('one timer serves all connections, and none is left without any', async () => {
    const watchdog = await watch({});
    const other = new Bench();
    const before = bench.clock.pendingTimers;
    watchdog.add(other.connection);
    expect(bench.clock.pendingTimers).toBe(before);
    watchdog.remove(bench.connection);
    expect(bench.clock.pendingTimers).toBe(before);
    watchdog.remove(other.connection);
    expect(bench.clock.pendingTimers).toBe(before - 1);
  });

  it('a preface that does not come ends the connection after headerTimeoutMs', async () => {
    bench = new Bench({ headerTimeoutMs: 5_000 });
    new Watchdog(bench.clock, never).add(bench.connection);
    await bench.feed(preface.subarray(0, 10));
    bench.clock.advance(5_000);
    expect(await codes()).toEqual([]);
    bench.clock.advance(500);
    expect(await codes()).toEqual(['GOAWAY ENHANCE_YOUR_CALM']);
  });

  it('a frame that is not completed ends the connection, counted from its own begin', async () => {
    await watch({ headerTimeoutMs: 5_000 });
    bench.clock.advance(60_000);
    await bench.feed(rawPing().subarray(0, 12));
    bench.clock.advance(5_000);
    expect(await codes()).toEqual([]);
    bench.clock.advance(1_000);
    expect(await codes()).toEqual(['GOAWAY ENHANCE_YOUR_CALM']);
  });

  it('a header block that is fed with CONTINUATION is not completed', async () => {
    await watch({ headerTimeoutMs: 5_000 });
    await bench.feed(rawHeaders(1, block, false, false));
    for (let each = 0; each < 12; each++) {
      await bench.feed(rawFrame(frameType.continuation, 0, 1, block));
      bench.clock.advance(500);
    }
    expect(await codes()).toEqual(['GOAWAY ENHANCE_YOUR_CALM']);
  });

  it('a busy peer that is in the middle of another frame at each look is let be', async () => {
    await watch({ headerTimeoutMs: 5_000 });
    await bench.feed(rawHeaders(1, block));
    const bytes = Buffer.concat(Array.from({ length: 100 }, () => rawData(1, Buffer.alloc(100))));
    for (let at = 0; at < 60 * 109; at += 109) {
      await bench.feed(bytes.subarray(at === 0 ? 0 : at + 50, at + 109 + 50));
      expect(bench.connection.inFrame).toBe(true);
      bench.clock.advance(500);
    }
    expect(await codes()).toEqual([]);
  });

  it('a body that stops ends its stream after bodyIdleTimeoutMs; one that goes on, or that nobody waits for, does not', async () => {
    await watch({ bodyIdleTimeoutMs: 5_000 });
    bench.onOpened = (stream) => (stream.awaitsBytes = stream.id !== 5);
    await bench.feed(rawHeaders(1, block), rawHeaders(3, block), rawHeaders(5, block));
    for (let each = 0; each < 4; each++) {
      bench.clock.advance(2_000);
      await bench.feed(rawData(3, Buffer.of(1)));
    }
    expect(await codes()).toEqual(['RST_STREAM CANCEL']);
    expect(bench.opened.map((stream) => stream.losses.length)).toEqual([1, 0, 0]);
  });

  it('a body by the byte, each within bodyIdleTimeoutMs, ends its stream: it must come at minBodyBytesPerS once bodyGraceMs are over', async () => {
    await watch({ bodyIdleTimeoutMs: 5_000, bodyGraceMs: 20_000, minBodyBytesPerS: 100 });
    bench.onOpened = (stream) => (stream.awaitsBytes = true);
    await bench.feed(rawHeaders(1, block), rawHeaders(3, block));
    // Stream 1 a byte each time, stream 3 a little more than 100 bytes a second.
    for (let each = 0; each < 10; each++) {
      await bench.feed(rawData(1, Buffer.of(1)), rawData(3, Buffer.alloc(210)));
      bench.clock.advance(2_000);
    }
    expect(await codes()).toEqual([]);
    for (let each = 0; each < 10; each++) {
      await bench.feed(rawData(1, Buffer.of(1)), rawData(3, Buffer.alloc(210)));
      bench.clock.advance(1_000);
    }
    expect(await codes()).toEqual(['RST_STREAM CANCEL']);
    expect(bench.opened.map((stream) => stream.losses.length)).toEqual([1, 0]);
  });

  it('a reader that has paused for long has all its time again when it goes on', async () => {
    await watch({ bodyIdleTimeoutMs: 5_000, bodyGraceMs: 5_000 });
    await bench.feed(rawHeaders(1, block), rawData(1, Buffer.of(1)));
    const [stream] = bench.opened;
    if (stream === undefined) throw new Error('no stream');
    stream.awaitsBytes = true;
    bench.clock.advance(2_000);
    stream.awaitsBytes = false;
    bench.clock.advance(3_600_000);
    stream.awaitsBytes = true;
    bench.clock.advance(4_500);
    expect(await codes()).toEqual([]);
    bench.clock.advance(2_000);
    expect(await codes()).toEqual(['RST_STREAM CANCEL']);
  });

  it('a window that stays shut does not end a stream whose reader may pause', async () => {
    await watch({ stallTimeoutMs: 5_000 }, never, {}, [settingId.initialWindowSize, 10]);
    bench.onOpened = (stream) => (stream.mayWait = true);
    await bench.feed(rawHeaders(1, block, true));
    for (const stream of bench.opened) bench.connection.sendData(stream, Buffer.alloc(0), Buffer.alloc(20), false);
    expect(await codes()).toEqual([]);
    bench.clock.advance(3_600_000);
    expect(await codes()).toEqual([]);
  });

  it('a window that stays shut ends its stream after stallTimeoutMs, whatever else is said', async () => {
    await watch({ stallTimeoutMs: 5_000 }, never, {}, [settingId.initialWindowSize, 10]);
    await bench.feed(rawHeaders(1, block, true), rawHeaders(3, block, true));
    for (const stream of bench.opened) bench.connection.sendData(stream, Buffer.alloc(0), Buffer.alloc(20), false);
    for (let each = 0; each < 6; each++) {
      bench.clock.advance(1_000);
      // Stream 3 is let through by the byte, and PINGs come and are answered.
      await bench.feed(rawFrame(frameType.windowUpdate, 0, 3, Buffer.of(0, 0, 0, 1)), rawPing());
    }
    expect((await codes()).filter((code) => code !== 'PING')).toEqual(['RST_STREAM CANCEL']);
    expect(bench.opened.map((stream) => stream.losses.length)).toEqual([1, 0]);
    expect(bench.connection.unsentBytes).toBe(4);
  });

  it('a reply that waited long for its handler is not stalled when it begins to wait for a window', async () => {
    await watch({ stallTimeoutMs: 5_000 }, never, {}, [settingId.initialWindowSize, 10]);
    await bench.feed(rawHeaders(1, block, true));
    bench.clock.advance(60_000);
    const [stream] = bench.opened;
    if (stream !== undefined) bench.connection.sendData(stream, Buffer.alloc(0), Buffer.alloc(20), false);
    bench.clock.advance(4_000);
    expect(await codes()).toEqual([]);
  });

  it('a socket that takes nothing ends the connection after stallTimeoutMs', async () => {
    await watch({ stallTimeoutMs: 5_000 });
    bench.socket.open = false;
    await bench.feed(rawPing());
    await bench.feed(rawPing());
    bench.clock.advance(5_000);
    expect(bench.closes).toEqual([]);
    bench.clock.advance(1_000);
    expect(bench.closes).toEqual([expect.objectContaining({ message: expect.stringMatching(/not taken in time/) as string })]);
  });

  it('keepalive: a PING after silence, and the end when nothing answers', async () => {
    await watch({}, { timeMs: 10_000, timeoutMs: 3_000, withoutCalls: true });
    bench.clock.advance(10_000);
    expect(await codes()).toEqual(['PING']);
    await bench.feed(rawPing(frameFlag.ack));
    bench.clock.advance(9_500);
    expect(await codes()).toEqual([]);
    bench.clock.advance(1_000);
    expect(await codes()).toEqual(['PING']);
    bench.clock.advance(4_000);
    expect(bench.closes).toEqual([expect.objectContaining({ message: 'no answer to PING within 3000 ms' })]);
  });

  it('keepalive leaves a connection without calls alone where it is told so', async () => {
    await watch({}, { timeMs: 10_000, timeoutMs: 3_000, withoutCalls: false });
    bench.clock.advance(60_000);
    expect(await codes()).toEqual([]);
    await bench.feed(rawHeaders(1, block));
    bench.clock.advance(11_000);
    expect(await codes()).toEqual(['PING']);
  });

  it('an old connection leaves in two steps, and is ended after the grace', async () => {
    await watch({}, never, { maxAgeMs: 100_000, ageGraceMs: 20_000 });
    await bench.feed(rawHeaders(1, block));
    bench.clock.advance(89_500);
    expect(await codes()).toEqual([]);
    bench.clock.advance(21_000);
    expect(await codes()).toEqual(['GOAWAY NO_ERROR', 'PING']);
    await bench.feed(rawHeaders(3, block), rawPing(frameFlag.ack), rawHeaders(5, block));
    expect(await codes()).toEqual(['GOAWAY NO_ERROR']);
    expect(bench.opened.map(({ id }) => id)).toEqual([1, 3]);
    bench.clock.advance(20_500);
    expect(bench.closes).toEqual([expect.objectContaining({ clean: true })]);
  });

  it('SETTINGS that come by the byte do not help a preface', async () => {
    bench = new Bench({ headerTimeoutMs: 5_000 });
    new Watchdog(bench.clock, never).add(bench.connection);
    const bytes = Buffer.concat([preface, rawSettings([settingId.maxFrameSize, 16_384])]);
    for (const byte of bytes) {
      await bench.feed(Buffer.of(byte));
      bench.clock.advance(200);
    }
    expect(await codes()).toEqual(['GOAWAY ENHANCE_YOUR_CALM']);
  });
});
