import { describe, expect, it } from 'vitest';
import {
  preface,
  rawData,
  rawFrame,
  rawGoaway,
  rawHeaders,
  rawPing,
  rawReset,
  rawSettings,
  rawSettingsAck,
  rawWindowUpdate,
} from '../../testing/raw-frames.js';
import { errorCode, errorName, frameFlag, frameType, settingId } from '../frames/constants.js';
import { HpackEncoder } from '../hpack/index.js';
import { Bench, PlainStream } from '../testing/plain-stream.js';

const none = Buffer.alloc(0);
const block = Buffer.from(new HpackEncoder().encode([':method', 'POST']));

const brief = (frames: Awaited<ReturnType<Bench['frames']>>): string[] =>
  frames.map(({ type, flags, streamId, payload }) => {
    const name = Object.entries(frameType).find(([, value]) => value === type)?.[0] ?? '';
    const end = (type === frameType.data || type === frameType.headers) && (flags & frameFlag.endStream) !== 0 ? ' end' : '';
    return `${name} ${streamId}${type === frameType.data ? ` ${payload.length}` : ''}${end}`;
  });

async function client(...settings: (readonly [id: number, value: number])[]): Promise<Bench> {
  const bench = new Bench({}, false);
  await bench.feed(rawSettings(...settings));
  await bench.frames();
  return bench;
}

