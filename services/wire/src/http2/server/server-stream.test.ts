import { silentLogger, statusCode } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { gunzipSync } from 'node:zlib';
import type { Socket } from 'node:net';
import { Metadata } from '../../metadata.js';
import type { MethodHandler, UnaryCall } from '../../port.js';
import { grpcMessage, preface, rawData, rawHeaders, rawReset, rawSettings, rawWindowUpdate } from '../../testing/raw-frames.js';
import type { RawFrame } from '../../testing/raw-frames.js';
import { HeldBudget } from '../connection/held-budget.js';
import { defaultLimits } from '../connection/limits.js';
import { ReceiveBudget } from '../connection/receive-budget.js';
import { errorName, frameType } from '../frames/constants.js';
import { FrameReader } from '../frames/frame-reader.js';
import { maxSyncBytes } from '../grpc/index.js';
import { HpackDecoder, HpackEncoder } from '../hpack/index.js';
import type { HeaderFields } from '../hpack/index.js';
import { HeldSocket, turn } from '../testing/held-socket.js';
import { ServerConnection } from './server-connection.js';

const paths = { echo: '/t/Echo', hold: '/t/Hold', throws: '/t/Throws', stream: '/t/Stream' } as const;

/** A server's connection without a network; its client's bytes go in by hand. */
class Fixture {
  readonly clock = new FakeClock();
  readonly socket = new HeldSocket();
  readonly budget = new ReceiveBudget(1e9);
  readonly held: UnaryCall[] = [];
  readonly encoder = new HpackEncoder();
  readonly server: ServerConnection;

  constructor(compress = false) {
    this.socket.copies = true;
    const methods: MethodHandler[] = [
      { kind: 'unary', path: paths.echo, handle: (message, call) => call.reply(Buffer.from(message)) },
      { kind: 'unary', path: paths.hold, handle: (_message, call) => void this.held.push(call) },
      {
        kind: 'stream',
        path: paths.stream,
        handle: (call) => {
          call.onMessage((message) => call.write(Buffer.alloc(Number(message.toString()), 'a')));
          call.onEnd(() => call.end());
        },
      },
      {
        kind: 'unary',
        path: paths.throws,
        handle: () => {
          throw new Error('a secret of the handler');
        },
      },
    ];
    const context = {
      clock: this.clock,
      logger: silentLogger,
      methods: new Map(methods.map((method) => [method.path, method])),
      maxMessageBytes: 1 << 20,
      compress,
      budget: this.budget,
      held: new HeldBudget(Infinity),
    };
    this.server = new ServerConnection(this.socket as unknown as Socket, defaultLimits, context, () => {});
    this.feed(preface, rawSettings());
  }

  feed(...parts: readonly Uint8Array[]): void {
    this.socket.emit('data', Buffer.concat(parts));
  }

  call(id: number, path: string, ...more: string[]): void {
    const fields = [':method', 'POST', ':scheme', 'http', ':path', path, 'content-type', 'application/grpc', 'te', 'trailers', ...more];
    this.feed(rawHeaders(id, Buffer.from(this.encoder.encode(fields))));
  }

  /** What was sent from the beginning. */
  async sent(): Promise<{ readonly lists: readonly HeaderFields[]; readonly data: Buffer; readonly resets: readonly string[] }> {
    await turn();
    const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 1 << 16, maxFields: 100 });
    const frames: RawFrame[] = [];
    const onFrame = (type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void =>
      void frames.push({ type, flags, streamId, payload: bytes.subarray(start, end) });
    new FrameReader({ onFrame }, 16_777_215).read(this.socket.bytes);
    const of = (type: number): Buffer[] => frames.filter((frame) => frame.type === type).map(({ payload }) => payload);
    return {
      lists: of(frameType.headers).map((block) => decoder.decode(block, 0, block.length).fields),
      data: Buffer.concat(of(frameType.data)),
      resets: of(frameType.rstStream).map((payload) => errorName(payload.readUInt32BE(0))),
    };
  }
}

