import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldSocket } from '../testing/held-socket.js';
import { errorCode, frameFlag, frameType, settingId } from './constants.js';
import { FrameReader } from './frame-reader.js';
import {
  writeGoaway,
  writeHeaderBlock,
  writePing,
  writeRstStream,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from './frame-writer.js';
import { Output } from './output.js';

function written(write: (output: Output) => void): { type: number; flags: number; streamId: number; payload: Buffer }[] {
  const socket = new HeldSocket();
  const output = new Output(socket, () => {});
  write(output);
  output.flush();
  const frames: ReturnType<typeof written> = [];
  const sink = {
    onFrame: (type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void => {
      frames.push({ type, flags, streamId, payload: Buffer.from(bytes.subarray(start, end)) });
    },
  };
  new FrameReader(sink, 16_777_215).read(socket.bytes);
  return frames;
}

describe('frames that we write', () => {
  it('a header block is cut by the peer\u2019s frame size and ends with its last frame', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 5_000 }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.boolean(),
        (length, maxFrameBytes, endStream) => {
          const block = Buffer.from(Array.from({ length }, (_, index) => index % 251));
          const frames = written((output) => writeHeaderBlock(output, 7, block, endStream, maxFrameBytes));
          expect(Buffer.concat(frames.map(({ payload }) => payload)).equals(block)).toBe(true);
          expect(frames.every(({ payload, streamId }) => payload.length <= maxFrameBytes && streamId === 7)).toBe(true);
          expect(frames.map(({ type }) => type)).toEqual(
            frames.map((_, index) => (index === 0 ? frameType.headers : frameType.continuation)),
          );
          expect(frames.map(({ flags }) => (flags & frameFlag.endHeaders) !== 0)).toEqual(
            frames.map((_, index) => index === frames.length - 1),
          );
          expect(((frames[0]?.flags ?? 0) & frameFlag.endStream) !== 0).toBe(endStream);
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each<readonly [string, (output: Output) => void, number, number, number, string]>([
    ['RST_STREAM', (output) => writeRstStream(output, 0x7fffffff, errorCode.cancel), frameType.rstStream, 0, 0x7fffffff, '00000008'],
    ['WINDOW_UPDATE', (output) => writeWindowUpdate(output, 3, 0x7fffffff), frameType.windowUpdate, 0, 3, '7fffffff'],
    ['SETTINGS', (output) => writeSettings(output, [[settingId.maxFrameSize, 0xfffffe]]), frameType.settings, 0, 0, '000500fffffe'],
    ['an acknowledgement of SETTINGS', (output) => writeSettingsAck(output), frameType.settings, frameFlag.ack, 0, ''],
    ['PING', (output) => writePing(output, Buffer.from('12345678'), false), frameType.ping, 0, 0, '3132333435363738'],
    [
      'an answer to PING',
      (output) => writePing(output, Buffer.from('12345678'), true),
      frameType.ping,
      frameFlag.ack,
      0,
      '3132333435363738',
    ],
    ['GOAWAY without a text', (output) => writeGoaway(output, 0x7fffffff, 0, ''), frameType.goaway, 0, 0, '7fffffff00000000'],
  ])('%s', (_name, write, type, flags, streamId, payload) => {
    expect(written(write)).toEqual([{ type, flags, streamId, payload: Buffer.from(payload, 'hex') }]);
  });

  it('a GOAWAY names its code, and fits every peer\u2019s frame size', () => {
    const [short] = written((output) => writeGoaway(output, 1, errorCode.enhanceYourCalm, 'too many'));
    expect(short?.payload.toString('utf8', 8)).toBe('ENHANCE_YOUR_CALM: too many');
    const [long] = written((output) => writeGoaway(output, 1, errorCode.protocolError, 'x'.repeat(100_000)));
    expect(long?.payload.length).toBeLessThanOrEqual(16_384);
  });
});
