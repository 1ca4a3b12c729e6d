import { afterAll, describe, expect, it } from 'vitest';
import { grpcMessage, literalField, rawContinuation, rawData, rawHeaders } from '../../testing/raw-frames.js';
import type { RawPeer } from '../../testing/raw-peer.js';
import { frameType } from '../frames/constants.js';
import { attackReport, expectHarmless, harmlessTogether } from './testing/attack.js';
import { echoPath, mebibyte } from './testing/stage.js';

afterAll(() => console.info(attackReport()));

/** Not indexed, without Huffman code: any length (RFC 7541, sections 5.1 and 6.2.2). */
function plainField(name: string, length: number): Buffer {
  const bytes = [0x00, name.length, ...Buffer.from(name)];
  if (length < 127) bytes.push(length);
  else {
    bytes.push(127);
    let rest = length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 + (rest % 128));
    bytes.push(rest);
  }
  return Buffer.concat([Buffer.from(bytes), Buffer.alloc(length, 0x61)]);
}

function unindexed(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]);
}

/** HEADERS and CONTINUATION of 16 KiB each. */
function frames(streamId: number, block: Buffer, endStream = true): Buffer[] {
  const size = 16_384;
  const out = [rawHeaders(streamId, block.subarray(0, size), endStream, block.length <= size)];
  for (let at = size; at < block.length; at += size)
    out.push(rawContinuation(streamId, block.subarray(at, at + size), at + size >= block.length));
  return out;
}

async function expectEcho(peer: RawPeer, streamId: number): Promise<void> {
  peer.write(peer.request(streamId, echoPath), rawData(streamId, grpcMessage('after'), true));
  await peer.until(() => peer.lists(streamId).length === 2 || peer.closed);
  expect(peer.lists(streamId)[1]).toEqual(['grpc-status', '0']);
}

