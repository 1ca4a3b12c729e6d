import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { decodeStrings, encodeStrings } from '../tensors/bytes-codec.js';
import type { TensorInTransit } from './protocol.js';
import { slotTensorBytes } from './run-slot.js';
import type { RunOutcome } from './worker-thread.js';
import { WorkerThread } from './worker-thread.js';

const model = (name: string): string => fileURLToPath(new URL(`../../../../test/models/${name}/1/model.onnx`, import.meta.url));
const settings = { provider: { name: 'cpu', deviceId: 0 }, intraOpThreads: 1 } as const;
const folder = mkdtempSync(join(tmpdir(), 'headrace-thread-'));
const thread = new WorkerThread();
const sessions: Record<string, number> = {};

beforeAll(async () => {
  for (const name of ['tiny', 'identity_float', 'identity_string', 'identity_bool', 'echo_nonce', 'slow']) {
    sessions[name] = (await thread.open(model(name), settings)).session;
  }
  const file = join(folder, 'zeros.onnx');
  writeFileSync(file, zerosModel());
  sessions['zeros'] = (await thread.open(file, settings)).session;
});
afterAll(async () => {
  await thread.stop();
  rmSync(folder, { recursive: true });
});

/** x [n], the sizes --> ConstantOfShape --> y, that many zeros: a graph whose input does not tell its output's size. */
function zerosModel(): Buffer {
  const group = (field: number, ...parts: readonly (string | readonly number[] | Buffer)[]): Buffer => {
    const content = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
    return Buffer.concat([Buffer.from([(field << 3) | 2, content.length]), content]);
  };
  const declared = (name: string, elementType: number, ...shape: Buffer[]): Buffer[] => [
    group(1, name),
    group(2, group(1, [1 << 3, elementType], ...shape)),
  ];
  const node = group(1, group(1, 'x'), group(2, 'y'), group(4, 'ConstantOfShape'));
  const open = group(2, group(1, group(2, 'n')));
  const graph = group(7, node, group(2, 'zeros'), group(11, ...declared('x', 7, open)), group(12, ...declared('y', 1)));
  return Buffer.concat([Buffer.from([1 << 3, 8]), graph, group(8, [2 << 3, 13])]);
}

function run(session: string, inputs: readonly TensorInTransit[], outputs: readonly number[] = [0], on = thread): Promise<RunOutcome> {
  return new Promise((resolve) => on.run(sessions[session] ?? 0, inputs, outputs, resolve));
}

function tensor(values: Float32Array | BigInt64Array | Uint8Array, shape: readonly number[]): TensorInTransit {
  const buffer = values.slice().buffer;
  return { buffer, byteLength: values.byteLength, shape };
}

const copyOf = (inputs: readonly TensorInTransit[]): TensorInTransit[] =>
  inputs.map((input) => ({ ...input, buffer: input.buffer.slice(0) }));

/** A transfer empties the buffers that are sent; a run in the slot leaves them where they are. */
const wentBySlot = (inputs: readonly TensorInTransit[]): boolean => inputs.every(({ buffer }) => buffer.byteLength > 0);

const outputsOf = (outcome: RunOutcome): unknown =>
  outcome.ok
    ? outcome.outputs.map(({ buffer, byteLength, shape }) => ({ shape, bytes: Buffer.from(buffer, 0, byteLength).toString('hex') }))
    : outcome;

/** Posted together: the first has the slot, the second goes by message. */
async function bothWays(session: string, inputs: readonly TensorInTransit[], outputs: readonly number[]): Promise<void> {
  const [first, second] = [copyOf(inputs), copyOf(inputs)];
  const running = [run(session, first, outputs), run(session, second, outputs)];
  expect([wentBySlot(first), wentBySlot(second)]).toEqual([true, false]);
  const outcomes = await Promise.all(running);
  expect(outcomes).toMatchObject([{ ok: true }, { ok: true }]);
  const [bySlot, byMessage] = outcomes.map(outputsOf);
  expect(bySlot).toEqual(byMessage);
}

const bytes = (count: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: count, maxLength: count });
const floats = (count: number): fc.Arbitrary<Float32Array> => fc.float32Array({ minLength: count, maxLength: count, noNaN: true });
const rows = fc.integer({ min: 1, max: 32 });

describe('a run by the slot and one by message give the same bytes and shapes', () => {
  const batches: Record<string, fc.Arbitrary<{ readonly inputs: readonly TensorInTransit[]; readonly outputs: readonly number[] }>> = {
    tiny: rows.chain((n) => floats(n * 16).map((values) => ({ inputs: [tensor(values, [n, 16])], outputs: [0] }))),
    identity_float: fc
      .tuple(rows, fc.integer({ min: 1, max: 20 }))
      .chain(([n, width]) => floats(n * width).map((values) => ({ inputs: [tensor(values, [n, width])], outputs: [0] }))),
    identity_bool: rows.chain((n) =>
      bytes(n * 3).map((values) => ({
        inputs: [
          tensor(
            values.map((value) => value & 1),
            [n, 3],
          ),
        ],
        outputs: [0],
      })),
    ),
    identity_string: fc
      .array(
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
        { minLength: 1, maxLength: 9 },
      )
      .map((texts) => {
        const buffer = encodeStrings(texts);
        return { inputs: [{ buffer, byteLength: buffer.byteLength, shape: [texts.length, 1] }], outputs: [0] };
      }),
    // Two inputs of unlike types, of which any outputs are asked for in any order.
    echo_nonce: fc.tuple(rows, fc.constantFrom([0], [1], [0, 1], [1, 0])).chain(([n, outputs]) =>
      floats(n * 8).map((values) => ({
        inputs: [
          tensor(
            BigInt64Array.from({ length: n }, (_, row) => BigInt(row) - 7n),
            [n, 1],
          ),
          tensor(values, [n, 8]),
        ],
        outputs,
      })),
    ),
  };
  it.each(Object.entries(batches))('%s', async (session, batch) => {
    await fc.assert(
      fc.asyncProperty(batch, ({ inputs, outputs }) => bothWays(session, inputs, outputs)),
      { numRuns: 30 },
    );
  });
});

