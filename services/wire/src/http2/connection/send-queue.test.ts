import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameFlag, frameType } from '../frames/constants.js';
import { FrameReader } from '../frames/frame-reader.js';
import { Output } from '../frames/output.js';
import { HeldSocket, turn } from '../testing/held-socket.js';
import { PlainStream } from '../testing/plain-stream.js';
import { SendQueue } from './send-queue.js';
import type { SendState } from './send-queue.js';

interface Sent {
  readonly streamId: number;
  readonly bytes: number;
  readonly end: boolean;
}

class Fixture implements SendState {
  sendWindow = 1_000;
  dataFramesSent = 0;
  maxSendFrameBytes = 100;
  readonly socket = new HeldSocket({ writableHighWaterMark: 1 });
  readonly output = new Output(this.socket, () => this.queue.pump());
  readonly queue = new SendQueue(this);
  readonly emptied: number[] = [];
  readonly payloads = new Map<number, Buffer[]>();
  #read = 0;

  queueSent(stream: PlainStream): void {
    this.emptied.push(stream.id);
  }

  stream(id: number, window: number, ...parts: readonly Buffer[]): PlainStream {
    const stream = new PlainStream(id);
    stream.sendWindow = window;
    for (const part of parts) this.queue.push(stream, part);
    this.queue.ready(stream);
    return stream;
  }

  open(stream: PlainStream | undefined, bytes: number): void {
    if (stream === undefined) this.sendWindow += bytes;
    else {
      stream.sendWindow += bytes;
      this.queue.ready(stream);
    }
    this.queue.pump();
  }

