import { startStandInBackend } from '@headrace/gateway/testing';
import type { StandInBackend } from '@headrace/gateway/testing';
import { inferenceService, scanInferResponse } from '@headrace/proto';
import type { Datatype } from '@headrace/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { infer, openChannel } from '../harness/outcomes.js';
import { until } from '../harness/until.js';
import { inferMessage, startGateway, tempDir } from '../harness/index.js';
import type { RunningGateway, TempDir } from '../harness/index.js';

const hex = (...words: readonly string[]): Buffer => Buffer.from(words.join(''), 'hex');

/** BYTES on the wire: 4 bytes of length, little-endian, before each element. */
function elements(...values: readonly Buffer[]): Buffer {
  return Buffer.concat(
    values.flatMap((value) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(value.length);
      return [length, value];
    }),
  );
}

/** Two elements of each datatype, such as do not survive a detour through numbers or strings. */
const rows: Readonly<Record<Datatype, Buffer>> = {
  BOOL: hex('01', '00'),
  UINT8: hex('ff', '80'),
  UINT16: hex('ffff', '0080'),
  UINT32: hex('ffffffff', '00000080'),
  // 2^64 - 1 and 2^53 + 1.
  UINT64: hex('ffffffffffffffff', '0100000000002000'),
  INT8: hex('80', 'ff'),
  INT16: hex('0080', 'ffff'),
  INT32: hex('00000080', 'ffffffff'),
  INT64: hex('0000000000000080', 'ffffffffffffdfff'),
  // Signalling NaNs with a payload, negative zeros, the smallest subnormals.
  FP16: hex('017d', '0080'),
  BF16: hex('817f', '0180'),
  FP32: hex('0100a07f', '00000080'),
  FP64: hex('010000000000f47f', '0100000000000080'),
  // NUL, bytes that are no UTF-8, half a surrogate pair, and nothing at all.
  BYTES: elements(hex('00ff00'), hex('c328eda080')),
};
const emptyElements = elements(Buffer.alloc(0), Buffer.from('\0'));

describe('the gateway passes every datatype on, bit for bit', { timeout: 120_000 }, () => {
  let backend: StandInBackend;
  let gateway: RunningGateway;
  let folder: TempDir;
  beforeAll(async () => {
    const models = (Object.keys(rows) as Datatype[]).map((datatype) => ({
      name: datatype.toLowerCase(),
      maxBatchRows: 8,
      overheadMs: 5,
      inputs: [{ name: 'x', datatype, shape: [-1, 2] }],
    }));
    backend = await startStandInBackend({ models });
    folder = await tempDir('datatypes');
    gateway = await startGateway({ folder: folder.path, table: { backends: [{ name: 'foreign', address: backend.address }] } });
  });
  afterAll(async () => {
    await gateway.process.stop();
    await backend.kill();
    await folder.remove();
  });

  test.each(Object.entries(rows) as [Datatype, Buffer][])('%s', async (datatype, row) => {
    const channel = openChannel(gateway.address);
    const model = datatype.toLowerCase();
    const { runs } = backend.engine;
    const ask = async (raw: Buffer, count: number): Promise<Buffer> => {
      const outcome = await infer(channel, inferMessage(model, [{ name: 'x', datatype, shape: [count, 2], raw }]));
      if (!outcome.ok) throw new Error(outcome.status.message);
      const scanned = scanInferResponse(outcome.message);
      if (!scanned.ok) throw new Error(scanned.message);
      const [output] = scanned.view.outputs;
      expect(output).toMatchObject({ name: 'x_out', datatype, shape: [count, 2] });
      return Buffer.from(scanned.view.bytes.subarray(output?.raw?.start, output?.raw?.end));
    };

    // Alone: the very bytes of the client's message.
    const lone = inferMessage(model, [{ name: 'x', datatype, shape: [1, 2], raw: row }]);
    expect(await ask(row, 1)).toEqual(row);
    expect(runs.at(-1)?.bytes).toEqual(lone);

    // Together: with the slot busy, those that wait share a run; each has rows of its own, and a number of its own.
    backend.engine.hanging = true;
    const before = runs.length;
    const other = datatype === 'BYTES' ? emptyElements : Buffer.from(row).reverse();
    const asked = Array.from({ length: 12 }, (_, index) => {
      const parts = Array.from({ length: 1 + (index % 3) }, (_unused, at) => ((index + at) % 2 === 0 ? row : other));
      return { raw: Buffer.concat(parts), count: parts.length };
    });
    const answers = asked.map(({ raw, count }) => ask(raw, count));
    await until('a first run', () => runs.length > before);
    backend.engine.hanging = false;
    expect((await Promise.all(answers)).map((raw) => raw.toString('hex'))).toEqual(asked.map(({ raw }) => raw.toString('hex')));
    const shared = runs.slice(before);
    expect(shared.reduce((sum, run) => sum + run.rows, 0)).toBe(24);
    expect(shared.length).toBeLessThan(12);
    expect(Math.max(...shared.map((run) => run.rows))).toBeGreaterThan(3);
    channel.close();
  });

  test('typed contents arrive as they were sent', async () => {
    const channel = openChannel(gateway.address);
    const message = inferenceService.methods.ModelInfer.request.encode({
      model_name: 'bytes',
      inputs: [{ name: 'x', datatype: 'BYTES', shape: ['1', '2'], contents: { bytes_contents: [hex('00ff00'), hex('c328eda080')] } }],
    });
    // The stand-in takes raw contents alone: what it was sent is what matters here.
    const outcome = await infer(channel, message);
    expect(outcome.ok).toBe(false);
    expect(backend.engine.runs.at(-1)?.bytes).toEqual(message);
    channel.close();
  });
});
