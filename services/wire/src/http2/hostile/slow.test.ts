import { afterAll, describe, expect, it } from 'vitest';
import { grpcMessage, preface, rawData, rawHeaders, rawPing, rawSettings, rawWindowUpdate } from '../../testing/raw-frames.js';
import type { RawPeer } from '../../testing/raw-peer.js';
import { frameType, settingId } from '../frames/constants.js';
import { attackReport, expectHarmless } from './testing/attack.js';
import { echoPath, holdPath, largeBytes, largePath, mebibyte, memoryBytes, streamPath } from './testing/stage.js';

afterAll(() => console.info(attackReport()));

/** The watchdog looks twice a second: a limit of 300 ms is enforced after 500 to 1,000. */
const limits = { headerTimeoutMs: 300, bodyIdleTimeoutMs: 300, stallTimeoutMs: 300 };

/** One byte at a time, for as long as the other side puts up with it. */
async function drip(peer: RawPeer, bytes: Buffer, everyMs: number): Promise<void> {
  for (const byte of bytes) {
    if (peer.closed) return;
    peer.write(Buffer.of(byte));
    await new Promise<void>((resolve) => setTimeout(resolve, everyMs));
  }
}

/** A write is how a peer that does not read learns of the end. */
async function expectGone(peer: RawPeer): Promise<void> {
  const gone = (): boolean => {
    peer.write(rawPing());
    return !peer.socket.writable;
  };
  await expect.poll(gone, { timeout: 20_000, interval: 100 }).toBe(true);
}

describe('peers that take their time', { timeout: 60_000 }, () => {
  it.each<readonly [string, (peer: RawPeer) => Buffer]>([
    ['no byte at all', () => Buffer.alloc(0)],
    ['a preface by the byte', () => preface],
    [
      'SETTINGS by the byte',
      () => Buffer.concat([preface, rawSettings([settingId.initialWindowSize, 1], [settingId.maxFrameSize, 16_384])]),
    ],
    ['a preface and nothing more', () => preface],
  ])('%s: the connection ends after headerTimeoutMs', async (name, bytes) => {
    await expectHarmless(name, { limits }, async (stage) => {
      const peer = await stage.connection();
      await Promise.all([drip(peer, bytes(peer), 50), peer.goaway()]);
      expect(await peer.goaway()).toMatchObject({
        code: 'ENHANCE_YOUR_CALM',
        text: expect.stringMatching(/not completed in time/) as string,
      });
    });
  });

  it.each<readonly [string, (peer: RawPeer) => Buffer]>([
    ['HEADERS by the byte', (peer) => peer.request(1, echoPath)],
    ['a header block that is never ended', (peer) => rawHeaders(1, peer.block(['a', 'b']), false, false)],
    ['DATA by the byte', (peer) => Buffer.concat([peer.request(1, echoPath), rawData(1, grpcMessage(Buffer.alloc(100)))])],
  ])('%s: the connection ends after headerTimeoutMs', async (name, bytes) => {
    await expectHarmless(name, { limits }, async (stage) => {
      const peer = await stage.attacker();
      await Promise.all([drip(peer, bytes(peer), 50), peer.goaway()]);
      expect(await peer.goaway()).toMatchObject({
        code: 'ENHANCE_YOUR_CALM',
        text: expect.stringMatching(/not completed in time/) as string,
      });
    });
  });

  it.each<readonly [string, Buffer]>([
    ['no message', Buffer.alloc(0)],
    ['half a message prefix', Buffer.of(0, 0)],
    ['half a message', grpcMessage(Buffer.alloc(1_000)).subarray(0, 500)],
    ['a message and no END_STREAM', grpcMessage('x')],
  ])('a body of %s: the stream ends after bodyIdleTimeoutMs, the connection goes on', async (name, body) => {
    await expectHarmless(`body: ${name}`, { limits }, async (stage) => {
      const peer = await stage.attacker();
      peer.write(peer.request(1, holdPath), ...(body.length === 0 ? [] : [rawData(1, body)]));
      expect(await peer.reset(1)).toBe('CANCEL');
      expect(stage.started).toBe(0);
      peer.write(peer.request(3, echoPath), rawData(3, grpcMessage('x'), true));
      await peer.until(() => peer.lists(3).length === 2 || peer.closed);
      expect(peer.lists(3)[1]).toEqual(['grpc-status', '0']);
    });
  });

  it('a connection with nothing to say is let be', async () => {
    await expectHarmless('silence', { limits }, async (stage) => {
      const peer = await stage.attacker();
      await new Promise<void>((resolve) => setTimeout(resolve, 1_500));
      expect(peer.closed).toBe(false);
      peer.write(peer.request(1, echoPath), rawData(1, grpcMessage('x'), true));
      await peer.until(() => peer.lists(1).length === 2 || peer.closed);
      expect(peer.lists(1)[1]).toEqual(['grpc-status', '0']);
    });
  });

  it('a large upload that is in the middle of some frame at all times is let be', async () => {
    await expectHarmless('busy upload', { limits: { headerTimeoutMs: 1_000, bodyIdleTimeoutMs: 1_000 } }, async (stage) => {
      const peer = await stage.attacker();
      const frames = Buffer.concat([
        peer.request(1, echoPath),
        ...Array.from({ length: 40 }, (_, index) =>
          rawData(1, index === 0 ? grpcMessage(Buffer.alloc(40 * 1_000 - 5)).subarray(0, 1_000) : Buffer.alloc(1_000), index === 39),
        ),
      ]);
      // Every write ends 500 bytes into a frame; 41 of them take more than two looks of the watchdog.
      for (let at = 0; at < frames.length; at += 1_009) {
        peer.write(frames.subarray(at, at + 1_009));
        await new Promise<void>((resolve) => setTimeout(resolve, 60));
      }
      await peer.until(() => peer.lists(1).length === 2 || peer.closed);
      expect(peer.lists(1)[1]).toEqual(['grpc-status', '0']);
    });
  });
});

