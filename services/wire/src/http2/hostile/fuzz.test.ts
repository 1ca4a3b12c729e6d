import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { silentLogger } from '@headrace/runtime';
import type { Logger } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { describe, expect, it } from 'vitest';
import type { MethodHandler } from '../../port.js';
import { preface, rawFrame, rawSettings } from '../../testing/raw-frames.js';
import { defaultLimits } from '../connection/limits.js';
import { HeldBudget } from '../connection/held-budget.js';
import { ReceiveBudget } from '../connection/receive-budget.js';
import { frameType } from '../frames/constants.js';
import { ServerConnection } from '../server/server-connection.js';
import { HeldSocket, turn } from '../testing/held-socket.js';
import { Bench, PlainStream } from '../testing/plain-stream.js';
import { Random } from './testing/random.js';
import { echoPath, holdPath, mebibyte, memoryBytes, streamPath } from './testing/stage.js';

/** Names and bytes of corpus.hex. An input that once broke something is kept there. */
const corpus = readFileSync(new URL('corpus.hex', import.meta.url), 'utf8')
  .split(/\n\n/)
  .map((entry) => entry.split('\n').filter((line) => line !== ''))
  .filter((lines) => lines.length === 2)
  .map(([name, hex]) => [(name ?? '').slice(2), Buffer.from(hex ?? '', 'hex')] as const);

const methods: readonly MethodHandler[] = [
  { kind: 'unary', path: echoPath, handle: (message, call) => call.reply(Buffer.from(message)) },
  { kind: 'unary', path: holdPath, handle: (_message, call) => call.onCancel(() => {}) },
  {
    kind: 'stream',
    path: streamPath,
    handle: (call) => {
      call.onMessage((message) => void call.write(Buffer.from(message)));
      call.onEnd(() => call.end());
    },
  },
];

/** A server's side without a network: everything happens before feed() returns, exceptions included. */
class Victim {
  readonly socket = new HeldSocket();
  readonly budget = new ReceiveBudget(16 * mebibyte);
  readonly defects: unknown[] = [];
  readonly server: ServerConnection;

  readonly held = new HeldBudget(Infinity);

  constructor() {
    const logger: Logger = { ...silentLogger, error: (fields: unknown) => void this.defects.push(fields) };
    const context = {
      clock: new FakeClock(),
      logger,
      methods: new Map(methods.map((method) => [method.path, method])),
      maxMessageBytes: mebibyte,
      compress: false,
      budget: this.budget,
      held: this.held,
    };
    this.server = new ServerConnection(this.socket as unknown as Socket, defaultLimits, context, () => {});
  }

  feed(bytes: Buffer, random: Random): void {
    for (const chunk of random.pieces(bytes, random.pick([1, 7, 50, 1_000, 70_000]))) this.socket.emit('data', Buffer.from(chunk));
  }
}

async function expectSound({ server, socket, budget, defects }: Victim): Promise<void> {
  const { connection } = server;
  await turn();
  expect(defects).toEqual([]);
  expect(connection.unsentBytes).toBeLessThan(mebibyte);
  expect(connection.streams.size).toBeLessThanOrEqual(defaultLimits.maxConcurrentStreams);
  // A GOAWAY with an error is the end: nothing is open, and nothing that comes later is looked at.
  const { closed } = connection;
  expect(closed || !saysError(socket.bytes)).toBe(true);
  const written = socket.bytes.length;
  if (closed) socket.emit('data', Buffer.concat([preface, rawSettings()]));
  await turn();
  expect(!closed || (connection.streams.size === 0 && socket.bytes.length === written)).toBe(true);
  connection.destroy('the test is over');
  await turn();
  expect([connection.closed, connection.streams.size, budget.usedBytes]).toEqual([true, 0, 0]);
}

/** A GOAWAY with another code than NO_ERROR is among these frames. */
function saysError(bytes: Buffer): boolean {
  return framesOf(bytes).some((frame) => frame[3] === frameType.goaway && frame.readUInt32BE(13) !== 0);
}

function randomFrame(random: Random): Buffer {
  const payload = Buffer.from(
    Array.from({ length: random.pick([0, 0, 1, 4, 5, 6, 8, 12, random.below(60)]) }, () =>
      random.pick([0, 1, 0x82, 0xff, random.below(256)]),
    ),
  );
  const flags = random.pick([0, 1, 4, 5, 8, 0x20, 0x2d, random.below(256)]);
  const id = random.pick([0, 1, 1, 3, 5, 2, 0x7fffffff, 0xffffffff, random.below(40)]);
  return rawFrame(random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 1, 0, random.below(256)]), flags, id, payload);
}

