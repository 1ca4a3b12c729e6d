import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { inferenceService, scanInferResponse } from '@headrace/proto';
import { describe, expect, test } from 'vitest';
import {
  GrpcJsClient,
  fp32Bytes,
  fp32Values,
  inferMessage,
  inferPath,
  startInference,
  startLoad,
  startPlatform,
} from '../harness/index.js';
import { modelFolder } from '../harness/model-folder.js';
import { openChannel, refusedOrLost } from '../harness/outcomes.js';
import { residentMiB } from './processes.js';
import { until } from '../harness/until.js';

const { RepositoryModelLoad } = inferenceService.methods;

describe('versions are swapped under load, through the gateway', { timeout: 300_000 }, () => {
  test('50 swaps: no request fails, each gets its own rows, and resident memory stays flat', async (context) => {
    if (process.platform !== 'linux') context.skip('reads resident memory from /proc: Linux only');
    const models = await modelFolder('identity_float');
    const platform = await startPlatform({ models: models.path });
    const control = new GrpcJsClient(platform.address);
    const channel = openChannel(platform.address);
    const versions = new Set<number>();
    const wrong: string[] = [];
    const values = (call: number): readonly number[] => [call, -call, call / 4];
    const load = startLoad({
      channel,
      path: inferPath,
      message: (call) => inferMessage('identity_float', [{ name: 'x', datatype: 'FP32', shape: [1, 3], raw: fp32Bytes(values(call)) }]),
      concurrency: 6,
      calls: 10_000_000,
      forMs: 280_000,
      timeoutMs: 60_000,
      onOutcome: (outcome, call) => {
        if (!outcome.ok) wrong.push(`${outcome.status.code}: ${outcome.status.message}`);
        else {
          const reply = readOutput(outcome.message);
          versions.add(reply.version);
          // -0 is not 0 to toEqual, nor to the model.
          if (!reply.values.every((value, index) => Object.is(value, values(call)[index])))
            wrong.push(`call ${call} got ${reply.values.join()}`);
        }
      },
    });
    const folder = join(models.path, 'identity_float');
    const [server] = platform.replicas;
    const processes = { server: server?.process.pid ?? 0, gateway: platform.gateway.process.pid };
    const resident = { server: [] as number[], gateway: [] as number[] };
    for (let version = 2; version <= 51; version++) {
      // In whole, by rename: a look at the repository never sees half a version.
      await cp(join(folder, '1'), join(models.path, '.next'), { recursive: true });
      await rename(join(models.path, '.next'), join(folder, String(version)));
      await control.call(RepositoryModelLoad, { model_name: 'identity_float' }, { timeoutMs: 60_000 });
      await until(`an answer of version ${version}`, () => versions.has(version) || wrong.length > 0);
      resident.server.push(residentMiB(processes.server));
      resident.gateway.push(residentMiB(processes.gateway));
    }
    load.stop();
    const result = await load.done;
    control.close();
    channel.close();
    await platform.stop();
    await models.remove();

    expect(wrong.slice(0, 5)).toEqual([]);
    expect(result.ok).toBe(result.sent);
    expect(versions.size).toBeGreaterThanOrEqual(50);
    // After two swaps all code and both versions' share of the heap have been touched once. An instance that were kept
    // would add some 35 MiB a swap, until threads are shared.
    for (const [name, sizes] of Object.entries(resident)) {
      expect(Math.min(...sizes.slice(-5)), `${name}: ${sizes.map(Math.round).join(' ')} MiB`).toBeLessThan((sizes[1] ?? 0) * 1.3 + 40);
    }
  });
});

describe('an inference server is told to stop under load', { timeout: 600_000 }, () => {
  test.each([
    ['SIGTERM', 20],
    ['SIGINT', 4],
  ] as const)('%s, %i times: exit code 0, and what was accepted is answered', async (signal, times) => {
    const models = await modelFolder('slow_per_row');
    for (let round = 0; round < times; round++) {
      const server = await startInference({ models: models.path });
      const channel = openChannel(server.address);
      let answered = 0;
      const lost: string[] = [];
      const load = startLoad({
        channel,
        path: inferPath,
        message: () => inferMessage('slow_per_row', [{ name: 'x', datatype: 'FP32', shape: [1, 4], raw: fp32Bytes([1, 2, 3, 4]) }]),
        concurrency: 8,
        calls: 1_000_000,
        timeoutMs: 60_000,
        onOutcome: (outcome) => {
          if (outcome.ok) answered += 1;
          else {
            load.stop();
            const what = refusedOrLost(outcome);
            if (what !== 'refused') lost.push(what);
          }
        },
      });
      await until('the first answers', () => answered > 8);
      const exit = await server.process.stop(60_000, signal);
      load.stop();
      await load.done;
      channel.close();
      expect({ round, exit, lost }).toEqual({ round, exit: { code: 0, signal: null }, lost: [] });
    }
    await models.remove();
  });
});

function readOutput(message: Buffer): { readonly version: number; readonly values: readonly number[] } {
  const scanned = scanInferResponse(message);
  if (!scanned.ok) throw new Error(scanned.message);
  const { view } = scanned;
  const raw = view.outputs[0]?.raw ?? { start: 0, end: 0 };
  return { version: Number(view.modelVersion), values: fp32Values(view.bytes.subarray(raw.start, raw.end)) };
}
