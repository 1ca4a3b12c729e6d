import { afterAll, describe, expect, it } from 'vitest';
import {
  grpcMessage,
  rawContinuation,
  rawData,
  rawFrame,
  rawGoaway,
  rawHeaders,
  rawPing,
  rawPriority,
  rawReset,
  rawSettings,
  rawSettingsAck,
  rawWindowUpdate,
} from '../../testing/raw-frames.js';
import type { RawPeer } from '../../testing/raw-peer.js';
import { errorCode, frameFlag, settingId } from '../frames/constants.js';
import { attackReport, expectHarmless } from './testing/attack.js';
import { echoPath, holdPath } from './testing/stage.js';

afterAll(() => console.info(attackReport()));

interface Flood {
  readonly before?: (peer: RawPeer) => void;
  readonly frame: (peer: RawPeer, index: number) => Buffer;
  readonly code?: string;
  readonly text: RegExp;
}

const empty = Buffer.alloc(0);
const hold = (peer: RawPeer): void => peer.write(peer.request(1, holdPath), rawData(1, grpcMessage('x'), true));
const openStream = (peer: RawPeer): void => peer.write(peer.request(1, holdPath));
const closedStream = (peer: RawPeer): void => peer.write(peer.request(1, echoPath), rawData(1, grpcMessage('x'), true));
const resetStream = (peer: RawPeer): void =>
  peer.write(peer.request(1, holdPath), rawData(1, grpcMessage('x'), true), rawReset(1, errorCode.cancel));

/** Frames that cost the sender next to nothing and do nothing for it: more than a burst of them ends the connection. */
const floods: Readonly<Record<string, Flood>> = {
  'PING (CVE-2019-9512)': { frame: () => rawPing(), text: /PING/ },
  'answers to PINGs that nobody sent': { frame: () => rawPing(frameFlag.ack), text: /PING/ },
  'SETTINGS (CVE-2019-9515)': { frame: () => rawSettings(), text: /SETTINGS/ },
  'SETTINGS that move all windows to and fro': {
    before: hold,
    frame: (_peer, index) => rawSettings([settingId.initialWindowSize, index % 2 === 0 ? 0 : 65_535]),
    text: /SETTINGS/,
  },
  'acknowledgements of SETTINGS': { frame: () => rawSettingsAck(), code: 'PROTOCOL_ERROR', text: /acknowledgement of nothing/ },
  'DATA without bytes (CVE-2019-9518)': { before: openStream, frame: () => rawData(1, empty), text: /empty DATA/ },
  'DATA that is all padding': { before: openStream, frame: () => rawFrame(0, frameFlag.padded, 1, Buffer.alloc(1)), text: /empty DATA/ },
  'DATA without bytes for a stream that was answered': { before: closedStream, frame: () => rawData(1, empty), text: /empty DATA/ },
  'PRIORITY (CVE-2019-9513)': { frame: (_peer, index) => rawPriority(3 + 2 * (index % 100), 1), text: /PRIORITY/ },
  'frames of unknown type': {
    frame: (_peer, index) => rawFrame(0x20 + (index % 100), 0xff, index % 5, Buffer.alloc(3)),
    text: /unknown type/,
  },
  'WINDOW_UPDATE of the connection by 1': { frame: () => rawWindowUpdate(0, 1), text: /WINDOW_UPDATE/ },
  'WINDOW_UPDATE of a stream by 1': { before: hold, frame: () => rawWindowUpdate(1, 1), text: /WINDOW_UPDATE/ },
  'WINDOW_UPDATE of a stream that is over': { before: resetStream, frame: () => rawWindowUpdate(1, 1), text: /WINDOW_UPDATE/ },
  'RST_STREAM of a stream that is over': { before: resetStream, frame: () => rawReset(1, errorCode.cancel), text: /RST_STREAM/ },
  'GOAWAY while a call runs': { before: hold, frame: () => rawGoaway(0, 0), text: /GOAWAY/ },
  'HEADERS of a stream that we reset': {
    before: (peer) => peer.write(peer.request(1, holdPath), rawData(1, grpcMessage('x')), rawWindowUpdate(1, 0)),
    frame: (peer) => rawHeaders(1, peer.block(['x', 'y']), true),
    text: /HEADERS/,
  },
};

describe('floods of frames that carry nothing', { timeout: 60_000 }, () => {
  it.each(Object.entries(floods))('%s', async (name, flood) => {
    await expectHarmless(name, {}, async (stage) => {
      const peer = await stage.attacker();
      flood.before?.(peer);
      // 100,000 frames; the connection is ended after its burst of 1,000 and what was free.
      for (let each = 0; each < 100_000 && !peer.closed; each += 500) {
        peer.write(...Array.from({ length: 500 }, (_, index) => flood.frame(peer, each + index)));
        await peer.written();
      }
      const goaway = await peer.goaway();
      expect(goaway).toMatchObject({ code: flood.code ?? 'ENHANCE_YOUR_CALM' });
      expect(goaway?.text).toMatch(flood.text);
    });
  });

  it('empty CONTINUATION frames end a header block after the 32nd', async () => {
    await expectHarmless('empty CONTINUATION', {}, async (stage) => {
      const peer = await stage.attacker();
      peer.write(rawHeaders(1, empty, false, false));
      for (let each = 0; each < 10_000 && !peer.closed; each += 100) {
        peer.write(...Array.from({ length: 100 }, () => rawContinuation(1, empty)));
        await peer.written();
      }
      expect(await peer.goaway()).toMatchObject({
        code: 'ENHANCE_YOUR_CALM',
        text: expect.stringMatching(/at most 32 CONTINUATION/) as string,
      });
    });
  });

  it('a burst within the allowance is answered, frame by frame', async () => {
    await expectHarmless('1,000 PINGs', {}, async (stage) => {
      const peer = await stage.attacker();
      for (let each = 0; each < 1_000; each++) peer.write(rawPing());
      await peer.until(() => peer.count(6) === 1_000);
      expect(peer.closed).toBe(false);
    });
  });
});
