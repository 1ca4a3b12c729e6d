import { describe, expect, it } from 'vitest';
import { rawSettings } from '../../testing/raw-frames.js';
import { errorCode, frameHeaderBytes, settingId } from '../frames/constants.js';
import { applySettings, defaultPeerSettings } from './settings.js';
import type { PeerSettings } from './settings.js';

type Pair = readonly [id: number, value: number];

function apply(pairs: readonly Pair[], peerIsServer = false): { settings: PeerSettings; tables: number[] } {
  const settings = defaultPeerSettings();
  const tables: number[] = [];
  const bytes = rawSettings(...pairs);
  applySettings(settings, bytes, frameHeaderBytes, bytes.length, peerIsServer, (size) => tables.push(size));
  return { settings, tables };
}

describe('applySettings', () => {
  it.each<readonly [string, readonly Pair[], Partial<PeerSettings>]>([
    ['nothing: the RFC’s initial values stay', [], { headerTableBytes: 4_096, initialWindowBytes: 65_535, maxFrameBytes: 16_384 }],
    ['no limits unless announced', [], { maxConcurrentStreams: Infinity, maxHeaderListBytes: Infinity }],
    [
      'each setting',
      [
        [3, 7],
        [4, 9],
        [5, 16_385],
        [6, 11],
      ],
      { maxConcurrentStreams: 7, initialWindowBytes: 9, maxFrameBytes: 16_385, maxHeaderListBytes: 11 },
    ],
    [
      'the last of several values',
      [
        [settingId.initialWindowSize, 1],
        [settingId.initialWindowSize, 2],
      ],
      { initialWindowBytes: 2 },
    ],
    [
      'a setting that nobody knows',
      [
        [0x99, 5],
        [settingId.maxConcurrentStreams, 1],
      ],
      { maxConcurrentStreams: 1 },
    ],
    [
      'the smallest and largest frame sizes',
      [
        [settingId.maxFrameSize, 16_384],
        [settingId.maxFrameSize, 16_777_215],
      ],
      { maxFrameBytes: 16_777_215 },
    ],
    ['the largest window', [[settingId.initialWindowSize, 0x7fffffff]], { initialWindowBytes: 0x7fffffff }],
    ['a window of 0', [[settingId.initialWindowSize, 0]], { initialWindowBytes: 0 }],
  ])('%s', (_name, pairs, expected) => {
    expect(apply(pairs).settings).toMatchObject(expected);
  });

  it('tells every size of the header table, in order', () => {
    const pairs: Pair[] = [
      [settingId.headerTableSize, 0],
      [settingId.headerTableSize, 4_096],
      [settingId.headerTableSize, 100],
    ];
    expect(apply(pairs)).toMatchObject({ tables: [0, 4_096, 100], settings: { headerTableBytes: 100 } });
  });

  it.each<readonly [string, Pair, boolean, number]>([
    ['ENABLE_PUSH of 2', [settingId.enablePush, 2], false, errorCode.protocolError],
    ['ENABLE_PUSH of 1 from a server', [settingId.enablePush, 1], true, errorCode.protocolError],
    ['INITIAL_WINDOW_SIZE of 2^31', [settingId.initialWindowSize, 0x80000000], false, errorCode.flowControlError],
    ['MAX_FRAME_SIZE of 2^14-1', [settingId.maxFrameSize, 16_383], false, errorCode.protocolError],
    ['MAX_FRAME_SIZE of 2^24', [settingId.maxFrameSize, 16_777_216], false, errorCode.protocolError],
  ])('%s is an error', (_name, pair, peerIsServer, code) => {
    expect(() => apply([pair], peerIsServer)).toThrow(expect.objectContaining({ code }));
  });

  it('ENABLE_PUSH of 1 from a client, and of 0 from a server, is none', () => {
    expect(() => apply([[settingId.enablePush, 1]])).not.toThrow();
    expect(() => apply([[settingId.enablePush, 0]], true)).not.toThrow();
  });
});