test('a batch too large for the slot is transferred, and the next small one has the slot again', async () => {
  const width = slotTensorBytes / 4 + 1;
  const large = [tensor(new Float32Array(width).fill(3), [1, width])];
  const running = run('identity_float', large);
  expect(wentBySlot(large)).toBe(false);
  expect(await running).toMatchObject({ ok: true, outputs: [{ byteLength: width * 4, shape: [1, width] }] });
  const small = [tensor(Float32Array.of(1, 2), [1, 2])];
  const next = run('identity_float', small);
  expect(wentBySlot(small)).toBe(true);
  expect(await next).toMatchObject({ ok: true, outputs: [{ byteLength: 8 }] });
});

test('outputs whose size only the run tells come back whatever their size; the inputs with them, for the pool', async () => {
  for (const [height, width] of [
    [2, 3],
    [200, 200],
    [0, 5],
  ] as const) {
    const inputs = [tensor(BigInt64Array.of(BigInt(height), BigInt(width)), [2])];
    const outcome = await run('zeros', inputs);
    expect(outcome).toMatchObject({ ok: true, outputs: [{ byteLength: height * width * 4, shape: [height, width] }] });
    expect(outcome.ok ? outcome.inputs : []).toEqual([inputs[0]?.buffer]);
  }
});

test('strings come out as they went in', async () => {
  const texts = ['', 'a', 'Grüße', '🙂'];
  const buffer = encodeStrings(texts);
  const outcome = await run('identity_string', [{ buffer, byteLength: buffer.byteLength, shape: [4, 1] }]);
  expect(outcome.ok ? decodeStrings(new Uint8Array(outcome.outputs[0]?.buffer ?? new ArrayBuffer(0))) : outcome).toEqual(texts);
});

test('a run that fails in the slot gives its inputs back as they were, and the slot is free again', async () => {
  const wrong = [tensor(Float32Array.of(1, 2, 3), [1, 3])];
  const outcome = await run('tiny', wrong);
  expect(outcome).toMatchObject({ ok: false, lost: false, inputs: [wrong[0]?.buffer] });
  expect(outcome.ok ? '' : outcome.message).toContain('16');
  expect([...new Float32Array(wrong[0]?.buffer ?? new ArrayBuffer(0))]).toEqual([1, 2, 3]);
  await bothWays('tiny', [tensor(new Float32Array(16), [1, 16])], [0]);
});

test('a session closed behind a run in the slot: the run is answered first, a later one is told', async () => {
  const own = new WorkerThread();
  const { session } = await own.open(model('slow'), settings);
  const input = (): TensorInTransit => tensor(new Float32Array(4), [1, 4]);
  const order: string[] = [];
  const outcomes: RunOutcome[] = [];
  const note = (name: string) => (outcome: RunOutcome) => {
    order.push(name);
    outcomes.push(outcome);
  };
  own.run(session, [input()], [0], note('run'));
  expect(own.busy).toBe(true);
  const closed = own.close(session).then(() => order.push('closed'));
  own.run(session, [input()], [0], note('late'));
  await own.stop();
  await closed;
  expect(order).toEqual(['run', 'closed', 'late']);
  expect(outcomes).toMatchObject([{ ok: true }, { ok: false, lost: false, message: 'the session is not open on this thread' }]);
  expect(own.busy).toBe(false);
});

/** Looks like no inputs on this side, too large for the slot, and arrives with a null that nothing on the other side expects. */
class Poison extends Array<TensorInTransit> {
  override map<U>(): U[] {
    return [];
  }
}

test('a thread that dies with a run in its slot: that run and what was posted with it are lost, each told once', async () => {
  const own = new WorkerThread();
  const { session } = await own.open(model('tiny'), settings);
  const lost: string[] = [];
  own.onLost((message) => lost.push(message));
  const outcomes: RunOutcome[] = [];
  const poison = Poison.from([{ buffer: new ArrayBuffer(1), byteLength: 2 ** 30, shape: [] }, null as unknown as TensorInTransit]);
  own.run(session, poison, [0], (outcome) => outcomes.push(outcome));
  const inSlot = [tensor(new Float32Array(16), [1, 16])];
  own.run(session, inSlot, [0], (outcome) => outcomes.push(outcome));
  expect(wentBySlot(inSlot)).toBe(true);
  await own.exited;
  expect(outcomes).toMatchObject([
    { ok: false, lost: true },
    { ok: false, lost: true },
  ]);
  expect(lost).toHaveLength(1);
  expect(own.lost).toBe(true);
  const after = await new Promise<RunOutcome>((resolve) => own.run(session, inSlot, [0], resolve));
  expect(after).toMatchObject({ ok: false, lost: true });
});
