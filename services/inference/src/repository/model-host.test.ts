import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCostBook } from '@headrace/batching';
import { MetricsRegistry, silentLogger } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TensorInTransit } from '../instance/protocol.js';
import { ThreadPool } from '../instance/thread-pool.js';
import type { RunOutcome } from '../instance/worker-thread.js';
import { defineInferenceMetrics } from '../metrics.js';
import { StatisticsBook } from '../statistics/model-statistics.js';
import { BufferPool } from '../tensors/buffer-pool.js';
import { ModelHost } from './model-host.js';
import { scanModel } from './scan.js';

const models = fileURLToPath(new URL('../../../../test/models', import.meta.url));

let clock: FakeClock;
let threads: ThreadPool;
let host: ModelHost;
let states: string[];

beforeEach(() => {
  clock = new FakeClock();
  states = [];
  threads = new ThreadPool({ quota: 1, maxOwnThreads: 4, logger: silentLogger });
  host = new ModelHost({
    threads,
    pool: new BufferPool(),
    costs: createCostBook({}),
    statistics: new StatisticsBook(),
    metrics: defineInferenceMetrics(new MetricsRegistry({ processMetrics: false }), { threads: () => 0, pooledBytes: () => 0 }),
    provider: { name: 'cpu', deviceId: 0, fallback: undefined },
    clock,
    logger: silentLogger,
    maxConcurrentLoads: 1,
    onChange: ({ state }) => states.push(state.kind),
  });
});

afterEach(async () => {
  await host.close();
  await threads.stop();
});

/** Too large for the slot, no buffers to transfer on this side of the thread boundary, and a null on the other, which nothing there expects. */
class Poison extends Array<TensorInTransit> {
  override map<U>(): U[] {
    return [];
  }
}

it('a model whose worker thread died takes no requests there, and is loaded anew after a second', async () => {
  const folder = await scanModel('tiny', join(models, 'tiny'));
  if (folder === undefined) throw new Error('no such model');
  await host.apply(folder);
  const before = host.resolve('tiny', '');
  if (!before.ok) throw new Error(before.refusal.message);
  const [instance] = before.value.state.loaded.instances;

  const outcome = await new Promise<RunOutcome>((resolve) =>
    instance?.run(
      Poison.from([{ buffer: new ArrayBuffer(1), byteLength: 2 ** 30, shape: [] }, null as unknown as TensorInTransit]),
      [0],
      resolve,
    ),
  );
  expect(outcome).toMatchObject({ ok: false, lost: true });
  expect(instance?.lost).toBe(true);
  expect(before.value.state.execution.targets()).toEqual([]);

  clock.advance(999);
  expect(states).toEqual(['loading', 'warming', 'ready']);
  clock.advance(1);
  await expect
    .poll(() => states, { timeout: 10_000 })
    .toEqual(['loading', 'warming', 'ready', 'loading', 'warming', 'ready', 'draining', 'unloaded']);
  const after = host.resolve('tiny', '');
  if (!after.ok) throw new Error(after.refusal.message);
  expect(after.value.state.execution.targets()).toMatchObject([{ outstanding: 0 }]);
});

it('two models load at the same time without seeing each other, and a removed one is forgotten', async () => {
  const folders = await Promise.all(['tiny', 'echo_nonce'].map((name) => scanModel(name, join(models, name))));
  await Promise.all(folders.filter((folder) => folder !== undefined).map((folder) => host.apply(folder)));
  expect(host.models.map((model) => model.index()[0]?.state)).toEqual(['READY', 'READY']);
  await host.remove('tiny');
  expect(host.resolve('tiny', '')).toMatchObject({ ok: false, refusal: { reason: 'MODEL_NOT_FOUND' } });
  expect(host.resolve('echo_nonce', '1').ok).toBe(true);
});
