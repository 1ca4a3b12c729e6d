import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  grpcMessage,
  preface,
  rawContinuation,
  rawData,
  rawFrame,
  rawGoaway,
  rawHeaders,
  rawPing,
  rawReset,
  rawSettings,
  rawWindowUpdate,
  uint32,
} from '../../testing/raw-frames.js';
import type { RawPeer } from '../../testing/raw-peer.js';
import { frameFlag, frameType, settingId } from '../frames/constants.js';
import { attackReport, harmlessTogether } from './testing/attack.js';
import { deafPath, echoPath, holdPath } from './testing/stage.js';

afterAll(() => console.info(attackReport()));

const maxStreamId = 0x7fffffff;
const one = grpcMessage('x');
const none = Buffer.alloc(0);
const held = (peer: RawPeer, id: number): Buffer => Buffer.concat([peer.request(id, holdPath), rawData(id, one, true)]);
const begun = (peer: RawPeer, id: number): Buffer => peer.request(id, holdPath);

type Attack = (peer: RawPeer) => Uint8Array[];

/** By the error code of the GOAWAY that ends the connection. */
const connectionErrors: Readonly<Record<string, Readonly<Record<string, Attack>>>> = {
  FRAME_SIZE_ERROR: {
    'a frame of 16,385 bytes (RFC 9113, 4.2)': () => [rawFrame(frameType.data, 0, 1, none, 16_385)],
    'a frame of 16 MiB, of which only the header comes': () => [rawFrame(frameType.headers, 0, 1, none, 0xffffff)],
    'a frame of unknown type that is too long': () => [rawFrame(0xee, 0, 1, none, 0x8000)],
    'SETTINGS of 5 bytes (6.5)': () => [rawFrame(frameType.settings, 0, 0, Buffer.alloc(5))],
    'an acknowledgement of SETTINGS with a payload': () => [rawFrame(frameType.settings, frameFlag.ack, 0, Buffer.alloc(6))],
    'PING of 7 bytes (6.7)': () => [rawFrame(frameType.ping, 0, 0, Buffer.alloc(7))],
    'RST_STREAM of 3 bytes (6.4)': (peer) => [begun(peer, 1), rawFrame(frameType.rstStream, 0, 1, Buffer.alloc(3))],
    'WINDOW_UPDATE of 5 bytes (6.9)': () => [rawFrame(frameType.windowUpdate, 0, 0, Buffer.alloc(5))],
    'GOAWAY of 7 bytes (6.8)': () => [rawFrame(frameType.goaway, 0, 0, Buffer.alloc(7))],
    'HEADERS without room for their priority': () => [
      rawFrame(frameType.headers, frameFlag.priority | frameFlag.endHeaders, 1, Buffer.alloc(4)),
    ],
    'DATA without room for its padding length': (peer) => [begun(peer, 1), rawFrame(frameType.data, frameFlag.padded, 1)],
  },
  PROTOCOL_ERROR: {
    'an even stream id (5.1.1)': (peer) => [peer.request(2, echoPath)],
    'stream 0': (peer) => [peer.request(0, echoPath)],
    'DATA of stream 0': () => [rawData(0, one)],
    'a stream id that was skipped': (peer) => [held(peer, 7), held(peer, 5)],
    'any stream after 2^31-1': (peer) => [held(peer, maxStreamId), held(peer, 3)],
    'DATA of an idle stream (5.1)': () => [rawData(1, one)],
    'RST_STREAM of an idle stream': () => [rawReset(1, 8)],
    'WINDOW_UPDATE of an idle stream': () => [rawWindowUpdate(1, 1)],
    'WINDOW_UPDATE of a stream that only the server could begin': () => [rawWindowUpdate(2, 1)],
    'WINDOW_UPDATE of the connection by 0 (6.9)': () => [rawWindowUpdate(0, 0)],
    'RST_STREAM of stream 0': () => [rawReset(0, 8)],
    'PRIORITY of stream 0': () => [rawFrame(frameType.priority, 0, 0, Buffer.alloc(5))],
    'SETTINGS of stream 1': () => [rawFrame(frameType.settings, 0, 1)],
    'PING of stream 1': () => [rawFrame(frameType.ping, 0, 1, Buffer.alloc(8))],
    'GOAWAY of stream 1': () => [rawFrame(frameType.goaway, 0, 1, Buffer.alloc(8))],
    'PUSH_PROMISE from a client (8.4)': (peer) => [held(peer, 1), rawFrame(frameType.pushPromise, frameFlag.endHeaders, 1, uint32(2))],
    'CONTINUATION without HEADERS (6.10)': () => [rawContinuation(1, none, true)],
    'CONTINUATION of another stream': (peer) => [rawHeaders(1, peer.block(['a', 'b']), true, false), rawContinuation(3, none, true)],
    'PING inside a header block': (peer) => [rawHeaders(1, peer.block(['a', 'b']), true, false), rawPing()],
    'an unknown frame inside a header block (5.5)': (peer) => [rawHeaders(1, peer.block(['a', 'b']), true, false), rawFrame(0x30, 0, 1)],
    'more padding than frame (6.1)': (peer) => [begun(peer, 1), rawFrame(frameType.data, frameFlag.padded, 1, Buffer.of(9, 0, 0))],
    'ENABLE_PUSH of 2 (6.5.2)': () => [rawSettings([settingId.enablePush, 2])],
    'MAX_FRAME_SIZE below 2^14': () => [rawSettings([settingId.maxFrameSize, 16_383])],
    'MAX_FRAME_SIZE above 2^24-1': () => [rawSettings([settingId.maxFrameSize, 1 << 24])],
    'an acknowledgement of SETTINGS too many': () => [
      rawFrame(frameType.settings, frameFlag.ack, 0),
      rawFrame(frameType.settings, frameFlag.ack, 0),
    ],
  },
  FLOW_CONTROL_ERROR: {
    'INITIAL_WINDOW_SIZE above 2^31-1 (6.5.2)': () => [rawSettings([settingId.initialWindowSize, 0x80000000])],
    'the window of the connection above 2^31-1 (6.9.1)': () => [rawWindowUpdate(0, 0x7fffffff)],
    'INITIAL_WINDOW_SIZE that lifts a stream above 2^31-1 (6.9.2)': (peer) => [
      held(peer, 1),
      rawWindowUpdate(1, 0x7fffffff - 65_535),
      rawSettings([settingId.initialWindowSize, 65_536]),
    ],
  },
  STREAM_CLOSED: {
    'HEADERS of a stream that the client had reset (5.1)': (peer) => [held(peer, 1), rawReset(1, 8), peer.request(1, echoPath)],
  },
};

