import { gunzipSync, gzipSync } from 'node:zlib';
import { statusCode } from '@headrace/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CompressionResult } from './compression.js';
import { compressNow, gunzipMessage, gzipMessage, maxSyncBytes } from './compression.js';

const mib = 1024 * 1024;

interface Inflated {
  readonly result: CompressionResult;
  readonly atOnce: boolean;
}

async function inflate(bytes: Buffer, maxBytes: number): Promise<Inflated> {
  let returned = false;
  const inflated = new Promise<Inflated>((resolve) => {
    gunzipMessage(bytes, maxBytes, (result) => resolve({ result, atOnce: !returned }));
  });
  returned = true;
  return inflated;
}

/** Says that it expands to `bytes`, whatever it does. */
function lying(compressed: Buffer, bytes: number): Buffer {
  const copy = Buffer.from(compressed);
  copy.writeUInt32LE(bytes, copy.length - 4);
  return copy;
}

describe('gunzipMessage', () => {
  it.each([
    ['an empty message', Buffer.alloc(0), true],
    ['a small message', Buffer.from('hello'), true],
    ['a message as large as is done at once', Buffer.alloc(maxSyncBytes, 'ab'), true],
    ['a larger message', Buffer.alloc(maxSyncBytes + 1, 'ab'), false],
    ['a large message', Buffer.alloc(3 * mib, 'abc'), false],
  ])('gives back %s', async (_name, message, atOnce) => {
    const inflated = await inflate(gzipSync(message), 4 * mib);
    expect(inflated.atOnce).toBe(atOnce);
    expect(inflated.result.ok && inflated.result.message.equals(message)).toBe(true);
  });

  const bomb = gzipSync(Buffer.alloc(16 * mib));
  it.each([
    ['a small message above the limit', gzipSync(Buffer.alloc(101)), 100, true],
    ['anything but nothing under a limit of nothing', gzipSync(Buffer.alloc(1)), 0, true],
    ['a bomb', bomb, mib, false],
    ['a bomb that says it is small', lying(bomb, 100), mib, false],
    ['a bomb that says it is small, under a small limit', lying(bomb, 100), 1_000, true],
  ])('refuses %s for its size', async (_name, bytes, maxBytes, atOnce) => {
    const inflated = await inflate(bytes, maxBytes);
    expect(inflated).toMatchObject({ atOnce, result: { ok: false, code: statusCode.RESOURCE_EXHAUSTED } });
    expect(inflated.result.ok || inflated.result.text).toContain(String(maxBytes));
  });

  it('lets a message of exactly the limit through', async () => {
    for (const size of [0, 1, 100, maxSyncBytes, mib]) {
      expect((await inflate(gzipSync(Buffer.alloc(size)), size)).result.ok).toBe(true);
    }
  });

  const small = gzipSync(Buffer.from('hello, hello, hello'));
  const large = gzipSync(Buffer.alloc(mib, 'xyz'));
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['what is not gzip', Buffer.from('this is not gzip at all')],
    ['a small message cut short', small.subarray(0, -9)],
    ['a small message with a wrong length', lying(small, 7)],
    ['a large message with a wrong length', lying(large, mib - 1)],
    ['something behind the message', Buffer.concat([small, Buffer.from('garbage')])],
  ])('calls %s malformed', async (_name, bytes) => {
    expect((await inflate(bytes, mib)).result).toMatchObject({ ok: false, code: statusCode.INTERNAL });
  });

  it('has copied a borrowed message that it inflates elsewhere', async () => {
    const message = Buffer.alloc(mib, 'abc');
    const borrowed = gzipSync(message);
    const pending = inflate(borrowed, mib);
    borrowed.fill(0xdb);
    const { result, atOnce } = await pending;
    expect([atOnce, result.ok && result.message.equals(message)]).toEqual([false, true]);
  });

  it('does not do the work of a liar at once', async () => {
    const { result, atOnce } = await inflate(lying(gzipSync(Buffer.alloc(mib / 2)), 100), mib);
    expect({ result, atOnce }).toMatchObject({ atOnce: false, result: { ok: false, code: statusCode.INTERNAL } });
  });

  it('keeps little more memory alive than a small message needs', async () => {
    const { result } = await inflate(gzipSync(Buffer.alloc(200, 'q')), mib);
    // Node's pool at most, which it shares with others; zlib's own piece is twice that.
    expect(result.ok && result.message.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
  });

  it('answers any bytes once, without an exception', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), fc.boolean(), async (noise, withHeader) => {
        const bytes = withHeader ? Buffer.concat([small.subarray(0, 10), noise]) : Buffer.from(noise);
        const { result } = await inflate(bytes, 1_000);
        expect([true, statusCode.INTERNAL, statusCode.RESOURCE_EXHAUSTED]).toContain(result.ok || result.code);
      }),
    );
  });
});

describe('compressNow and gzipMessage', () => {
  it.each([
    ['a small message', Buffer.alloc(1_000, 'ab'), 'at once'],
    ['the largest that is done at once', Buffer.alloc(maxSyncBytes, 'ab'), 'at once'],
    ['a large one', Buffer.alloc(mib, 'ab'), 'later'],
  ])('compress %s', async (_name, message, when) => {
    const now = compressNow(message);
    expect(now !== undefined).toBe(when === 'at once');
    let returned = false;
    const done = new Promise<string>((resolve) => {
      gzipMessage(message, (compressed) => {
        expect(compressed !== undefined && gunzipSync(compressed).equals(message)).toBe(true);
        resolve(returned ? 'later' : 'at once');
      });
    });
    returned = true;
    expect(await done).toBe(when);
    expect(now === undefined || gunzipSync(now).equals(message)).toBe(true);
  });

  it('leave a message alone that would not shrink', () => {
    expect(compressNow(Buffer.from('abc'))).toBeUndefined();
    expect(compressNow(Buffer.alloc(0))).toBeUndefined();
  });
});
