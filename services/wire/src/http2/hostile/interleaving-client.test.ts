import { silentLogger, systemClock } from '@headrace/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Metadata } from '../../metadata.js';
import type { Channel, UnaryOutcome } from '../../port.js';
import { grpcMessage, rawData, rawFrame, rawHeaders, rawPing, rawReset, rawSettings, rawWindowUpdate } from '../../testing/raw-frames.js';
import { RawServer } from '../../testing/raw-peer.js';
import type { RawPeer } from '../../testing/raw-peer.js';
import { Http2Channel } from '../client/channel.js';
import { ReceiveBudget } from '../connection/receive-budget.js';
import { defaultWindowBytes, frameFlag, frameType, settingId } from '../frames/constants.js';
import type { HeaderFields } from '../hpack/index.js';
import { Random } from './testing/random.js';

const connectionWindowBytes = 256 * 1024;

/** A server that plays tricks which leave the connection whole. */
class TrickyServer {
  readonly #random: Random;
  /** Whether answers come with tricks. */
  tricky = true;
  generous = true;
  sentBytes = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  onPeer(peer: RawPeer): void {
    peer.write(rawSettings([settingId.maxConcurrentStreams, 100]));
    peer.onFrame = ({ type, flags, streamId, payload }) => {
      if (type !== frameType.data) return;
      const ended = (flags & frameFlag.endStream) !== 0;
      if (this.generous && payload.length > 0)
        peer.write(rawWindowUpdate(0, payload.length), ...(ended ? [] : [rawWindowUpdate(streamId, payload.length)]));
      if (!ended) return;
      if (this.tricky) this.#trick(peer, streamId);
      else this.answer(peer, streamId);
    };
  }