describe('peers that do not take what they asked for', { timeout: 60_000 }, () => {
  const maxUnsentBytes = 4 * mebibyte;

  it('a window that is never opened: memory up to maxUnsentBytes, then the connection ends', async () => {
    await expectHarmless('window stall, asking on', { limits: { ...limits, maxUnsentBytes, stallTimeoutMs: 60_000 } }, async (stage) => {
      const beforeBytes = await memoryBytes();
      const peer = await stage.attacker([settingId.initialWindowSize, 0]);
      const most = maxUnsentBytes / largeBytes;
      for (let each = 0; each < most; each++)
        peer.write(peer.request(1 + 2 * each, largePath), rawData(1 + 2 * each, grpcMessage(''), true));
      await peer.until(() => peer.count(frameType.headers) === most);
      expect((await memoryBytes()) - beforeBytes).toBeLessThan(maxUnsentBytes + 8 * mebibyte);
      for (let each = most; each < most + 2; each++)
        peer.write(peer.request(1 + 2 * each, largePath), rawData(1 + 2 * each, grpcMessage(''), true));
      expect(await peer.goaway()).toMatchObject({ code: 'ENHANCE_YOUR_CALM', text: expect.stringMatching(/bytes wait/) as string });
    });
  });

  it('many connections whose windows are never opened: those that hold the most end when all together hold too much', async () => {
    const each = 8;
    const maxHeldBytes = 8 * mebibyte;
    await expectHarmless(
      'window stall by 20 connections',
      { limits: { ...limits, stallTimeoutMs: 60_000 } },
      async (stage) => {
        const beforeBytes = await memoryBytes();
        const peers: RawPeer[] = [];
        // 20 x 8 x 256 KiB = 40 MiB asked for.
        for (let connection = 0; connection < 20; connection++) {
          const peer = await stage.attacker([settingId.initialWindowSize, 0]);
          peers.push(peer);
          for (let id = 1; id < 2 * each; id += 2) peer.write(peer.request(id, largePath), rawData(id, grpcMessage(''), true));
          await peer.until(() => peer.count(frameType.headers) === each || peer.closed);
        }
        await expect.poll(() => stage.sent.usedBytes, { timeout: 10_000 }).toBeLessThanOrEqual(maxHeldBytes);
        expect((await memoryBytes()) - beforeBytes).toBeLessThan(maxHeldBytes + 8 * mebibyte);
        await expect.poll(() => peers.filter(({ closed }) => closed).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(16);
        for (const peer of peers.filter(({ closed }) => closed))
          expect(await peer.goaway()).toMatchObject({
            code: 'ENHANCE_YOUR_CALM',
            text: expect.stringMatching(/held for all peers/) as string,
          });
        for (const peer of peers) peer.destroy();
        await expect.poll(() => stage.sent.usedBytes, { timeout: 10_000 }).toBeLessThan(1_000);
      },
      maxHeldBytes,
    );
  });

  it('a window that is never opened: the stream ends after stallTimeoutMs, also of a peer that talks on', async () => {
    await expectHarmless('window stall with PINGs', { limits: { ...limits, maxUnsentBytes } }, async (stage) => {
      const peer = await stage.attacker([settingId.initialWindowSize, 0]);
      peer.write(peer.request(1, largePath), rawData(1, grpcMessage(''), true));
      const talk = setInterval(() => peer.write(rawPing()), 50);
      expect(await peer.reset(1)).toBe('CANCEL');
      clearInterval(talk);
      expect(peer.of(frameType.data, 1)).toEqual([]);
      expect(peer.closed).toBe(false);
    });
  });

  it('a streaming call whose client pauses its reads for longer than stallTimeoutMs loses nothing', async () => {
    await expectHarmless('paused stream', { limits }, async (stage) => {
      const peer = await stage.attacker([settingId.initialWindowSize, 0]);
      peer.write(peer.request(1, streamPath), rawData(1, grpcMessage('waits'), true));
      // The head comes at once, the message waits for a window.
      await peer.until(() => peer.lists(1).length === 1 || peer.closed);
      await new Promise<void>((resolve) => setTimeout(resolve, 1_500));
      expect(peer.of(frameType.rstStream)).toEqual([]);
      peer.write(rawWindowUpdate(1, 1_000));
      await peer.until(() => peer.lists(1).length === 2 || peer.closed);
      expect(peer.lists(1)[1]).toEqual(['grpc-status', '0']);
      expect(peer.of(frameType.data, 1).map(({ payload }) => payload)).toEqual([grpcMessage('waits')]);
    });
  });

  it('a window that is opened slowly, and a reply that arrives in the end', async () => {
    await expectHarmless('slow window', { limits: { ...limits, stallTimeoutMs: 600 } }, async (stage) => {
      const peer = await stage.attacker([settingId.initialWindowSize, 0]);
      peer.write(peer.request(1, largePath), rawData(1, grpcMessage(''), true));
      for (let opened = 0; opened < largeBytes + 5; opened += 16_384) {
        peer.write(rawWindowUpdate(1, 16_384), rawWindowUpdate(0, 16_384));
        await new Promise<void>((resolve) => setTimeout(resolve, 100));
      }
      await peer.until(() => peer.lists(1).length === 2 || peer.closed);
      expect(peer.lists(1)[1]).toEqual(['grpc-status', '0']);
      expect(peer.of(frameType.data, 1).reduce((sum, frame) => sum + frame.payload.length, 0)).toBe(largeBytes + 5);
    });
  });

  it('a socket that is not read, by a peer that keeps asking', async () => {
    await expectHarmless('unread socket, replies', { limits: { ...limits, stallTimeoutMs: 60_000, maxUnsentBytes } }, async (stage) => {
      const beforeBytes = await memoryBytes();
      const peer = await stage.attacker([settingId.initialWindowSize, 0x7fffffff]);
      peer.write(rawWindowUpdate(0, 0x7fffffff - 65_535));
      peer.socket.pause();
      // 5,000 x 256 KiB = 1.2 GiB asked for.
      for (let each = 0; each < 5_000 && !peer.closed; each += 10) {
        const ids = Array.from({ length: 10 }, (_, index) => 1 + 2 * (each + index));
        peer.write(...ids.flatMap((id) => [peer.request(id, largePath), rawData(id, grpcMessage(''), true)]));
        await peer.written();
      }
      // What the kernel holds for an unread socket is not the process's.
      expect((await memoryBytes()) - beforeBytes).toBeLessThan(maxUnsentBytes + 8 * mebibyte);
      await expectGone(peer);
    });
  });

  it('a socket that is not read, by a peer that sends PINGs: acknowledgements do not pile up', async () => {
    await expectHarmless(
      'unread socket, PINGs',
      { limits: { ...limits, stallTimeoutMs: 60_000, maxUnsentBytes: 64 * 1024, idleFrameBurst: 1e9 } },
      async (stage) => {
        const beforeBytes = await memoryBytes();
        const peer = await stage.attacker();
        peer.socket.pause();
        const pings = Buffer.concat(Array.from({ length: 1_000 }, () => rawPing()));
        for (let each = 0; each < 2_000 && peer.socket.writable; each++) {
          peer.write(pings);
          await peer.written();
        }
        await expectGone(peer);
        expect((await memoryBytes()) - beforeBytes).toBeLessThan(8 * mebibyte);
      },
    );
  });

  it('a socket that is not read, without another word, ends after stallTimeoutMs', async () => {
    await expectHarmless('unread socket, silence', { limits: { ...limits, maxUnsentBytes: 64 * mebibyte } }, async (stage) => {
      const peer = await stage.attacker([settingId.initialWindowSize, 0x7fffffff]);
      peer.write(rawWindowUpdate(0, 0x7fffffff - 65_535));
      peer.socket.pause();
      for (let id = 1; id < 200; id += 2) peer.write(peer.request(id, largePath), rawData(id, grpcMessage(''), true));
      await expectGone(peer);
    });
  });
});