/** By the error code of the RST_STREAM: the connection goes on. */
const streamErrors: Readonly<Record<string, Readonly<Record<string, Attack>>>> = {
  STREAM_CLOSED: {
    'DATA after END_STREAM (half closed, 5.1)': (peer) => [held(peer, 1), rawData(1, one)],
    'HEADERS after END_STREAM': (peer) => [held(peer, 1), rawHeaders(1, peer.block(['a', 'b']), true)],
    'DATA after RST_STREAM': (peer) => [held(peer, 1), rawReset(1, 8), rawData(1, one)],
  },
  FLOW_CONTROL_ERROR: {
    'more DATA than the window of its stream': (peer) => [
      peer.request(1, deafPath),
      ...Array.from({ length: 65 }, () => rawData(1, Buffer.alloc(16_384))),
    ],
    'a window above 2^31-1': (peer) => [held(peer, 1), rawWindowUpdate(1, 0x7fffffff)],
  },
  PROTOCOL_ERROR: {
    'WINDOW_UPDATE by 0 (6.9)': (peer) => [held(peer, 1), rawWindowUpdate(1, 0)],
    'trailers without END_STREAM (8.1)': (peer) => [begun(peer, 1), rawHeaders(1, peer.block(['a', 'b']))],
    'trailers with a pseudo-header field': (peer) => [begun(peer, 1), rawHeaders(1, peer.block([':path', '/']), true)],
    'a stream that depends on itself': (peer) => [
      rawFrame(
        frameType.headers,
        frameFlag.priority | frameFlag.endHeaders,
        1,
        Buffer.concat([uint32(1), Buffer.of(1), peer.block([':method', 'POST'])]),
      ),
    ],
    'DATA longer than content-length (8.1.1)': (peer) => [peer.request(1, holdPath, false, ['content-length', '2']), rawData(1, one)],
    'DATA shorter than content-length': (peer) => [peer.request(1, holdPath, false, ['content-length', '99']), rawData(1, one, true)],
    'no body in spite of content-length': (peer) => [peer.request(1, holdPath, true, ['content-length', '6'])],
    'a request without :path': (peer) => [rawHeaders(1, peer.block([':method', 'POST', ':scheme', 'http']), true)],
    'an upper-case name': (peer) => [peer.request(1, echoPath, true, ['Upper', 'x'])],
    'connection: keep-alive (8.2.2)': (peer) => [peer.request(1, echoPath, true, ['connection', 'keep-alive'])],
  },
  FRAME_SIZE_ERROR: {
    'PRIORITY of 4 bytes (6.3)': (peer) => [held(peer, 1), rawFrame(frameType.priority, 0, 1, Buffer.alloc(4))],
  },
};

