import { link, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inferenceService, scanInferResponse } from '@headrace/proto';
import { describe, expect, test } from 'vitest';
import { GrpcJsClient, exactFractions, fp32Bytes, inferMessage, inferPath, startInference, startLoad, tempDir } from '../harness/index.js';
import { openChannel } from '../harness/outcomes.js';
import { scrape } from '../harness/scrape.js';
import { until } from '../harness/until.js';
import { largeModel } from './large-model.js';
import { residentMiB } from './processes.js';

const { RepositoryIndex, RepositoryModelLoad } = inferenceService.methods;

const width = 1024;
const instances = 2;
const swaps = 40;
/** Swaps until every thread that serves in turn has had the model: two generations of threads, and some for the heap. */
const settled = 5;
/**
 * Resident memory may grow by so many copies of the weights after that. The C library keeps up to a heap of 64 MiB (two
 * copies) for each of the four threads and may fill the last of them late: seen are 0 to 3. One copy left behind in each
 * swap would be 35.
 */
const boundCopies = 8;

describe('versions of a large model are swapped under load', { timeout: 240_000 }, () => {
  test('40 swaps of 32 MiB on two instances: no request fails, and no copy of the weights stays behind', async (context) => {
    if (process.platform !== 'linux') context.skip('reads resident memory from /proc: Linux only');
    const { bytes, weightBytes } = largeModel(width, 8);
    const models = await tempDir('large-model');
    const folder = join(models.path, 'large');
    const graph = join(models.path, 'large.onnx');
    const incoming = join(models.path, '.next');
    await writeFile(graph, bytes);
    /** In whole, by rename, and by links: 40 versions take the room of one. */
    const offer = async (version: number): Promise<void> => {
      await mkdir(incoming);
      await link(graph, join(incoming, 'model.onnx'));
      await rename(incoming, join(folder, String(version)));
    };
    await mkdir(folder);
    await writeFile(join(folder, 'model.yaml'), `batching: { maxBatchSize: 8 }\ninstances: { count: ${instances} }\n`);
    await offer(1);
    // The quota is stated, so that the same threads are kept between two versions on every machine.
    const server = await startInference({ models: models.path, metrics: true, args: ['--cpu-quota', String(instances)] });
    const control = new GrpcJsClient(server.address);
    const channel = openChannel(server.address);
    const row = fp32Bytes(exactFractions(width));
    const answeredBy = new Set<string>();
    const wrong: string[] = [];
    const load = startLoad({
      channel,
      path: inferPath,
      message: () => inferMessage('large', [{ name: 'x', datatype: 'FP32', shape: [1, width], raw: row }]),
      concurrency: 2,
      calls: 10_000_000,
      forMs: 230_000,
      timeoutMs: 60_000,
      onOutcome: (outcome, call) => {
        if (!outcome.ok) wrong.push(`${outcome.status.code}: ${outcome.status.message}`);
        else {
          const { version, raw } = readOutput(outcome.message);
          answeredBy.add(version);
          if (!raw.equals(row)) wrong.push(`call ${call}, version ${version}: the answer is not the input`);
        }
      },
    });
    const residentCopies: number[] = [];
    for (let version = 2; version <= swaps + 1; version++) {
      await offer(version);
      await control.call(RepositoryModelLoad, { model_name: 'large' }, { timeoutMs: 60_000 });
      await until(`an answer of version ${version}`, () => answeredBy.has(String(version)) || wrong.length > 0);
      await until('only one version is left', async () => (await control.call(RepositoryIndex, {})).message.models.length === 1);
      residentCopies.push(residentMiB(server.process.pid) / (weightBytes / 2 ** 20));
    }
    const counted = (await scrape(server.metricsPort)).sum('headrace_inference_instance_memory_bytes', { model: 'large' });
    load.stop();
    const result = await load.done;
    control.close();
    channel.close();
    const exit = await server.process.stop();
    await models.remove();

    expect(wrong.slice(0, 5)).toEqual([]);
    expect(result.ok).toBe(result.sent);
    expect(exit).toEqual({ code: 0, signal: null });
    const curve = residentCopies.map((copies) => copies.toFixed(1)).join(' ');
    const growth = Math.min(...residentCopies.slice(-3)) - (residentCopies[settled - 1] ?? 0);
    expect(growth, `resident memory in copies of the weights: ${curve}`).toBeLessThan(boundCopies);
    // Counted for each instance of the version that serves, and no longer for those that are gone (80 copies by now).
    expect(counted / weightBytes).toBeGreaterThanOrEqual(instances);
    expect(counted / weightBytes).toBeLessThan(4 * instances);
  });
});

function readOutput(message: Buffer): { readonly version: string; readonly raw: Buffer } {
  const scanned = scanInferResponse(message);
  if (!scanned.ok) throw new Error(scanned.message);
  const { view } = scanned;
  const raw = view.outputs[0]?.raw ?? { start: 0, end: 0 };
  return { version: view.modelVersion, raw: view.bytes.subarray(raw.start, raw.end) };
}
