import { startLocalGateway } from '@headrace/gateway/testing';
import { startInferenceServer } from '@headrace/inference';
import { reportParameter, scanInferResponse } from '@headrace/proto';
import { statusName, systemClock } from '@headrace/runtime';
import type { Channel } from '@headrace/wire';
import { poisoningTransport } from '@headrace/wire/testing';
import { testTransport } from '@headrace/wire/testing/transport';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { modelFolder } from '../harness/model-folder.js';
import { openChannel } from '../harness/outcomes.js';
import { until } from '../harness/until.js';
import { fp32Bytes, inferMessage, inferPath, startPlatform } from '../harness/index.js';

/** One call: its rows, who makes it, how urgent it is, and after how many ms its client loses interest. */
const call = fc.record({
  rows: fc.integer({ min: 1, max: 6 }),
  client: fc.integer({ min: 0, max: 3 }),
  priority: fc.constantFrom(0n, 0n, 0n, 1n, 2n, 4n),
  cancelAfterMs: fc.option(fc.integer({ min: 0, max: 15 }), { freq: 3 }),
});

type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

interface Tally {
  answered: number;
  cancelled: number;
  /** Answers of runs that had other callers' rows in them. */
  shared: number;
}

let nextNonce = 1n;

/** Every row carries a number that no other row ever had, in both inputs; a reply must hold just the rows that were sent. */
async function ask(channels: readonly Channel[], { rows, client, priority, cancelAfterMs }: Call, tally: Tally): Promise<void> {
  const first = nextNonce;
  nextNonce += BigInt(rows);
  const nonces = Buffer.alloc(rows * 8);
  for (let row = 0; row < rows; row++) nonces.writeBigInt64LE(first + BigInt(row), row * 8);
  const payload = fp32Bytes(
    Array.from({ length: rows * 8 }, (_, index) => (Number(first) % 100_000) + Math.floor(index / 8) + (index % 8) / 8),
  );
  const id = `call-${first}`;
  const inputs = [
    { name: 'nonce', datatype: 'INT64', shape: [rows, 1], raw: nonces },
    { name: 'payload', datatype: 'FP32', shape: [rows, 8], raw: payload },
  ] as const;
  const channel = channels[client % channels.length];
  if (channel === undefined) throw new Error('no channel');
  let cancelled = false;
  const got = await new Promise<unknown>((resolve) => {
    const options = { deadlineMs: systemClock.nowMs() + 60_000 };
    const under = channel.unary(inferPath, inferMessage('echo_nonce', inputs, { id, parameters: { priority } }), options, (outcome) =>
      resolve(outcome.ok ? read(outcome.message, rows, tally) : `${statusName(outcome.status.code)}: ${outcome.status.message}`),
    );
    if (cancelAfterMs !== null) {
      setTimeout(() => {
        cancelled = true;
        under.cancel();
      }, cancelAfterMs);
    }
  });
  if (cancelled && typeof got === 'string' && got.startsWith('CANCELLED')) {
    tally.cancelled += 1;
    return;
  }
  expect(got).toEqual({
    id,
    outputs: { nonce_out: [[rows, 1], nonces.toString('hex')], payload_out: [[rows, 8], payload.toString('hex')] },
  });
  tally.answered += 1;
}

function read(message: Buffer, rows: number, tally: Tally): unknown {
  const scanned = scanInferResponse(message);
  if (!scanned.ok) return scanned.message;
  const { view } = scanned;
  if (Number(view.parameters.get(reportParameter.runRows)) > rows) tally.shared += 1;
  const outputs = view.outputs.map(({ name, shape, raw }) => [name, [shape, view.bytes.subarray(raw?.start, raw?.end).toString('hex')]]);
  return { id: view.id, outputs: Object.fromEntries(outputs) as unknown };
}

async function holds(channels: readonly Channel[], numRuns: number): Promise<Tally> {
  const tally = { answered: 0, cancelled: 0, shared: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 80, size: 'max' }), async (calls) => {
      await Promise.all(calls.map((each) => ask(channels, each, tally)));
    }),
    // What fails by timing does not shrink.
    { numRuns, endOnFailure: true },
  );
  return tally;
}

describe('no reply reaches a wrong caller and no rows mix', { timeout: 180_000 }, () => {
  test('with several clients, a gateway and two inference servers as processes, random row counts and cancels', async () => {
    const models = await modelFolder('echo_nonce');
    const platform = await startPlatform({ replicas: 2, models: models.path });
    const channels = Array.from({ length: 4 }, () => openChannel(platform.address));
    const tally = await holds(channels, 40);
    for (const channel of channels) channel.close();
    await platform.stop();
    await models.remove();
    // It would hold trivially if nothing were merged, or nothing cancelled.
    expect(Math.min(tally.answered, tally.shared, tally.cancelled), JSON.stringify(tally)).toBeGreaterThan(20);
  });

  test('with every borrowed message overwritten behind its listener, in the gateway and in the inference server', async () => {
    const transport = poisoningTransport(testTransport(systemClock));
    const models = await modelFolder('echo_nonce');
    const server = await startInferenceServer({ modelRepository: models.path, cpuQuota: 1, transport });
    await server.loaded;
    const local = await startLocalGateway(
      { backends: [{ name: 'b', address: `127.0.0.1:${server.grpcPort}` }], routing: { slowStartMs: 0 } },
      { transport },
    );
    await until('the model behind the gateway', () => local.gateway.readyModels().includes('echo_nonce'));
    // Straight to the server as well: its own batcher holds what it borrowed.
    const direct = openChannel(`127.0.0.1:${server.grpcPort}`);
    const tally = await holds([local.channel, local.channel, direct], 30);
    direct.close();
    await local.close();
    await server.close();
    await models.remove();
    expect(Math.min(tally.answered, tally.shared, tally.cancelled), JSON.stringify(tally)).toBeGreaterThan(20);
  });
});
