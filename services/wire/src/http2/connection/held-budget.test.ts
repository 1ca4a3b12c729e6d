import { describe, expect, it } from 'vitest';
import { rawHeaders, rawWindowUpdate } from '../../testing/raw-frames.js';
import { errorName, frameType, settingId } from '../frames/constants.js';
import { HpackEncoder } from '../hpack/index.js';
import { preface, rawSettings } from '../../testing/raw-frames.js';
import { turn } from '../testing/held-socket.js';
import { Bench } from '../testing/plain-stream.js';
import { HeldBudget } from './held-budget.js';
import type { Holder } from './held-budget.js';

const none = Buffer.alloc(0);
const requestFields = [':method', 'POST', 'x-text', 'v'.repeat(100)];
/** Names, values and 32 bytes for each of both fields. */
const listBytes = 7 + 4 + 32 + 6 + 100 + 32;

async function server(held: HeldBudget, ...settings: (readonly [id: number, value: number])[]): Promise<Bench> {
  const bench = new Bench({}, true, held);
  await bench.feed(preface, rawSettings(...settings));
  await bench.frames();
  return bench;
}

const request = (id: number): Buffer => rawHeaders(id, Buffer.from(new HpackEncoder().encode(requestFields)), true);

/** A peer that asks and opens no window; `replyBytes` wait for it. */
async function deaf(held: HeldBudget, replyBytes: number): Promise<Bench> {
  const bench = await server(held, [settingId.initialWindowSize, 0]);
  bench.onOpened = (stream) => void bench.connection.sendData(stream, none, Buffer.alloc(replyBytes), true);
  await bench.feed(request(1));
  return bench;
}

describe('HeldBudget', () => {
  it('used up: the connection that holds the most ends with ENHANCE_YOUR_CALM, and no other', async () => {
    const held = new HeldBudget(10_000);
    const benches = [await deaf(held, 3_000), await deaf(held, 4_000), await deaf(held, 2_000)];
    expect(benches.map(({ closes }) => closes.length)).toEqual([0, 0, 0]);
    benches.push(await deaf(held, 1_500));
    await turn();
    expect(benches.map(({ closes }) => closes.length)).toEqual([0, 1, 0, 0]);
    const goaway = (await benches[1]?.frames())?.find(({ type }) => type === frameType.goaway);
    expect(errorName(goaway?.payload.readUInt32BE(4) ?? 0)).toBe('ENHANCE_YOUR_CALM');
    expect(goaway?.payload.toString('utf8', 8)).toMatch(/more than 10000 bytes are held for all peers, and most of them for this one/);
    expect(held.usedBytes).toBeLessThanOrEqual(10_000);
  });

  it('ends as many as it takes', async () => {
    const held = new HeldBudget(5_000);
    const shed: string[] = [];
    const holder = (name: string, bytes: number): Holder => ({
      heldBytes: bytes,
      shed: () => {
        shed.push(name);
        held.give(bytes);
      },
    });
    held.add(holder('small', 1_000));
    held.add(holder('large', 4_000));
    held.add(holder('middle', 3_000));
    held.charge(8_000 + 1_000 + 4_000);
    await turn();
    expect(shed).toEqual(['large', 'middle', 'small']);
  });

  it('gives up where nobody holds anything', async () => {
    const held = new HeldBudget(10);
    held.charge(11);
    await turn();
    expect(held.usedBytes).toBe(11);
  });

  it('counts what waits in queues, what the kernel has not taken, and header lists; all of it comes back', async () => {
    const held = new HeldBudget(1e9);
    const bench = await deaf(held, 3_000);
    await turn();
    expect(held.usedBytes).toBe(3_000 + listBytes);
    bench.socket.open = false;
    await bench.feed(rawWindowUpdate(1, 3_000));
    await turn();
    // DATA with its frame header; the call is over.
    expect(held.usedBytes).toBe(3_000 + 9);
    bench.socket.release();
    expect(held.usedBytes).toBe(0);
  });

  it.each<readonly [string, (bench: Bench) => void | Promise<void>]>([
    ['the stream is reset', (bench) => bench.opened.forEach((stream) => bench.connection.giveUp(stream, 'enough'))],
    ['the connection is lost', (bench) => bench.connection.destroy('lost')],
    ['the connection fails', (bench) => bench.connection.shed('enough')],
  ])('gives back when %s', async (_name, end) => {
    const held = new HeldBudget(1e9);
    const bench = await deaf(held, 3_000);
    await end(bench);
    await turn();
    expect(held.usedBytes).toBe(0);
  });

  it('a handler is asked to wait with the first byte that has to', async () => {
    const held = new HeldBudget(1e9);
    const bench = await server(held, [settingId.initialWindowSize, 10]);
    await bench.feed(request(1));
    const [stream] = bench.opened;
    if (stream === undefined) throw new Error('no stream');
    expect(bench.connection.sendData(stream, none, Buffer.alloc(10), false)).toBe(true);
    expect(bench.connection.sendData(stream, none, Buffer.alloc(1), false)).toBe(false);
  });

  it('header lists of calls that run are bounded over all connections', async () => {
    const held = new HeldBudget(20 * listBytes);
    const busy = await server(held);
    const other = await server(held);
    await other.feed(request(1), request(3));
    for (let id = 1; id < 2 * 18; id += 2) await busy.feed(request(id));
    expect(busy.closes).toEqual([]);
    await busy.feed(request(101));
    expect([busy.closes.length, other.closes.length]).toEqual([1, 0]);
    expect(held.usedBytes).toBe(2 * listBytes);
  });
});
