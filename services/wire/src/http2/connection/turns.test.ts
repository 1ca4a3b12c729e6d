import fc from 'fast-check';
import { FakeClock } from '@headrace/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { rawHeaders, rawPing } from '../../testing/raw-frames.js';
import { frameType } from '../frames/constants.js';
import { HpackEncoder } from '../hpack/index.js';
import { HeldSocket, turn } from '../testing/held-socket.js';
import { Bench } from '../testing/plain-stream.js';
import { Turns } from './turns.js';

const block = Buffer.from(new HpackEncoder().encode([':method', 'POST']));
const chunk = (text: string): Buffer => Buffer.from(text);

describe('Turns', () => {
  let clock: FakeClock;
  let socket: HeldSocket;
  let seen: string[];

  /** Reads `each` bytes a millisecond, and stops where its turn is spent. */
  function turns(each: number): Turns {
    const made: Turns = new Turns(socket, clock, (bytes, from) => {
      let at = from;
      while (at < bytes.length) {
        seen.push(bytes.toString('latin1', at, at + each));
        at += each;
        clock.advance(1);
        if (made.spent) return Math.min(at, bytes.length);
      }
      return bytes.length;
    });
    return made;
  }

  beforeEach(() => {
    clock = new FakeClock();
    socket = new HeldSocket();
    seen = [];
  });

  it('stops within a chunk, goes on with the rest a turn later, and loses nothing of what came meanwhile', async () => {
    turns(2);
    socket.push(chunk('abcdef'));
    socket.push(chunk('gh'));
    await turn();
    expect(socket.isPaused()).toBe(true);
    for (let each = 0; each < 20; each++) await turn();
    expect(seen).toEqual(['ab', 'cd', 'ef', 'gh']);
    expect(socket.isPaused()).toBe(false);
  });

  it('a chunk that follows in the same turn waits, though the one before it was read to its end', async () => {
    turns(100);
    socket.emit('data', chunk('first'));
    socket.emit('data', chunk('second'));
    expect(seen).toEqual(['first']);
    await turn();
    expect(seen).toEqual(['first', 'second']);
  });

  it('after the end what comes is dropped, up to 256 KiB, and then the peer is cut off', async () => {
    const made = turns(1);
    made.stop();
    for (let each = 0; each < 4; each++) socket.emit('data', Buffer.alloc(64 * 1024));
    clock.advance(1_000);
    expect(socket.destroyed).toBe(false);
    socket.emit('data', Buffer.alloc(1));
    expect(socket.isPaused()).toBe(true);
    clock.advance(100);
    expect(socket.destroyed).toBe(true);
    expect(seen).toEqual([]);
  });

  it('a rest that waits when the connection ends is not read', async () => {
    const made = turns(1);
    socket.emit('data', chunk('abc'));
    made.stop();
    await turn();
    expect(seen).toEqual(['a']);
  });

  it('every byte is read once and in order, however long each takes', async () => {
    const step = fc.record({ bytes: fc.integer({ min: 1, max: 9 }), takesMs: fc.constantFrom(0, 0.4, 1), sameTurn: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const held = new HeldSocket();
        const now = new FakeClock();
        const got: number[] = [];
        const made: Turns = new Turns(held, now, (bytes, from) => {
          for (let at = from; at < bytes.length; at++) {
            got.push(bytes[at] ?? 0);
            now.advance(steps[got.length % steps.length]?.takesMs ?? 0);
            if (made.spent) return at + 1;
          }
          return bytes.length;
        });
        let sent = 0;
        for (const { bytes, sameTurn } of steps) {
          held.push(Buffer.from(Array.from({ length: bytes }, () => sent++ % 256)));
          if (!sameTurn) await turn();
        }
        for (let each = 0; each < 600 && got.length < sent; each++) await turn();
        expect(got).toEqual(Array.from({ length: sent }, (_, index) => index % 256));
      }),
      { numRuns: 50 },
    );
  });
});

describe('a connection whose requests are expensive', () => {
  it('lets another be read between two parts of its chunk', async () => {
    const busy = await Bench.server();
    const other = await Bench.server();
    const order: string[] = [];
    busy.onOpened = () => {
      busy.clock.advance(0.5);
      order.push('busy');
    };
    other.onOpened = () => order.push('other');
    busy.socket.push(Buffer.concat(Array.from({ length: 40 }, (_, index) => rawHeaders(1 + 2 * index, block, true))));
    other.socket.push(rawHeaders(1, block, true));
    for (let each = 0; each < 5; each++) await turn();
    expect(order.indexOf('other')).toBe(32);
    expect(order.filter((each) => each === 'busy')).toHaveLength(40);
    await busy.feed(rawPing());
    expect((await busy.frames()).some(({ type }) => type === frameType.ping)).toBe(true);
  });
});
