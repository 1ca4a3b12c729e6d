import { afterAll, describe, expect, it } from 'vitest';
import { grpcMessage, rawData, rawFrame, rawHeaders, rawPriority, rawReset, rawWindowUpdate } from '../../testing/raw-frames.js';
import type { RawPeer } from '../../testing/raw-peer.js';
import { errorCode, frameType, settingId } from '../frames/constants.js';
import { attackReport, expectHarmless } from './testing/attack.js';
import { echoPath, holdPath } from './testing/stage.js';

afterAll(() => console.info(attackReport()));

const one = grpcMessage('x');

/** A request with `after` it, which makes either side reset the stream. */
type Provocation = (peer: RawPeer, streamId: number) => Buffer[];

const whole = (peer: RawPeer, id: number): Buffer[] => [peer.request(id, holdPath), rawData(id, one, true)];

/** Each stream occupies a handler and is gone again at once, so that MAX_CONCURRENT_STREAMS never counts it. */
const provocations: Readonly<Record<string, Provocation>> = {
  'rapid reset (CVE-2023-44487)': (peer, id) => [...whole(peer, id), rawReset(id, errorCode.cancel)],
  'rapid reset before the message': (peer, id) => [peer.request(id, holdPath), rawReset(id, errorCode.cancel)],
  'made you reset: WINDOW_UPDATE by 0 (CVE-2025-8671)': (peer, id) => [...whole(peer, id), rawWindowUpdate(id, 0)],
  'made you reset: window over 2^31-1': (peer, id) => [...whole(peer, id), rawWindowUpdate(id, 0x7fffffff)],
  'made you reset: PRIORITY of a wrong length': (peer, id) => [...whole(peer, id), rawFrame(frameType.priority, 0, id, Buffer.alloc(4))],
  'made you reset: PRIORITY on itself': (peer, id) => [...whole(peer, id), rawPriority(id, id)],
  'made you reset: DATA after END_STREAM': (peer, id) => [...whole(peer, id), rawData(id, one)],
  'made you reset: HEADERS after END_STREAM': (peer, id) => [...whole(peer, id), rawHeaders(id, peer.block(['x', 'y']), true)],
  'made you reset: trailers without END_STREAM': (peer, id) => [peer.request(id, holdPath), rawHeaders(id, peer.block(['x', 'y']))],
  'made you reset: more than content-length': (peer, id) => [peer.request(id, holdPath, false, ['content-length', '1']), rawData(id, one)],
  'made you reset: malformed request': (peer, id) => [rawHeaders(id, peer.block([':method', 'POST', 'Upper', 'case']), true)],
};

describe('streams that are reset as soon as they begin', { timeout: 60_000 }, () => {
  it.each(Object.entries(provocations))('%s', async (name, provoke) => {
    await expectHarmless(name, {}, async (stage) => {
      const peer = await stage.attacker();
      let id = 1;
      for (; id < 100_000 && !peer.closed; id += 200) {
        peer.write(...Array.from({ length: 100 }, (_, index) => provoke(peer, id + 2 * index)).flat());
        await peer.written();
      }
      const goaway = await peer.goaway();
      expect(goaway).toMatchObject({
        code: 'ENHANCE_YOUR_CALM',
        text: expect.stringMatching(/too many (streams were reset|PRIORITY)/) as string,
      });
      // A burst of 2,000, and what a second or a few give back.
      expect(stage.started).toBeLessThan(6_000);
      expect(stage.cancelled).toBe(stage.started);
      expect(stage.held).toEqual([]);
    });
  });

  it('streams above MAX_CONCURRENT_STREAMS are refused, never handed on, and not without end', async () => {
    await expectHarmless('refused streams', { maxConcurrentStreams: 10 }, async (stage) => {
      const peer = await stage.attacker();
      for (let id = 1; id < 100_000 && !peer.closed; id += 200) {
        peer.write(...Array.from({ length: 100 }, (_, index) => peer.request(id + 2 * index, holdPath)));
        await peer.written();
      }
      expect(await peer.goaway()).toMatchObject({ code: 'ENHANCE_YOUR_CALM' });
      expect(peer.of(frameType.rstStream).every((frame) => frame.payload.readUInt32BE(0) === errorCode.refusedStream)).toBe(true);
      expect(peer.count(frameType.rstStream)).toBeGreaterThanOrEqual(2_000);
      expect(stage.cancelled).toBe(stage.started);
    });
  });

  it('callers who give up on half of their calls, for ever, are let be', async () => {
    await expectHarmless('honest resets', { limits: { resetBurst: 50, resetsPerS: 0 } }, async (stage) => {
      const peer = await stage.attacker();
      for (let id = 1; id <= 1_200; id += 4) {
        peer.write(peer.request(id, echoPath), rawData(id, one, true));
        await peer.until(() => peer.of(frameType.headers, id).length === 2, 1);
        peer.write(...whole(peer, id + 2), rawReset(id + 2, errorCode.cancel));
      }
      await peer.until(() => stage.cancelled === 300);
      expect(peer.closed).toBe(false);
    });
  });

  it('a client that answers our RST_STREAM with its own is let be', async () => {
    await expectHarmless('crossing resets', { limits: { idleFrameBurst: 5, idleFramesPerS: 0 } }, async (stage) => {
      const peer = await stage.attacker();
      for (let id = 1; id < 400; id += 2) {
        peer.write(peer.request(id, '/test.Hostile/Missing'));
        expect(await peer.reset(id)).toBe('NO_ERROR');
        peer.write(rawReset(id, errorCode.cancel));
      }
      peer.write(peer.request(401, echoPath), rawData(401, one, true));
      await peer.until(() => peer.lists(401).length === 2 || peer.closed);
      expect(peer.lists(401)[1]).toEqual(['grpc-status', '0']);
    });
  });

  it('connections that are made and dropped with calls on them leave nothing', async () => {
    await expectHarmless('500 connections dropped', {}, async (stage) => {
      for (let each = 0; each < 500; each++) {
        const peer = await stage.attacker([settingId.initialWindowSize, 0]);
        peer.write(...whole(peer, 1), peer.request(3, holdPath), rawData(3, Buffer.of(0, 0, 0, 16, 0, 1, 2)));
        if (each % 2 === 0) await peer.until(() => stage.held.length > 0, 1);
        peer.destroy();
      }
      await expect.poll(() => stage.held.length, { timeout: 10_000 }).toBe(0);
    });
  });
});
