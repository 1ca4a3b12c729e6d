import { silentLogger, statusCode, systemClock } from '@headrace/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Channel, UnaryOutcome } from '../../port.js';
import {
  grpcMessage,
  literalField,
  rawContinuation,
  rawData,
  rawFrame,
  rawGoaway,
  rawHeaders,
  rawPing,
  rawReset,
  rawSettings,
  rawWindowUpdate,
  uint32,
} from '../../testing/raw-frames.js';
import { RawServer } from '../../testing/raw-peer.js';
import type { RawPeer } from '../../testing/raw-peer.js';
import { Http2Channel } from '../client/channel.js';
import type { ChannelOptions } from '../../port.js';
import { ReceiveBudget } from '../connection/receive-budget.js';
import { frameFlag, frameType, settingId } from '../frames/constants.js';
import { echo, mebibyte, memoryBytes } from './testing/stage.js';

/** What our client does with a server that is out to harm it. */
describe('a hostile server', { timeout: 60_000 }, () => {
  const budget = new ReceiveBudget(64 * mebibyte);
  let server: RawServer;
  let channel: Channel;
  /** Called for each call of ours whose request is complete. */
  let answer: (peer: RawPeer, streamId: number) => void;

  function open(options: ChannelOptions = {}, settings: readonly (readonly [number, number])[] = []): void {
    server.onPeer = (peer) => {
      peer.write(rawSettings(...settings));
      peer.onFrame = ({ type, flags, streamId }) => {
        if (type === frameType.data && (flags & frameFlag.endStream) !== 0) answer(peer, streamId);
      };
    };
    channel = new Http2Channel(server.address, options, systemClock, silentLogger, budget);
  }

  async function failureOf(outcome: Promise<UnaryOutcome>): Promise<number | 'ok'> {
    const ended = await outcome;
    return ended.ok ? 'ok' : ended.status.code;
  }

  const head = (peer: RawPeer, id: number): Buffer => rawHeaders(id, peer.block([':status', '200', 'content-type', 'application/grpc']));
  const trailers = (peer: RawPeer, id: number): Buffer => rawHeaders(id, peer.block(['grpc-status', '0']), true);

  beforeEach(async () => {
    server = await RawServer.listen();
  });
  afterEach(() => {
    channel.close();
    server.close();
    expect(budget.usedBytes).toBe(0);
  });

  it('that behaves is served', async () => {
    open();
    answer = (peer, id) => peer.write(head(peer, id), rawData(id, grpcMessage('hello')), trailers(peer, id));
    const outcome = await echo(channel, 'x');
    expect(outcome.ok && outcome.message.toString()).toBe('hello');
  });

  const many = (frame: Buffer): Buffer => Buffer.concat(Array.from({ length: 5_000 }, () => frame));

  it.each<readonly [string, string, (peer: RawPeer, id: number) => Buffer]>([
    ['PING flood', 'ENHANCE_YOUR_CALM', () => many(rawPing())],
    ['PING answers flood', 'ENHANCE_YOUR_CALM', () => many(rawPing(frameFlag.ack))],
    ['SETTINGS flood', 'ENHANCE_YOUR_CALM', () => many(rawSettings())],
    ['empty DATA flood', 'ENHANCE_YOUR_CALM', (peer, id) => Buffer.concat([head(peer, id), many(rawData(id, Buffer.alloc(0)))])],
    ['WINDOW_UPDATE flood', 'ENHANCE_YOUR_CALM', () => many(rawWindowUpdate(0, 1))],
    ['unknown frames flood', 'ENHANCE_YOUR_CALM', () => many(rawFrame(0x77, 0, 0))],
    ['GOAWAY flood', 'ENHANCE_YOUR_CALM', () => many(rawGoaway(1, 0))],
    [
      'interim responses without end',
      'ENHANCE_YOUR_CALM',
      (_peer, id) => many(rawHeaders(id, Buffer.concat([Buffer.of(0x08, 3), Buffer.from('100')]))),
    ],
    [
      'CONTINUATION flood',
      'ENHANCE_YOUR_CALM',
      (_peer, id) => Buffer.concat([rawHeaders(id, Buffer.of(0x88), false, false), many(rawContinuation(id, Buffer.of(0x88)))]),
    ],
    [
      'PUSH_PROMISE',
      'PROTOCOL_ERROR',
      (_peer, id) => rawFrame(frameType.pushPromise, frameFlag.endHeaders, id, Buffer.concat([uint32(2), Buffer.of(0x82)])),
    ],
    ['HEADERS of a stream that nobody began', 'PROTOCOL_ERROR', (peer) => head(peer, 99)],
    ['HEADERS of an even stream', 'PROTOCOL_ERROR', (peer) => head(peer, 2)],
    ['DATA of an idle stream', 'PROTOCOL_ERROR', () => rawData(99, grpcMessage('x'))],
    ['ENABLE_PUSH of 1', 'PROTOCOL_ERROR', () => rawSettings([settingId.enablePush, 1])],
    ['a frame that is too long', 'FRAME_SIZE_ERROR', () => rawFrame(0, 0, 1, Buffer.alloc(0), 20_000)],
    ['invalid HPACK', 'COMPRESSION_ERROR', (_peer, id) => rawHeaders(id, Buffer.of(0x80))],
  ])('%s: the connection ends with %s, the call is UNAVAILABLE', async (_name, code, attack) => {
    open();
    answer = (peer, id) => peer.write(attack(peer, id));
    expect(await failureOf(echo(channel, 'x'))).toBe(statusCode.UNAVAILABLE);
    expect(await server.peers[0]?.goaway()).toMatchObject({ code });
  });

  it.each<readonly [string, number, (peer: RawPeer, id: number) => Buffer]>([
    ['a reset', statusCode.UNAVAILABLE, (_peer, id) => rawReset(id, 0x7)],
    [
      'a header list over the limit',
      statusCode.RESOURCE_EXHAUSTED,
      (_peer, id) => rawHeaders(id, Buffer.concat(Array.from({ length: 1_000 }, () => literalField('a', '')))),
    ],
    ['DATA before HEADERS', statusCode.INTERNAL, (peer, id) => Buffer.concat([rawData(id, grpcMessage('x')), trailers(peer, id)])],
    [
      'a message over the limit',
      statusCode.RESOURCE_EXHAUSTED,
      (peer, id) => Buffer.concat([head(peer, id), rawData(id, Buffer.of(0, 0xff, 0xff, 0xff, 0xff))]),
    ],
    [
      'two messages',
      statusCode.INTERNAL,
      (peer, id) => Buffer.concat([head(peer, id), rawData(id, grpcMessage('a')), rawData(id, grpcMessage('b'))]),
    ],
    ['the end without trailers', statusCode.INTERNAL, (peer, id) => Buffer.concat([head(peer, id), rawData(id, grpcMessage('a'), true)])],
    [
      'half a message',
      statusCode.INTERNAL,
      (peer, id) => Buffer.concat([head(peer, id), rawData(id, Buffer.of(0, 0, 0, 0, 9, 1)), trailers(peer, id)]),
    ],
  ])('%s: the call fails, and the next on the same connection is served', async (_name, code, attack) => {
    open();
    answer = (peer, id) => peer.write(attack(peer, id));
    expect(await failureOf(echo(channel, 'x'))).toBe(code);
    answer = (peer, id) => {
      if (_name === 'a header list over the limit') peer.encoder.setPeerTableBytes(0);
      peer.write(head(peer, id), rawData(id, grpcMessage('next')), trailers(peer, id));
    };
    expect(await failureOf(echo(channel, 'x'))).toBe('ok');
    expect(server.peers).toHaveLength(1);
  });

  it('that drips its first frame is given up after headerTimeoutMs', async () => {
    server.onPeer = (peer) => peer.write(Buffer.of(0));
    channel = new Http2Channel(server.address, { limits: { headerTimeoutMs: 300 } }, systemClock, silentLogger, budget);
    expect(await failureOf(echo(channel, 'x'))).toBe(statusCode.UNAVAILABLE);
  });

  it('that never ends a reply is given up after bodyIdleTimeoutMs', async () => {
    open({ limits: { bodyIdleTimeoutMs: 300 } });
    answer = (peer, id) => peer.write(head(peer, id), rawData(id, Buffer.of(0, 0, 0, 0, 9, 1)));
    expect(await failureOf(echo(channel, 'x'))).toBe(statusCode.INTERNAL);
  });

  it('that never opens its window delays calls, and ends none of the others', async () => {
    open({ limits: { maxUnsentBytes: mebibyte } }, [[settingId.initialWindowSize, 0]]);
    answer = () => {};
    const before = await memoryBytes();
    const large = Array.from({ length: 20 }, async () => echo(channel, 'x'.repeat(mebibyte)));
    await expect.poll(() => server.peers[0]?.count(frameType.headers)).toBe(20);
    // The requests are the callers' own; nothing is held twice.
    expect((await memoryBytes()) - before).toBeLessThan(64 * mebibyte);
    answer = (peer, id) => peer.write(head(peer, id), rawData(id, grpcMessage('late')), trailers(peer, id));
    server.peers[0]?.write(rawSettings([settingId.initialWindowSize, 4 * mebibyte]), rawWindowUpdate(0, 64 * mebibyte));
    expect((await Promise.all(large)).every((outcome) => outcome.ok)).toBe(true);
  });
});