  answer(peer: RawPeer, id: number): void {
    const check = valueOf(peer.lists(id)[0], 'x-check');
    const entry = `x-${this.#random.below(20)}`;
    peer.write(
      rawHeaders(
        id,
        peer.block([':status', '200', 'content-type', 'application/grpc', 'x-check', check, entry, String(this.#random.below(20))]),
      ),
    );
    for (const piece of this.#random.pieces(grpcMessage(check), 12)) this.#data(peer, id, piece);
    peer.write(rawHeaders(id, peer.block(['grpc-status', '0', 'x-check', check]), true));
  }

  #trick(peer: RawPeer, id: number): void {
    const random = this.#random;
    const begin = (): void =>
      peer.write(rawHeaders(id, peer.block([':status', '200', 'content-type', 'application/grpc', 'x-cut', String(random.below(50))])));
    random.pick([
      () => this.answer(peer, id),
      () => this.answer(peer, id),
      () => peer.write(rawReset(id, 7)),
      () => peer.write(rawReset(id, 8)),
      () => {
        begin();
        this.#data(peer, id, grpcMessage(Buffer.alloc(500)).subarray(0, 100));
        peer.write(rawReset(id, 2));
      },
      // The client resets the stream; what comes after is nobody's fault and must still be decoded.
      () => {
        begin();
        this.#data(peer, id, Buffer.of(9, 9, 9, 9, 9, 9));
        this.#data(peer, id, Buffer.alloc(300));
        peer.write(rawHeaders(id, peer.block(['x-after', String(random.below(50))]), true));
      },
      () => peer.write(rawHeaders(id, peer.block([':status', '103', 'x-hint', String(random.below(50))])), rawReset(id, 7)),
      () => {
        peer.write(rawSettings([settingId.headerTableSize, 0], [settingId.headerTableSize, random.pick([0, 100, 4_096])]));
        this.answer(peer, id);
      },
      () => {
        peer.encoder.setPeerTableBytes(random.pick([0, 100, 4_096]));
        this.answer(peer, id);
      },
      () => {
        peer.write(
          rawSettings([settingId.initialWindowSize, random.pick([0, 10, 1_000])]),
          rawPing(),
          rawSettings([settingId.initialWindowSize, 65_535]),
        );
        this.answer(peer, id);
      },
      () => {
        peer.write(rawHeaders(id, peer.block(['x', 'y']), true));
      },
    ])();
  }

  #data(peer: RawPeer, id: number, bytes: Buffer): void {
    const padded = this.#random.below(4) === 0;
    const payload = padded ? Buffer.concat([Buffer.of(7), bytes, Buffer.alloc(7)]) : bytes;
    this.sentBytes += payload.length;
    peer.write(padded ? rawFrame(frameType.data, frameFlag.padded, id, payload) : rawData(id, payload));
  }
}

function valueOf(fields: HeaderFields | undefined, name: string): string {
  const at = (fields ?? []).findIndex((text, index) => index % 2 === 0 && text === name);
  return at < 0 ? '' : (fields?.[at + 1] ?? '');
}

describe('mischief on one connection, by a server', { timeout: 30_000 }, () => {
  let server: RawServer;
  let channel: Channel | undefined;
  beforeEach(async () => {
    server = await RawServer.listen();
  });
  afterEach(() => {
    channel?.close();
    server.close();
  });

  it.each([1, 2, 3, 4, 5, 6])('seed %d: afterwards 1,000 calls have the right headers, and windows and budget are back', async (seed) => {
    const random = new Random(seed);
    const tricky = new TrickyServer(random);
    server.onPeer = (peer) => tricky.onPeer(peer);
    const budget = new ReceiveBudget(64 * 1024 * 1024);
    const limits = { resetBurst: 1e6, idleFrameBurst: 1e6, connectionWindowBytes };
    const open = new Http2Channel(server.address, { limits }, systemClock, silentLogger, budget);
    channel = open;
    const call = async (check: string, bytes: number, cancelAfter = false): Promise<UnaryOutcome> => {
      const metadata = new Metadata();
      metadata.append('x-check', check);
      metadata.append(`x-${random.below(20)}`, String(random.below(20)));
      return new Promise((resolve) => {
        const running = open.unary('/test.Hostile/Mirror', Buffer.alloc(bytes), { metadata, waitForReady: true }, (outcome) =>
          resolve(outcome.ok ? { ...outcome, message: Buffer.from(outcome.message) } : outcome),
        );
        if (cancelAfter) setImmediate(() => running.cancel());
      });
    };
    const checked = async (check: string, outcome: Promise<UnaryOutcome>): Promise<boolean> => {
      const ended = await outcome;
      if (!ended.ok) return false;
      expect([ended.message.toString(), ended.headers.get('x-check'), ended.trailers.get('x-check')]).toEqual([check, check, check]);
      return true;
    };

    // 1. Tricks, and calls that are cancelled on the way.
    let succeeded = 0;
    for (let burst = 0; burst < 30; burst++) {
      const calls = Array.from({ length: 20 }, async () => {
        const check = `value-${random.below(200)}`;
        return checked(check, call(check, random.below(3_000), random.below(5) === 0));
      });
      succeeded += (await Promise.all(calls)).filter((ok) => ok).length;
    }
    expect(succeeded).toBeGreaterThan(100);

    // 2. 1,000 calls, on the connection that saw all that.
    tricky.tricky = false;
    for (let each = 0; each < 1_000; each += 20) {
      const results = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => checked(`check-${each + index}`, call(`check-${each + index}`, 100))),
      );
      expect(results.every((ok) => ok)).toBe(true);
    }
    expect(server.peers).toHaveLength(1);
    expect(budget.usedBytes).toBe(0);
    const [peer] = server.peers;
    if (peer === undefined) throw new Error('no connection');

    // 3. Our receive window is open but for less than half of it.
    const returned =
      peer.of(frameType.windowUpdate, 0).reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0) -
      (connectionWindowBytes - defaultWindowBytes);
    expect(tricky.sentBytes - returned).toBeGreaterThanOrEqual(0);
    expect(tricky.sentBytes - returned).toBeLessThan(connectionWindowBytes / 2);

    // 4. And our send window is what the server has given: 65,535 bytes, and not one more.
    tricky.generous = false;
    peer.write(rawSettings([settingId.initialWindowSize, 0x7fffffff]));
    const last = call('last', 512 * 1024);
    const lastId = (): number => peer.frames.findLast(({ type }) => type === frameType.headers)?.streamId ?? 0;
    const before = lastId();
    await peer.until(() => lastId() > before);
    const received = (): number => peer.of(frameType.data, lastId()).reduce((sum, { payload }) => sum + payload.length, 0);
    await peer.until(() => received() >= defaultWindowBytes || peer.closed);
    const pings = peer.count(frameType.ping);
    peer.write(rawPing());
    await peer.until(() => peer.count(frameType.ping) > pings || peer.closed);
    expect(received()).toBe(defaultWindowBytes);
    peer.write(rawWindowUpdate(0, 512 * 1024 + 5 - defaultWindowBytes));
    expect(await checked('last', last)).toBe(true);
  });
});