describe('a call on the server', () => {
  let server: Fixture;
  beforeEach(() => (server = new Fixture()));

  it.each([
    ['reply', (call: UnaryCall) => call.reply(Buffer.from('r')), ['0']],
    ['failure', (call: UnaryCall) => call.fail({ code: statusCode.NOT_FOUND, message: '' }), ['5']],
    ['deadline', (_call: UnaryCall, { clock }: Fixture) => clock.advance(1_000), ['4', 'grpc-message']],
  ])('has its initial metadata wait for the %s, whose packet it shares', async (_name, end, status) => {
    server.call(1, paths.hold, 'grpc-timeout', '1S');
    server.feed(rawData(1, grpcMessage(''), true));
    const [call] = server.held as [UnaryCall];
    call.sendHeaders(Metadata.of({ 'x-request-id': 'r-1' }));
    expect((await server.sent()).lists).toEqual([]);
    end(call, server);
    const { lists } = await server.sent();
    expect(lists[0]).toEqual([':status', '200', 'content-type', 'application/grpc', 'x-request-id', 'r-1']);
    expect(lists[1]?.slice(0, 1 + status.length)).toEqual(['grpc-status', ...status]);
  });

  it('is answered with head, message and trailers', async () => {
    server.call(1, paths.echo);
    server.feed(rawData(1, grpcMessage('hello'), true));
    const { lists, data } = await server.sent();
    expect(lists).toEqual([
      [':status', '200', 'content-type', 'application/grpc'],
      ['grpc-status', '0'],
    ]);
    expect(data).toEqual(grpcMessage('hello'));
  });

  it('that its client resets is cancelled once, and what the handler says afterwards goes nowhere', async () => {
    server.call(1, paths.hold);
    server.feed(rawData(1, grpcMessage('x'), true));
    const [call] = server.held;
    let cancels = 0;
    call?.onCancel(() => cancels++);
    server.feed(rawReset(1, 8));
    server.feed(rawReset(1, 8));
    call?.reply(Buffer.from('late'));
    call?.fail({ code: statusCode.INTERNAL, message: 'later' });
    const { lists, data } = await server.sent();
    expect([cancels, call?.cancelled, lists, data.length]).toEqual([1, true, [], 0]);
    expect(server.budget.usedBytes).toBe(0);
  });

  it('whose deadline passes is answered DEADLINE_EXCEEDED, and its handler hears of it', async () => {
    server.call(1, paths.hold, 'grpc-timeout', '50m');
    server.feed(rawData(1, grpcMessage('x'), true));
    let cancels = 0;
    server.held[0]?.onCancel(() => cancels++);
    expect(server.held[0]?.deadlineMs).toBe(server.clock.nowMs() + 50);
    server.clock.advance(49);
    expect(cancels).toBe(0);
    server.clock.advance(1);
    expect(cancels).toBe(1);
    expect((await server.sent()).lists).toEqual([expect.arrayContaining(['grpc-status', '4'])]);
  });

  it('whose handler throws is answered INTERNAL, and nothing of the error leaves', async () => {
    server.call(1, paths.throws);
    server.feed(rawData(1, grpcMessage('x'), true));
    const { lists } = await server.sent();
    expect(lists).toEqual([expect.arrayContaining(['grpc-status', '13'])]);
    expect(JSON.stringify(lists)).not.toContain('secret');
  });

  it('of a method that there is not is UNIMPLEMENTED, and its body is not wanted', async () => {
    server.call(1, '/t/Nothing');
    const { lists, resets } = await server.sent();
    expect(lists).toEqual([expect.arrayContaining(['grpc-status', '12'])]);
    expect(resets).toEqual(['NO_ERROR']);
  });
});

describe('replies with compress', () => {
  it.each([
    ['small', 1_000],
    ['too large for this thread', maxSyncBytes + 1],
  ])('a %s one is compressed for a client that takes gzip', async (_name, bytes) => {
    const server = new Fixture(true);
    server.call(1, paths.hold, 'grpc-accept-encoding', 'identity,gzip');
    server.feed(rawData(1, grpcMessage('x'), true));
    server.held[0]?.reply(Buffer.alloc(bytes, 7));
    await expect.poll(async () => (await server.sent()).data.length).toBeGreaterThan(0);
    const { data } = await server.sent();
    expect(data.length).toBeLessThan(bytes / 10);
    // The flag, and gzip's magic number behind the length.
    expect([data[0], data.readUInt16BE(5)]).toEqual([1, 0x1f8b]);
  });

  it('a client that takes none gets it as it is', async () => {
    const server = new Fixture(true);
    server.call(1, paths.hold);
    server.feed(rawData(1, grpcMessage('x'), true));
    server.held[0]?.reply(Buffer.alloc(1_000, 7));
    expect((await server.sent()).data).toEqual(grpcMessage(Buffer.alloc(1_000, 7)));
  });

  it.each([
    ['up to 64 KiB is compressed', 64 * 1024, 1],
    ['above 64 KiB goes out as it is, in its place,', 64 * 1024 + 1, 0],
  ])('a message of a stream %s', async (_name, bytes, flag) => {
    const fixture = new Fixture(true);
    fixture.call(1, paths.stream, 'grpc-accept-encoding', 'gzip');
    fixture.feed(rawWindowUpdate(0, 1 << 20), rawWindowUpdate(1, 1 << 20));
    fixture.feed(rawData(1, grpcMessage(String(bytes))), rawData(1, grpcMessage('200'), true));
    const { lists, data } = await fixture.sent();
    expect(lists[0]).toContain('grpc-encoding');
    const first = data.readUInt32BE(1);
    expect([data[0], flag === 0 ? first : gunzipSync(data.subarray(5, 5 + first)).length]).toEqual([flag, bytes]);
    const second = data.subarray(5 + first);
    expect([second[0], gunzipSync(second.subarray(5)).toString()]).toEqual([1, 'a'.repeat(200)]);
  });

  it('one that is being compressed when its client leaves is dropped', async () => {
    const server = new Fixture(true);
    server.call(1, paths.hold, 'grpc-accept-encoding', 'gzip');
    server.feed(rawData(1, grpcMessage('x'), true));
    server.held[0]?.reply(Buffer.alloc(10 * maxSyncBytes, 7));
    server.feed(rawReset(1, 8));
    await new Promise<void>((resolve) => setTimeout(resolve, 50));
    const { lists, data } = await server.sent();
    expect([lists, data.length]).toEqual([[], 0]);
  });
});
