import { silentLogger, systemClock } from '@headrace/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { Metadata } from '../../metadata.js';
import {
  grpcMessage,
  rawData,
  rawFrame,
  rawHeaders,
  rawPing,
  rawPriority,
  rawReset,
  rawSettings,
  rawWindowUpdate,
} from '../../testing/raw-frames.js';
import { RawPeer } from '../../testing/raw-peer.js';
import { HeldBudget } from '../connection/held-budget.js';
import { ReceiveBudget } from '../connection/receive-budget.js';
import { defaultWindowBytes, frameFlag, frameType, settingId } from '../frames/constants.js';
import type { HeaderFields } from '../hpack/index.js';
import { Http2Server } from '../server/server.js';
import { Random } from './testing/random.js';

const mirrorPath = '/test.Hostile/Mirror';
const largePath = '/test.Hostile/Large';
const maxConcurrentStreams = 8;
const connectionWindowBytes = 256 * 1024;

/** Mischief that leaves the connection whole. Everything it does to HPACK tables and windows must be undone or kept on both sides alike. */
class Mischief {
  readonly #peer: RawPeer;
  readonly #random: Random;
  nextId = 1;
  /** Calls that must be answered, with the metadata that must come back. */
  readonly expected = new Map<number, string>();
  /** Answered or reset. */
  readonly over = new Set<number>();
  /** DATA that the server's window has paid for. */
  sentBytes = 0;
  /** DATA that we got and whose window is given back. */
  creditBytes = 0;
  generous = true;

  constructor(peer: RawPeer, random: Random) {
    this.#peer = peer;
    this.#random = random;
    peer.onFrame = ({ type, flags, streamId, payload }) => {
      if (type === frameType.rstStream || (type === frameType.headers && (flags & frameFlag.endStream) !== 0)) this.over.add(streamId);
      if (type !== frameType.data || payload.length === 0 || !this.generous) return;
      this.creditBytes += payload.length;
      const stream = (flags & frameFlag.endStream) === 0 ? [rawWindowUpdate(streamId, payload.length)] : [];
      peer.write(rawWindowUpdate(0, payload.length), ...stream);
    };
  }

