import {
  grpcMessage,
  rawContinuation,
  rawData,
  rawHeaders,
  rawPing,
  rawReset,
  rawSettings,
  rawWindowUpdate,
} from '@headrace/wire/testing/raw';
import { servedPaths } from './served-paths.js';

/** What an attack needs of its connection: header blocks from an encoder whose table the server follows. */
export interface Requests {
  /** HEADERS of a call. */
  request(streamId: number, path: string, endStream?: boolean): Buffer;
}

/**
 * One way to hurt a server. On each of `connections` at once, for as long as the attack lasts: connect, write the script, wait to be told or
 * cut off, and begin again.
 */
export interface Attack {
  readonly connections: number;
  /** In SETTINGS of the attacker. */
  readonly settings?: readonly (readonly [id: number, value: number])[];
  /** All that one connection writes behind preface and SETTINGS. */
  readonly script: (requests: Requests) => Buffer;
  /** Bytes a write; default: as much as the socket takes. */
  readonly dripBytes?: number;
  /** Where no GOAWAY is expected: the answers that say that the script was understood and refused. */
  readonly answers?: number;
  /** What the attacker must be told: the code of a GOAWAY (RFC 9113, section 7), or what its calls get. */
  readonly told: string;
}

const calm = 'ENHANCE_YOUR_CALM';
const cancel = 8;
const initialWindowSize = 4;
const one = grpcMessage('x');
/** Far above each burst that is allowed. */
const frames = 20_000;

const repeated = (frame: Buffer, times = frames): Buffer => Buffer.alloc(frame.length * times, frame);

function streams(count: number, each: (id: number) => readonly Buffer[]): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => each(1 + 2 * index)).flat());
}

/** One entry of 3,900 bytes for the table, and indexes that stand for it: 120,000 bytes become 460 MiB. */
function bomb(streamId: number): Buffer[] {
  const frameBytes = 16_384;
  // 0x7f 0xbd 0x1d: 3,900 as an integer of 7 bits (RFC 7541, section 5.1).
  const entry = Buffer.concat([Buffer.of(0x40, 1, 0x78, 0x7f, 0xbd, 0x1d), Buffer.alloc(3_900, 0x61)]);
  const block = Buffer.concat([entry, Buffer.alloc(120_000, 0xbe)]);
  const parts = [rawHeaders(streamId, block.subarray(0, frameBytes), true, false)];
  for (let at = frameBytes; at < block.length; at += frameBytes)
    parts.push(rawContinuation(streamId, block.subarray(at, at + frameBytes), at + frameBytes >= block.length));
  return parts;
}

export const attacks = {
  'rapid reset': {
    connections: 4,
    script: (peer) => streams(10_000, (id) => [peer.request(id, servedPaths.hold), rawData(id, one, true), rawReset(id, cancel)]),
    told: calm,
  },
  'made you reset': {
    connections: 4,
    script: (peer) => streams(10_000, (id) => [peer.request(id, servedPaths.hold), rawData(id, one, true), rawWindowUpdate(id, 0)]),
    told: calm,
  },
  'CONTINUATION flood': {
    connections: 4,
    script: () =>
      Buffer.concat([
        rawHeaders(1, Buffer.alloc(16_000, 0x82), false, false),
        repeated(rawContinuation(1, Buffer.alloc(16_000, 0x82)), 100),
      ]),
    told: calm,
  },
  'empty CONTINUATION': {
    connections: 4,
    script: () => Buffer.concat([rawHeaders(1, Buffer.of(0x82), false, false), repeated(rawContinuation(1, Buffer.alloc(0)))]),
    told: calm,
  },
  SETTINGS: { connections: 4, script: () => repeated(rawSettings([initialWindowSize, 70_000])), told: calm },
  PING: { connections: 4, script: () => repeated(rawPing()), told: calm },
  'empty DATA': {
    connections: 4,
    script: (peer) => Buffer.concat([peer.request(1, servedPaths.hold), repeated(rawData(1, Buffer.alloc(0)))]),
    told: calm,
  },
  'RST_STREAM flood': {
    connections: 4,
    script: (peer) =>
      Buffer.concat([peer.request(1, servedPaths.hold), rawData(1, one, true), rawReset(1, cancel), repeated(rawReset(1, cancel))]),
    told: calm,
  },
  // 48 MiB a connection: 400 bombs, of which each costs the server a millisecond.
  'HPACK bomb': { connections: 4, script: () => streams(400, bomb), answers: 400, told: 'grpc-status 8' },
  'slow-loris headers': {
    connections: 500,
    script: (peer) => peer.request(1, servedPaths.echo),
    dripBytes: 1,
    told: calm,
  },
  'window stall': {
    connections: 8,
    settings: [[initialWindowSize, 0]],
    script: (peer) => streams(20, (id) => [peer.request(id, servedPaths.large), rawData(id, grpcMessage(''), true)]),
    answers: 20,
    told: 'RST_STREAM CANCEL',
  },
  // 8 x 100 x 256 KiB = 200 MiB, above what the server holds for all peers.
  'window stall for memory': {
    connections: 8,
    settings: [[initialWindowSize, 0]],
    script: (peer) => streams(100, (id) => [peer.request(id, servedPaths.large), rawData(id, grpcMessage(''), true)]),
    told: calm,
  },
} as const satisfies Readonly<Record<string, Attack>>;

export type AttackName = keyof typeof attacks;

export const attackNames = Object.keys(attacks) as readonly AttackName[];