function framesOf(bytes: Buffer): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    out.push(bytes.subarray(at, end));
    at = end;
  }
  return out;
}

/** One change at a time, of frames or of bytes. */
function mutated(bytes: Buffer, random: Random): Buffer {
  const frames = framesOf(bytes);
  const at = random.below(frames.length + 1);
  const other = random.pick(corpus as [(typeof corpus)[0]])[1];
  return random.pick([
    () => Buffer.concat(frames.toSpliced(at, 1)),
    () => Buffer.concat(frames.toSpliced(at, 0, randomFrame(random))),
    () => Buffer.concat(frames.toSpliced(at, 0, frames[random.below(frames.length)] ?? randomFrame(random))),
    () => Buffer.concat(frames.toSpliced(at, 0, ...framesOf(other).slice(random.below(4)))),
    () => {
      const out = Buffer.from(bytes);
      for (let each = 0; each <= random.below(4); each++)
        if (out.length > 0) out[random.below(out.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
      return out;
    },
    () => bytes.subarray(0, random.below(bytes.length + 1)),
    () => {
      const from = random.below(bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + random.below(12))]);
    },
  ])();
}

describe('frames that nobody thought of', { timeout: 60_000 }, () => {
  it.each(corpus)('the corpus as it is: %s', async (_name, bytes) => {
    for (const seed of [1, 2, 3]) {
      const victim = new Victim();
      victim.feed(Buffer.concat([preface, bytes]), new Random(seed));
      await expectSound(victim);
    }
  });

  it('mutations of the corpus', async () => {
    const before = await memoryBytes();
    for (let seed = 1; seed <= 2_000; seed++) {
      const random = new Random(seed);
      let bytes: Buffer = random.pick(corpus as [(typeof corpus)[0]])[1];
      for (let each = 0; each <= random.below(6); each++) bytes = mutated(bytes, random);
      const victim = new Victim();
      try {
        victim.feed(Buffer.concat([preface, bytes]), random);
        await expectSound(victim);
      } catch (error) {
        throw new Error(`seed ${seed}: ${bytes.toString('hex')}`, { cause: error });
      }
    }
    expect((await memoryBytes()) - before).toBeLessThan(24 * mebibyte);
  });

  it('random frames behind a sound beginning', async () => {
    for (let seed = 1; seed <= 1_000; seed++) {
      const random = new Random(seed + 1_000_000);
      const frames = [rawSettings(), ...Array.from({ length: 1 + random.below(30) }, () => randomFrame(random))];
      const victim = new Victim();
      try {
        victim.feed(Buffer.concat([preface, ...frames]), random);
        await expectSound(victim);
      } catch (error) {
        throw new Error(`seed ${seed}: ${Buffer.concat(frames).toString('hex')}`, { cause: error });
      }
    }
  });

  it('random bytes', async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed + 2_000_000);
      const victim = new Victim();
      victim.feed(
        Buffer.concat([
          ...(random.below(2) === 0 ? [] : [preface, rawSettings()]),
          Buffer.from(Array.from({ length: random.below(500) }, () => random.below(256))),
        ]),
        random,
      );
      await expectSound(victim);
    }
  });

  it('random frames to a client with calls', async () => {
    for (let seed = 1; seed <= 1_000; seed++) {
      const random = new Random(seed + 3_000_000);
      const bench = new Bench({}, false);
      const streams = Array.from({ length: 3 }, () => new PlainStream());
      for (const stream of streams) {
        bench.connection.begin(stream);
        bench.connection.sendHeaders(stream, [':method', 'POST'], false);
        bench.connection.sendData(stream, Buffer.alloc(0), Buffer.alloc(100_000), random.below(2) === 0);
      }
      const bytes = Buffer.concat([rawSettings(), ...Array.from({ length: 1 + random.below(30) }, () => randomFrame(random))]);
      for (const chunk of random.pieces(bytes, 100)) bench.socket.emit('data', Buffer.from(chunk));
      await turn();
      bench.connection.destroy('the test is over');
      expect(bench.closes.map(({ defect }) => defect)).toEqual([undefined]);
      // Each call hears of its end exactly once, in one way or the other.
      expect(streams.every(({ losses, ended }) => losses.length === 1 || (losses.length === 0 && ended))).toBe(true);
    }
  });
});