  /** A call that must succeed. */
  call(): void {
    const random = this.#random;
    const id = this.#id();
    const check = `value-${random.below(200)}`;
    this.expected.set(id, check);
    const body = random.pieces(grpcMessage(Buffer.alloc(random.below(3_000), id)), 2_000);
    this.#peer.write(this.#request(id, check));
    body.forEach((piece, index) => this.#data(id, piece, index === body.length - 1));
  }

  step(): void {
    const random = this.#random;
    const peer = this.#peer;
    const id = this.#id();
    random.pick([
      () => this.call(),
      () => this.call(),
      () => peer.write(this.#request(id, 'cancelled at once'), rawReset(id, 8)),
      () => {
        peer.write(this.#request(id, `cancelled ${random.below(50)}`));
        this.#data(id, grpcMessage(Buffer.alloc(5_000)).subarray(0, 1 + random.below(5_000)), false);
        peer.write(rawReset(id, 8));
      },
      // More at once than are allowed, each with a new entry for the table; the rest is refused.
      () => {
        const ids = [id, ...Array.from({ length: maxConcurrentStreams + 4 }, () => this.#id())];
        peer.write(...ids.map((each) => this.#request(each, `refused ${random.below(100)}`)));
        peer.write(...ids.map((each) => rawReset(each, 8)));
      },
      () => peer.write(rawSettings([settingId.headerTableSize, 0])),
      () => peer.write(rawSettings([settingId.headerTableSize, 0], [settingId.headerTableSize, random.pick([64, 200, 4_096])])),
      () => peer.write(rawSettings([settingId.headerTableSize, 4_096])),
      () => peer.encoder.setPeerTableBytes(random.pick([0, 100, 4_096])),
      () => peer.write(rawSettings([settingId.initialWindowSize, random.pick([0, 1, 100, 65_535, 1_000_000])])),
      () => peer.write(rawSettings([settingId.maxFrameSize, random.pick([16_384, 100_000])])),
      () => peer.write(rawPing(), rawPriority(id, 0), rawFrame(0x42, 0, 0, Buffer.alloc(9))),
      // We break a rule on a stream, and the server resets it.
      () => peer.write(this.#request(id, `broken ${random.below(50)}`), rawWindowUpdate(id, 0)),
      () => peer.write(this.#request(id, 'trailers'), rawHeaders(id, peer.block(['x-late', String(random.below(50))]))),
      () => peer.write(rawHeaders(id, peer.block([':method', 'POST', 'x-entry', String(random.below(50))]), true)),
      () => peer.write(this.#request(id, 'missing', '/test.Hostile/Missing')),
    ])();
  }

  #id(): number {
    this.nextId += 2;
    return this.nextId - 2;
  }

  #request(id: number, check: string, path = mirrorPath): Buffer {
    return this.#peer.request(id, path, false, ['x-check', check, `x-${this.#random.below(20)}`, String(this.#random.below(20))]);
  }

  #data(id: number, bytes: Buffer, end: boolean): void {
    const padded = this.#random.below(4) === 0;
    const payload = padded ? Buffer.concat([Buffer.of(10), bytes, Buffer.alloc(10)]) : bytes;
    this.sentBytes += payload.length;
    this.#peer.write(
      padded ? rawFrame(frameType.data, frameFlag.padded | (end ? frameFlag.endStream : 0), id, payload) : rawData(id, payload, end),
    );
  }
}

function field(fields: HeaderFields | undefined, name: string): string | undefined {
  const at = (fields ?? []).findIndex((text, index) => index % 2 === 0 && text === name);
  return at < 0 ? undefined : fields?.[at + 1];
}

describe('mischief on one connection, by a client', { timeout: 30_000 }, () => {
  let server: Http2Server | undefined;
  let peer: RawPeer | undefined;
  afterEach(async () => {
    peer?.destroy();
    await server?.drain(0);
  });

  it.each([1, 2, 3, 4, 5, 6])('seed %d: afterwards 1,000 calls have the right headers, and windows and budget are back', async (seed) => {
    const budget = new ReceiveBudget(64 * 1024 * 1024);
    const limits = { resetBurst: 1e6, idleFrameBurst: 1e6, connectionWindowBytes };
    server = new Http2Server({ maxConcurrentStreams, limits }, systemClock, silentLogger, { budget, held: new HeldBudget(Infinity) });
    server.register({
      kind: 'unary',
      path: mirrorPath,
      handle: (message, call) => {
        const check = call.metadata.get('x-check');
        const metadata = new Metadata();
        metadata.append('x-check', String(check));
        call.sendHeaders(metadata);
        call.reply(Buffer.from(message), metadata);
      },
    });
    server.register({ kind: 'unary', path: largePath, handle: (_message, call) => call.reply(Buffer.alloc(512 * 1024)) });
    const { port } = await server.listen('127.0.0.1', 0);
    const raw = await RawPeer.open(port);
    peer = raw;
    const random = new Random(seed);
    const mischief = new Mischief(raw, random);

    const settle = async (): Promise<void> => {
      await raw.until(() => raw.closed || [...mischief.expected.keys()].every((id) => mischief.over.has(id)));
      expect(raw.closed, `GOAWAY ${raw.of(frameType.goaway)[0]?.payload.toString('utf8', 8)}`).toBe(false);
    };

    // 1. Mischief, in bursts; calls in it may be refused as too many at once.
    for (let burst = 0; burst < 30; burst++) {
      for (let each = 0; each < 10; each++) mischief.step();
      raw.write(rawSettings([settingId.initialWindowSize, 65_535], [settingId.headerTableSize, 4_096]));
      mischief.call();
      await settle();
    }
    for (const [id, check] of mischief.expected) {
      if (raw.lists(id).length < 2) continue;
      expect([field(raw.lists(id)[0], 'x-check'), field(raw.lists(id)[1], 'grpc-status')]).toEqual([check, '0']);
    }

    // 2. 1,000 calls, a few at a time: none is refused, each gets its own metadata.
    for (let each = 0; each < 1_000; each += maxConcurrentStreams) {
      mischief.expected.clear();
      for (let one = 0; one < maxConcurrentStreams; one++) mischief.call();
      await settle();
      for (const [id, check] of mischief.expected) {
        const [head, trailers] = raw.lists(id);
        expect([field(head, ':status'), field(head, 'x-check'), field(trailers, 'x-check'), field(trailers, 'grpc-status')]).toEqual([
          '200',
          check,
          check,
          '0',
        ]);
      }
    }

    // 3. The server's window is open again but for less than half of it, which it gives back in one piece.
    expect(budget.usedBytes).toBe(0);
    const returned =
      raw.of(frameType.windowUpdate, 0).reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0) -
      (connectionWindowBytes - defaultWindowBytes);
    expect(mischief.sentBytes - returned).toBeGreaterThanOrEqual(0);
    expect(mischief.sentBytes - returned).toBeLessThan(connectionWindowBytes / 2);

    // 4. And its own is what we have given: 65,535 bytes, and not one more.
    mischief.generous = false;
    const id = mischief.nextId;
    raw.write(
      rawSettings([settingId.initialWindowSize, 0x7fffffff]),
      raw.request(id, largePath),
      rawData(id, grpcMessage(''), true),
      rawPing(),
    );
    const received = (): number => raw.of(frameType.data, id).reduce((sum, { payload }) => sum + payload.length, 0);
    await raw.until(() => received() >= defaultWindowBytes || raw.closed);
    const pings = raw.count(frameType.ping);
    raw.write(rawPing());
    await raw.until(() => raw.count(frameType.ping) > pings || raw.closed);
    expect(received()).toBe(defaultWindowBytes);
    raw.write(rawWindowUpdate(0, 512 * 1024 + 5 - defaultWindowBytes));
    await raw.until(() => raw.lists(id).length === 2 || raw.closed);
    expect(received()).toBe(512 * 1024 + 5);
  });
});