describe('header blocks', { timeout: 60_000 }, () => {
  it('CONTINUATION without end (CVE-2024-27316) is ended at 128 KiB', async () => {
    await expectHarmless('CONTINUATION flood', {}, async (stage) => {
      const peer = await stage.attacker();
      peer.write(rawHeaders(1, plainField('x', 16_000), false, false));
      let sent = 0;
      for (; sent < 64 * mebibyte && !peer.closed; sent += 160_000) {
        peer.write(...Array.from({ length: 10 }, () => rawContinuation(1, plainField('x', 16_000))));
        await peer.written();
      }
      expect(await peer.goaway()).toMatchObject({
        code: 'ENHANCE_YOUR_CALM',
        text: expect.stringMatching(/at most 131072 bytes/) as string,
      });
      expect(sent).toBeLessThan(64 * mebibyte);
    });
  });

  it('CONTINUATION of one byte each is ended after the 32nd', async () => {
    await expectHarmless('CONTINUATION by the byte', {}, async (stage) => {
      const peer = await stage.attacker();
      peer.write(rawHeaders(1, Buffer.alloc(0), false, false), ...Array.from({ length: 33 }, () => rawContinuation(1, Buffer.of(0x82))));
      expect(await peer.goaway()).toMatchObject({ code: 'ENHANCE_YOUR_CALM', text: expect.stringMatching(/32 CONTINUATION/) as string });
    });
  });

  it('an HPACK bomb is answered RESOURCE_EXHAUSTED, again and again, and costs no memory', async () => {
    await expectHarmless('HPACK bomb', {}, async (stage) => {
      const peer = await stage.attacker();
      // One entry of 3.9 KiB in the table; each further byte (0xbe, index 62) stands for all of it: 120,000 x 3.9 KiB = 460 MiB.
      const value = plainField('x', 3_900).subarray(3);
      const entry = Buffer.concat([Buffer.of(0x40, 1), Buffer.from('x'), value]);
      const bomb = Buffer.concat([entry, Buffer.alloc(120_000, 0xbe)]);
      for (let id = 1; id < 40; id += 2) peer.write(...frames(id, bomb));
      for (let id = 1; id < 40; id += 2) {
        await peer.until(() => peer.lists(id).length > 0 || peer.closed);
        expect(peer.lists(id)[0]).toEqual(expect.arrayContaining(['grpc-status', '8']));
      }
      // Index 62 is still known: a block with it is malformed as a request (no :path), and not as a block.
      peer.write(...frames(41, Buffer.of(0x83, 0x86, 0xbe)));
      expect(await peer.reset(41)).toBe('PROTOCOL_ERROR');
      expect(peer.closed).toBe(false);
    });
  });

  it.each([
    ['a list of 65 KiB in one field', plainField('x', 66_000)],
    ['257 fields', Buffer.concat(Array.from({ length: 257 }, () => Buffer.of(0x82)))],
    ['2,000 names without values', Buffer.concat(Array.from({ length: 2_000 }, () => literalField('n', '')))],
  ])('%s is answered RESOURCE_EXHAUSTED, and the connection goes on', async (name, block) => {
    await expectHarmless(name, {}, async (stage) => {
      const peer = await stage.attacker();
      for (let id = 1; id < 200; id += 2) peer.write(...frames(id, block));
      await peer.until(() => peer.lists(199).length > 0 || peer.closed);
      expect(peer.lists(199)[0]).toEqual(expect.arrayContaining(['grpc-status', '8']));
      expect(stage.started).toBe(0);
      // The raw peer's own encoder knows nothing of the entries above: only a block without references is right for both.
      const plain = [
        unindexed(':method', 'POST'),
        unindexed(':scheme', 'http'),
        unindexed(':path', echoPath),
        unindexed('content-type', 'application/grpc'),
      ];
      peer.write(...frames(201, Buffer.concat(plain), false), rawData(201, grpcMessage('after'), true));
      await peer.until(() => peer.lists(201).length === 2 || peer.closed);
      expect(peer.lists(201)[1]).toEqual(['grpc-status', '0']);
    });
  });

  it('the largest list that is allowed passes', async () => {
    await expectHarmless('64 KiB of headers', {}, async (stage) => {
      const peer = await stage.attacker();
      peer.write(peer.request(1, echoPath, false, ['x-large', 'v'.repeat(16_000)]), rawData(1, grpcMessage('large'), true));
      await peer.until(() => peer.of(frameType.data, 1).length > 0 || peer.closed);
      await expectEcho(peer, 3);
    });
  });
});

describe('blocks that break HPACK', { timeout: 60_000 }, () => {
  const stage = harmlessTogether('blocks that break HPACK');
  it.each([
    ['Huffman code of EOS', Buffer.of(0x00, 0x01, 0x78, 0x84, 0xff, 0xff, 0xff, 0xff)],
    ['Huffman padding of more than 7 bits', Buffer.of(0x00, 0x01, 0x78, 0x82, 0x1f, 0xff)],
    ['Huffman padding with zeros', Buffer.of(0x00, 0x01, 0x78, 0x81, 0x18)],
    ['index 0', Buffer.of(0x80)],
    ['an index beyond the table', Buffer.of(0xff, 0x80, 0x01)],
    ['a table size above the announced one', Buffer.of(0x3f, 0xe2, 0x1f)],
    ['a table size update behind a field', Buffer.of(0x82, 0x20)],
    ['a text longer than its block', Buffer.of(0x00, 0x01, 0x78, 0x7e, 0x61)],
    ['an integer without end', Buffer.from('ff8080808080808080808001', 'hex')],
    ['an integer that ends with the block', Buffer.of(0xff)],
  ])('%s ends the connection with COMPRESSION_ERROR', async (_name, block) => {
    const peer = await stage().attacker();
    peer.write(rawHeaders(1, block, true));
    expect(await peer.goaway()).toMatchObject({ code: 'COMPRESSION_ERROR' });
  });
});