function table(errors: Readonly<Record<string, Readonly<Record<string, Attack>>>>): [name: string, code: string, attack: Attack][] {
  return Object.entries(errors).flatMap(([code, attacks]) =>
    Object.entries(attacks).map(([name, attack]): [string, string, Attack] => [name, code, attack]),
  );
}

describe('broken rules', { timeout: 60_000 }, () => {
  const stage = harmlessTogether('broken rules');
  // Handlers that a broken stream or connection left behind would go on for nobody.
  afterEach(async () => {
    await expect.poll(() => stage().cancelled).toBe(stage().started);
  });

  it.each(table(connectionErrors))('%s: the connection ends with %s', async (_name, code, attack) => {
    const peer = await stage().attacker();
    peer.write(...attack(peer));
    expect(await peer.goaway()).toMatchObject({ code });
  });

  it.each(table(streamErrors))('%s: the stream ends with %s', async (_name, code, attack) => {
    const peer = await stage().attacker();
    peer.write(...attack(peer));
    expect(await peer.reset(1)).toBe(code);
    peer.write(peer.request(101, echoPath), rawData(101, one, true));
    await peer.until(() => peer.lists(101).length === 2 || peer.closed);
    expect(peer.lists(101)[1]).toEqual(['grpc-status', '0']);
  });
});

const clientHello = Buffer.from('16030102000100' + '01fc0303', 'hex');

describe('other protocols on the cleartext port', { timeout: 60_000 }, () => {
  const stage = harmlessTogether('other protocols');
  it.each<readonly [string, Buffer]>([
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['an upgrade to h2c', Buffer.from('GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n')],
    ['TLS', Buffer.concat([clientHello, Buffer.alloc(300, 3)])],
    ['a preface with one wrong byte', Buffer.concat([preface.subarray(0, 23), Buffer.of(0)])],
    ['a preface and then no SETTINGS', Buffer.concat([preface, rawPing()])],
    ['a preface and then an acknowledgement of SETTINGS', Buffer.concat([preface, rawFrame(frameType.settings, frameFlag.ack, 0)])],
    ['GOAWAY before SETTINGS', Buffer.concat([preface, rawGoaway(0, 0)])],
  ])('%s is told PROTOCOL_ERROR', async (_name, bytes) => {
    const peer = await stage().connection();
    peer.write(bytes);
    expect(await peer.goaway()).toMatchObject({ code: 'PROTOCOL_ERROR', lastStreamId: 0 });
  });
});
