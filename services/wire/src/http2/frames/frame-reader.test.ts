import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rawFrame } from '../../testing/raw-frames.js';
import { ConnectionError } from './errors.js';
import { FrameReader } from './frame-reader.js';

const maxFrameBytes = 16_384;

function record(max = maxFrameBytes) {
  const frames: { type: number; flags: number; streamId: number; payload: string; lasting: boolean }[] = [];
  const reader = new FrameReader(
    {
      onFrame: (type, flags, streamId, bytes, start, end, lasting) => {
        frames.push({ type, flags, streamId, payload: bytes.toString('hex', start, end), lasting });
      },
    },
    max,
  );
  return { frames, reader };
}

/** Byte by byte, to the end of a frame's header, and anything else. */
const sizes = fc.oneof(
  fc.constantFrom([1], [9], [3, 6], [9, 1, 100]),
  fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 50 }),
  fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 50 }),
);

const frame = fc.record({
  type: fc.nat(255),
  flags: fc.nat(255),
  streamId: fc.integer({ min: 0, max: 0xffffffff }),
  payload: fc.oneof(
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1_000, maxLength: 3_000 }) },
  ),
});

describe('FrameReader', () => {
  it('gives the same frames however a stream of bytes is split', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), sizes, (sent, split) => {
        const bytes = Buffer.concat(sent.map(({ type, flags, streamId, payload }) => rawFrame(type, flags, streamId, payload)));
        const { frames, reader } = record();
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = split[turn % split.length] ?? 1;
          // A chunk of its own that is overwritten after the read, as a socket's may be.
          const chunk = Buffer.from(bytes.subarray(at, at + size));
          reader.read(chunk);
          chunk.fill(0xee);
          at += size;
        }
        expect(reader.inFrame).toBe(false);
        // The bit in front of the stream id is reserved and ignored (RFC 9113, section 4.1).
        expect(frames.map(({ type, flags, streamId, payload }) => ({ type, flags, streamId, payload }))).toEqual(
          sent.map(({ type, flags, streamId, payload }) => ({
            type,
            flags,
            streamId: streamId & 0x7fffffff,
            payload: Buffer.from(payload).toString('hex'),
          })),
        );
      }),
    );
  });

  it('says of a frame that lies whole in one read that its view lasts, of others not', () => {
    const { frames, reader } = record();
    const bytes = Buffer.concat([rawFrame(0, 0, 1, Buffer.of(1)), rawFrame(0, 0, 3, Buffer.of(2))]);
    reader.read(bytes.subarray(0, 15));
    reader.read(bytes.subarray(15));
    expect(frames.map(({ streamId, lasting }) => [streamId, lasting])).toEqual([
      [1, true],
      [3, false],
    ]);
  });

  it('begins where it is told, behind a preface', () => {
    const { frames, reader } = record();
    reader.read(Buffer.concat([Buffer.from('PRI'), rawFrame(6, 0, 0, Buffer.alloc(8))]), 3);
    expect(frames).toHaveLength(1);
  });

  it.each([9, 8, 3, 1])('refuses a frame that is too long by its header alone, %d bytes at a time', (size) => {
    const { reader } = record();
    const header = rawFrame(0, 0, 1, Buffer.alloc(0), maxFrameBytes + 1);
    const readAll = (): void => {
      for (let at = 0; at < header.length; at += size) reader.read(header.subarray(at, at + size));
    };
    expect(readAll).toThrow(new ConnectionError(0x6, 'frame length: expected at most 16384 bytes, got 16385'));
  });

  it('takes a frame of exactly the largest size, in pieces', () => {
    const { frames, reader } = record();
    const bytes = rawFrame(0, 0, 1, Buffer.alloc(maxFrameBytes, 7));
    reader.read(bytes.subarray(0, 5));
    expect(reader.inFrame).toBe(true);
    reader.read(bytes.subarray(5, 9_000));
    reader.read(bytes.subarray(9_000));
    expect(frames.map(({ payload }) => payload.length)).toEqual([2 * maxFrameBytes]);
    expect(reader.inFrame).toBe(false);
  });
});
