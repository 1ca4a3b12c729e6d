import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldSocket, turn } from '../testing/held-socket.js';
import { Output } from './output.js';

function make() {
  const socket = new HeldSocket({ writableHighWaterMark: 1 });
  const drains: number[] = [];
  const output = new Output(socket, () => drains.push(output.pendingBytes));
  return { socket, drains, output };
}

describe('Output', () => {
  it('sends the frames of one turn in one write', async () => {
    const { socket, output } = make();
    output.frame(6, 0, 0, 0);
    output.wrote(0);
    output.bytes(Buffer.from('ab'));
    output.bytes(Buffer.from('cd'));
    expect(socket.writes).toEqual([]);
    await turn();
    expect(socket.writes).toHaveLength(1);
    expect(socket.bytes.toString('latin1')).toBe('\0\0\0\x06\0\0\0\0\0abcd');
    expect([output.pendingBytes, output.sentBytes]).toEqual([0, 13]);
  });

  it('keeps the order of copied and referred parts, whatever their sizes', async () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(8_192, 8_193, 20_000, 65_000, 70_000)), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const { socket, output } = make();
        const expected: Buffer[] = [];
        for (const [index, length] of lengths.entries()) {
          const bytes = Buffer.alloc(length, index + 1);
          if (index % 3 === 0) {
            output.frameHeader(0, 1, index, length);
            expected.push(Buffer.from([length >>> 16, length >>> 8, length, 0, 1, 0, 0, 0, index]));
          }
          output.bytes(bytes);
          expected.push(bytes);
        }
        output.flush();
        await turn();
        expect(socket.bytes.equals(Buffer.concat(expected))).toBe(true);
        expect(output.pendingBytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('does not copy a large payload, and copies a small one', async () => {
    const { socket, output } = make();
    const large = Buffer.alloc(10_000, 1);
    const small = Buffer.alloc(100, 2);
    output.bytes(large);
    output.bytes(small);
    small.fill(9);
    await turn();
    const [first, second] = socket.writes.flat();
    expect(first?.buffer).toBe(large.buffer);
    expect(second?.equals(Buffer.alloc(100, 2))).toBe(true);
  });

  it('does not write into a slab again before it was taken', async () => {
    const { socket, output } = make();
    socket.open = false;
    const texts = Array.from({ length: 20 }, (_, index) => Buffer.alloc(1_000, 65 + index));
    for (const text of texts) {
      output.bytes(text);
      output.flush();
    }
    await turn();
    socket.release();
    await turn();
    socket.release();
    await turn();
    expect(socket.bytes.equals(Buffer.concat(texts))).toBe(true);
  });

  it('is congested above 512 KiB, and says once when it no longer is', async () => {
    const { socket, drains, output } = make();
    socket.open = false;
    for (let each = 0; each < 10; each++) output.bytes(Buffer.alloc(64 * 1024));
    expect(output.congested).toBe(true);
    expect(output.pendingBytes).toBe(640 * 1024);
    await turn();
    expect(drains).toEqual([]);
    while (output.pendingBytes > 0) {
      socket.release();
      socket.open = false;
      await turn();
    }
    expect(drains).toHaveLength(1);
    expect(drains[0]).toBeLessThanOrEqual(512 * 1024);
    expect(output.sentBytes).toBe(640 * 1024);
  });

  it('sends what is there, then ends, and nothing after', async () => {
    const { socket, output } = make();
    output.bytes(Buffer.from('last'));
    output.end();
    output.bytes(Buffer.from('more'));
    output.bytes(Buffer.alloc(300 * 1024));
    await turn();
    expect(socket.bytes.toString()).toBe('last');
    expect(socket.ended).toBe(true);
    expect(output.pendingBytes).toBe(0);
  });

  it('drops what waits when it is closed', async () => {
    const { socket, output } = make();
    output.bytes(Buffer.from('lost'));
    output.close();
    output.bytes(Buffer.from('more'));
    await turn();
    expect(socket.writes).toEqual([]);
    expect(output.pendingBytes).toBe(0);
  });
});