  sent(): Sent[] {
    this.output.flush();
    const { bytes } = this.socket;
    const sent: Sent[] = [];
    const onFrame = (type: number, flags: number, streamId: number, from: Buffer, start: number, end: number): void => {
      expect(type).toBe(frameType.data);
      sent.push({ streamId, bytes: end - start, end: (flags & frameFlag.endStream) !== 0 });
      this.payloads.set(streamId, [...(this.payloads.get(streamId) ?? []), Buffer.from(from.subarray(start, end))]);
    };
    new FrameReader({ onFrame }, 16_777_215).read(bytes, this.#read);
    this.#read = bytes.length;
    return sent;
  }
}

describe('SendQueue', () => {
  it('takes turns of one frame, so that a small message is not held up by a large one', () => {
    const all = new Fixture();
    all.stream(1, 1_000, Buffer.alloc(350));
    all.stream(3, 1_000, Buffer.alloc(20));
    all.stream(5, 1_000, Buffer.alloc(150));
    all.queue.pump();
    expect(all.sent().map(({ streamId, bytes }) => [streamId, bytes])).toEqual([
      [1, 100],
      [3, 20],
      [5, 100],
      [1, 100],
      [5, 50],
      [1, 100],
      [1, 50],
    ]);
    expect(all.emptied).toEqual([3, 5, 1]);
    expect([all.queue.queuedBytes, all.sendWindow, all.queue.idle]).toEqual([0, 1_000 - 520, true]);
  });

  it('a stream without a window waits outside of the ring until it has one', () => {
    const all = new Fixture();
    const one = all.stream(1, 30, Buffer.alloc(50));
    all.stream(3, 1_000, Buffer.alloc(50));
    all.queue.pump();
    expect(all.sent().map(({ streamId, bytes }) => [streamId, bytes])).toEqual([
      [1, 30],
      [3, 50],
    ]);
    expect(all.queue.idle).toBe(true);
    all.open(one, 5);
    expect(all.sent()).toEqual([{ streamId: 1, bytes: 5, end: false }]);
    one.sendWindow = -10;
    all.open(one, 10);
    expect(all.sent()).toEqual([]);
    all.open(one, 100);
    expect(all.sent()).toEqual([{ streamId: 1, bytes: 15, end: false }]);
    expect(all.emptied).toEqual([3, 1]);
  });

  it('the window of the connection stops all, and keeps their order', () => {
    const all = new Fixture();
    all.sendWindow = 120;
    all.stream(1, 1_000, Buffer.alloc(200));
    all.stream(3, 1_000, Buffer.alloc(200));
    all.queue.pump();
    expect(all.sent().map(({ streamId, bytes }) => [streamId, bytes])).toEqual([
      [1, 100],
      [3, 20],
    ]);
    expect(all.queue.idle).toBe(false);
    all.open(undefined, 150);
    expect(all.sent().map(({ streamId, bytes }) => [streamId, bytes])).toEqual([
      [1, 100],
      [3, 50],
    ]);
  });

  it('END_STREAM comes with the last byte, but not where trailers follow', () => {
    const all = new Fixture();
    const one = all.stream(1, 1_000, Buffer.alloc(150));
    one.endAfterQueue = true;
    const two = all.stream(3, 1_000, Buffer.alloc(150));
    two.endAfterQueue = true;
    two.queuedTrailers = ['grpc-status', '0'];
    all.queue.pump();
    expect(all.sent().filter(({ end }) => end)).toEqual([{ streamId: 1, bytes: 50, end: true }]);
    expect(all.emptied).toEqual([1, 3]);
  });

  it('what is discarded is neither sent nor counted', () => {
    const all = new Fixture();
    const one = all.stream(1, 1_000, Buffer.alloc(350));
    all.stream(3, 1_000, Buffer.alloc(50));
    one.closed = true;
    all.queue.discard(one);
    expect(all.queue.queuedBytes).toBe(50);
    all.queue.pump();
    expect(all.sent().map(({ streamId }) => streamId)).toEqual([3]);
    expect([one.queue, one.queuedBytes, all.queue.queuedBytes]).toEqual([[], 0, 0]);
  });

  it('makes no more DATA while the socket is congested, and goes on when it is not', async () => {
    const all = new Fixture();
    all.maxSendFrameBytes = 64 * 1024;
    all.sendWindow = 64 * 1024 * 1024;
    all.socket.open = false;
    all.stream(1, all.sendWindow, Buffer.alloc(4 * 1024 * 1024));
    all.queue.pump();
    expect(all.output.pendingBytes).toBeLessThan(1024 * 1024);
    for (let each = 0; each < 100 && all.queue.queuedBytes > 0; each++) {
      all.socket.release();
      all.socket.open = false;
      await turn();
      expect(all.output.pendingBytes).toBeLessThan(1024 * 1024);
    }
    expect(all.queue.queuedBytes).toBe(0);
  });

  it('every byte of every stream arrives in order, and no window is exceeded, however windows, sizes and writes fall', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), stream: fc.nat(4), bytes: fc.integer({ min: 0, max: 500 }) }),
      fc.record({ kind: fc.constant('open' as const), stream: fc.integer({ min: -1, max: 4 }), bytes: fc.integer({ min: 1, max: 400 }) }),
      fc.record({ kind: fc.constant('shrink' as const), stream: fc.nat(4), bytes: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ kind: fc.constant('frame' as const), stream: fc.nat(4), bytes: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ kind: fc.constant('discard' as const), stream: fc.nat(4), bytes: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const all = new Fixture();
        const streams = Array.from({ length: 5 }, (_, index) => all.stream(1 + 2 * index, 200));
        const pushed = streams.map(() => [] as Buffer[]);
        const given = streams.map(() => 200);
        let connectionGiven = all.sendWindow;
        let next = 0;
        for (const { kind, stream: index, bytes } of steps) {
          const stream = streams[index];
          if (kind === 'open' && index < 0) {
            connectionGiven += bytes;
            all.open(undefined, bytes);
          } else if (stream === undefined || stream.closed) continue;
          else if (kind === 'push') {
            const part = Buffer.from(Array.from({ length: bytes }, () => next++ % 251));
            pushed[index]?.push(part);
            all.queue.push(stream, part);
            if (bytes > 0) all.queue.ready(stream);
            all.queue.pump();
          } else if (kind === 'open' || kind === 'shrink') {
            const change = kind === 'open' ? bytes : -bytes;
            given[index] = (given[index] ?? 0) + change;
            if (kind === 'open') all.open(stream, bytes);
            else stream.sendWindow -= bytes;
          } else if (kind === 'frame') all.maxSendFrameBytes = bytes;
          else if (index > 2) {
            stream.closed = true;
            all.queue.discard(stream);
          }
        }
        all.sent();
        const arrived = (index: number): Buffer => Buffer.concat(all.payloads.get(1 + 2 * index) ?? []);
        let total = 0;
        for (const [index, stream] of streams.entries()) {
          const whole = Buffer.concat(pushed[index] ?? []);
          const got = arrived(index);
          total += got.length;
          expect(whole.subarray(0, got.length).equals(got)).toBe(true);
          expect(stream.sendWindow).toBe((given[index] ?? 0) - got.length);
          expect(stream.closed || stream.queuedBytes === whole.length - got.length).toBe(true);
        }
        expect(all.sendWindow).toBe(connectionGiven - total);
        expect(all.sendWindow).toBeGreaterThanOrEqual(0);
        expect(all.queue.queuedBytes).toBe(streams.reduce((sum, stream) => sum + stream.queuedBytes, 0));
        // Nothing that may go stays: with windows wide open the rest arrives.
        all.open(undefined, 1_000_000);
        for (const stream of streams) if (!stream.closed) all.open(stream, 1_000_000);
        all.sent();
        for (const [index, stream] of streams.entries()) {
          expect(stream.closed || arrived(index).equals(Buffer.concat(pushed[index] ?? []))).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