describe('Connection', () => {
  it('introduces itself with its limits, and acknowledges the peer’s', async () => {
    const bench = new Bench({
      maxConcurrentStreams: 7,
      streamWindowBytes: 70_000,
      connectionWindowBytes: 80_000,
      maxFrameBytes: 17_000,
      maxHeaderListBytes: 900,
    });
    await bench.feed(preface, rawSettings());
    const [settings, update, ack] = await bench.frames();
    expect(settings?.payload.toString('hex')).toBe(rawSettings([3, 7], [4, 70_000], [5, 17_000], [6, 900]).toString('hex', 9));
    expect(update?.payload.readUInt32BE(0)).toBe(80_000 - 65_535);
    expect([ack?.type, ack?.flags]).toEqual([frameType.settings, frameFlag.ack]);
  });

  it('a change of INITIAL_WINDOW_SIZE moves the windows of the streams that are open, once', async () => {
    const bench = await client([settingId.initialWindowSize, 100], [settingId.maxConcurrentStreams, 1]);
    const first = new PlainStream();
    const second = new PlainStream();
    bench.connection.begin(first);
    bench.connection.sendHeaders(first, [':method', 'POST'], false);
    bench.connection.sendData(first, none, Buffer.alloc(300), true);
    first.remoteEnded = true;
    // The first ends as its last byte goes out, in the middle of the change, and makes room for the second.
    bench.onRoomNow = () => void bench.connection.begin(second);
    await bench.feed(rawSettings([settingId.initialWindowSize, 500]));
    expect([first.sendWindow, second.id, second.sendWindow]).toEqual([200, 3, 500]);
  });

  it('END_STREAM behind queued bytes does not lose them, though the peer has ended its side', async () => {
    const bench = await Bench.server({}, [settingId.initialWindowSize, 10]);
    await bench.feed(rawHeaders(1, block, true));
    const [stream] = bench.opened;
    if (stream === undefined) throw new Error('no stream');
    bench.connection.sendData(stream, none, Buffer.alloc(25), false);
    bench.connection.sendData(stream, none, none, true);
    await bench.feed(rawWindowUpdate(1, 100));
    expect(brief(await bench.frames())).toEqual(['data 1 10', 'data 1 15 end']);
    expect(bench.connection.streams.size).toBe(0);
  });

  it('trailers wait behind queued bytes', async () => {
    const bench = await Bench.server({}, [settingId.initialWindowSize, 10]);
    await bench.feed(rawHeaders(1, block, true));
    const [stream] = bench.opened;
    if (stream === undefined) throw new Error('no stream');
    expect(bench.connection.sendData(stream, none, Buffer.alloc(25), false)).toBe(false);
    bench.connection.sendHeaders(stream, ['grpc-status', '0'], true);
    await bench.feed(rawWindowUpdate(1, 100));
    expect(brief(await bench.frames())).toEqual(['data 1 10', 'data 1 15', 'headers 1 end']);
    expect(bench.connection.unsentBytes).toBe(0);
  });

  it('one reply may be longer than maxUnsentBytes; one more on top of it ends the connection', async () => {
    const bench = await Bench.server({ maxUnsentBytes: 1_000 }, [settingId.initialWindowSize, 0]);
    await bench.feed(rawHeaders(1, block, true), rawHeaders(3, block, true));
    const [one, two] = bench.opened;
    if (one === undefined || two === undefined) throw new Error('no streams');
    bench.connection.sendData(one, none, Buffer.alloc(5_000), false);
    expect(bench.closes).toEqual([]);
    bench.connection.sendData(two, none, Buffer.alloc(1), false);
    expect(bench.closes).toEqual([expect.objectContaining({ message: expect.stringMatching(/more than 1000 bytes wait/) as string })]);
    expect([one.losses.length, two.losses.length]).toEqual([1, 1]);
  });

  it('a stream window below 64 KiB holds from when the peer has seen it', async () => {
    const bench = new Bench({ streamWindowBytes: 1_000 });
    await bench.feed(preface, rawSettings(), rawHeaders(1, block), ...Array.from({ length: 4 }, () => rawData(1, Buffer.alloc(16_000))));
    expect(bench.opened.map(({ losses }) => losses)).toEqual([[]]);
    await bench.feed(rawSettingsAck(), rawHeaders(3, block), rawData(3, Buffer.alloc(1_000)));
    expect(bench.opened.map(({ losses }) => losses)).toEqual([[], []]);
    await bench.feed(rawData(3, Buffer.alloc(1)), rawData(1, Buffer.alloc(1)));
    const violation: unknown = expect.objectContaining({ kind: 'violation', code: errorCode.flowControlError });
    expect(bench.opened.map(({ losses }) => losses)).toEqual([[violation], [violation]]);
  });

  it.each([
    ['one between two DATA frames of ours is free', 1, 0],
    ['two are not: the second counts', 2, 30],
  ])('PINGs that measure bandwidth: %s', async (_name, pings, counted) => {
    const bench = await Bench.server({ idleFrameBurst: 30, idleFramesPerS: 0 });
    await bench.feed(rawHeaders(1, block, true));
    const [stream] = bench.opened;
    if (stream === undefined) throw new Error('no stream');
    for (let each = 0; each < 30; each++) {
      bench.connection.sendData(stream, none, Buffer.alloc(1), false);
      await bench.feed(...Array.from({ length: pings }, () => rawPing()));
    }
    expect(bench.closes).toEqual([]);
    // However much DATA goes out, it pays for one PING.
    for (let each = 0; each < 5; each++) bench.connection.sendData(stream, none, Buffer.alloc(1), false);
    await bench.feed(...Array.from({ length: 1 + 30 - counted }, () => rawPing()));
    expect(bench.closes).toEqual([]);
    await bench.feed(rawPing());
    expect(bench.closes).toHaveLength(1);
  });

  it('a peer that takes frames of 16 MiB gets turns of 64 KiB: replies and acknowledgements are not held up by a large one', async () => {
    const bench = await Bench.server({}, [settingId.initialWindowSize, 0x7fffffff], [settingId.maxFrameSize, 16_777_215]);
    await bench.feed(rawWindowUpdate(0, 0x7fffffff - 65_535), rawHeaders(1, block, true), rawHeaders(3, block, true));
    const [large, small] = bench.opened;
    if (large === undefined || small === undefined) throw new Error('no streams');
    bench.socket.copies = true;
    bench.socket.open = false;
    bench.connection.sendData(large, none, Buffer.alloc(4_000_000), true);
    bench.connection.sendData(small, none, Buffer.alloc(1_000), true);
    await bench.feed(rawPing());
    bench.socket.release();
    for (let each = 0; each < 1_000 && bench.connection.unsentBytes > 0; each++) await bench.feed();
    const frames = await bench.frames();
    const data = frames.filter(({ type }) => type === frameType.data);
    expect(Math.max(...data.map(({ payload }) => payload.length))).toBe(64 * 1024);
    const before = (index: number): number => frames.slice(0, index).reduce((bytes, { payload }) => bytes + payload.length, 0);
    // What was handed to the socket goes first: half a MiB, and a turn.
    expect(before(frames.findIndex(({ streamId, type }) => type === frameType.data && streamId === 3))).toBeLessThan(700_000);
    expect(before(frames.findIndex(({ type }) => type === frameType.ping))).toBeLessThan(700_000);
    expect(data.reduce((bytes, { payload }) => bytes + payload.length, 0)).toBe(4_001_000);
  });

  it('what a client’s callers send is theirs: no amount of it ends the connection', async () => {
    const bench = await client([settingId.initialWindowSize, 0]);
    for (let each = 0; each < 100; each++) {
      const stream = new PlainStream();
      bench.connection.begin(stream);
      bench.connection.sendData(stream, none, Buffer.alloc(1024 * 1024), true);
    }
    expect(bench.closes).toEqual([]);
    expect(bench.connection.unsentBytes).toBe(100 * 1024 * 1024);
  });

  it('a defect costs the connection that found it, and is reported', async () => {
    const bench = await Bench.server();
    const defect = new TypeError('not in the peer’s hands');
    bench.onOpened = () => {
      throw defect;
    };
    await bench.feed(rawHeaders(1, block));
    expect(bench.closes).toEqual([{ message: 'INTERNAL_ERROR: internal error', clean: false, defect }]);
    expect(brief(await bench.frames())).toEqual(['goaway 0']);
  });

  it('streams after a GOAWAY are ignored, and no later GOAWAY counts them in', async () => {
    const bench = await Bench.server();
    await bench.feed(rawHeaders(1, block));
    bench.connection.goaway(false, 'bye');
    await bench.feed(rawHeaders(3, block), rawData(3, Buffer.of(1)), rawFrame(frameType.data, 0, 0));
    const last = (await bench.frames())
      .filter(({ type }) => type === frameType.goaway)
      .map(({ payload }) => [payload.readUInt32BE(0), errorName(payload.readUInt32BE(4))]);
    expect(last).toEqual([
      [1, 'NO_ERROR'],
      [1, 'PROTOCOL_ERROR'],
    ]);
    expect(bench.opened.map(({ id }) => id)).toEqual([1]);
  });

  it('a peer’s GOAWAY tells the calls above it that nobody looked at them; the others go on to their end', async () => {
    const bench = await client();
    const streams = [new PlainStream(), new PlainStream()];
    for (const stream of streams) bench.connection.begin(stream);
    await bench.feed(rawGoaway(1, 0));
    expect(streams.map(({ losses }) => losses)).toEqual([[], [expect.objectContaining({ kind: 'connection', refused: true })]]);
    expect(bench.connection.begin(new PlainStream())).toBe(false);
    const [first] = streams;
    if (first !== undefined) bench.connection.sendData(first, none, none, true);
    await bench.feed(rawHeaders(1, block, true));
    bench.clock.advance(2_000);
    expect(bench.closes).toEqual([expect.objectContaining({ clean: true })]);
  });

  it('windows reopen: the stream’s as its handler takes, the connection’s as bytes arrive', async () => {
    const bench = await Bench.server({ streamWindowBytes: 20_000, connectionWindowBytes: 80_000 });
    await bench.feed(rawSettingsAck(), rawHeaders(1, block), rawHeaders(3, block));
    for (let each = 0; each < 4; each++) await bench.feed(rawData(1, Buffer.alloc(5_000)), rawData(3, Buffer.alloc(5_000)));
    expect((await bench.frames()).map(({ streamId, payload }) => [streamId, payload.readUInt32BE(0)])).toEqual([[0, 40_000]]);
    const [one] = bench.opened;
    if (one === undefined) throw new Error('no stream');
    bench.connection.consumed(one, 9_999);
    expect(await bench.frames()).toEqual([]);
    bench.connection.consumed(one, 1);
    expect((await bench.frames()).map(({ streamId, payload }) => [streamId, payload.readUInt32BE(0)])).toEqual([[1, 10_000]]);
    // And stream 3, whose handler takes nothing, may not send another byte.
    await bench.feed(rawData(3, Buffer.of(1)));
    expect((await bench.frames()).map(({ type, streamId, payload }) => [type, streamId, payload.readUInt32BE(0)])).toEqual([
      [frameType.rstStream, 3, errorCode.flowControlError],
    ]);
  });

  it('padding counts against both windows and is given back at once', async () => {
    const bench = await Bench.server({ streamWindowBytes: 400 });
    await bench.feed(rawSettingsAck(), rawHeaders(1, block));
    await bench.feed(rawFrame(frameType.data, frameFlag.padded, 1, Buffer.concat([Buffer.of(255), Buffer.alloc(256)])));
    expect(bench.opened[0]?.payloadBytes).toBe(1);
    expect((await bench.frames()).map(({ streamId, payload }) => [streamId, payload.readUInt32BE(0)])).toEqual([[1, 256]]);
    expect(bench.opened[0]?.receiveWindow).toBe(399);
  });

  it('calls that end on both sides earn back resets, others do not', async () => {
    const bench = await Bench.server({ resetBurst: 2, resetsPerS: 0 });
    let id = 1;
    const useful = async (): Promise<void> => {
      await bench.feed(rawHeaders(id, block, true));
      const stream = bench.opened.at(-1);
      if (stream !== undefined) bench.connection.sendHeaders(stream, ['grpc-status', '0'], true);
      id += 2;
    };
    const reset = async (): Promise<void> => {
      await bench.feed(rawHeaders(id, block), rawReset(id, errorCode.cancel));
      id += 2;
    };
    for (let each = 0; each < 20; each++) {
      await useful();
      await reset();
    }
    expect(bench.closes).toEqual([]);
    for (let each = 0; each < 3; each++) await reset();
    expect(bench.closes).toEqual([expect.objectContaining({ message: expect.stringMatching(/too many streams were reset/) as string })]);
  });

  it('every header block is decoded, also of streams that are refused or were reset', async () => {
    const bench = await Bench.server({ maxConcurrentStreams: 1 });
    const encoder = new HpackEncoder();
    const next = (value: string): Buffer => Buffer.from(encoder.encode(['x-entry', value]));
    await bench.feed(
      rawHeaders(1, next('a')),
      rawHeaders(3, next('b')),
      rawReset(1, errorCode.cancel),
      rawHeaders(5, next('b')),
      rawWindowUpdate(5, 0),
    );
    await bench.feed(rawHeaders(5, next('c'), true), rawHeaders(7, next('c')));
    expect(bench.requests).toEqual([
      ['x-entry', 'a'],
      ['x-entry', 'b'],
      ['x-entry', 'c'],
    ]);
    expect(brief(await bench.frames())).toEqual(['rstStream 3', 'rstStream 5']);
  });

  it('answers PINGs with their own bytes, and hears of its own', async () => {
    const bench = await Bench.server();
    let answered = 0;
    bench.connection.ping(() => answered++);
    await bench.feed(rawPing());
    const frames = await bench.frames();
    expect(frames.map(({ flags, payload }) => [flags, payload[0]])).toEqual([
      [0, 'h'.charCodeAt(0)],
      [frameFlag.ack, 7],
    ]);
    await bench.feed(rawPing(frameFlag.ack));
    expect([answered, bench.connection.pingsDue]).toEqual([1, 0]);
  });

  it('tells all streams once when the socket is gone', async () => {
    const bench = await Bench.server();
    await bench.feed(rawHeaders(1, block), rawHeaders(3, block));
    bench.socket.destroy(new Error('cable'));
    await bench.feed();
    expect(bench.opened.map(({ losses }) => losses)).toEqual([1, 3].map(() => [{ kind: 'connection', message: 'cable', refused: false }]));
    expect(bench.closes).toHaveLength(1);
  });
});
