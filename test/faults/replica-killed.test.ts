import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildRequest, startStandInBackend } from '@headrace/gateway/testing';
import { describe, expect, test } from 'vitest';
import { fp32Bytes, inferMessage, inferPath, paths, startGateway, startLoad, startProcess, tableText, tempDir } from '../harness/index.js';
import type { LoadResult, RunningLoad } from '../harness/index.js';
import { modelFolder } from '../harness/model-folder.js';
import { openChannel } from '../harness/outcomes.js';
import { childrenOf } from './processes.js';
import { scrape } from '../harness/scrape.js';
import type { Scrape } from '../harness/scrape.js';
import { timesRun } from './stand-in-rows.js';
import { until } from '../harness/until.js';

const concurrency = 8;
const rows = (model: string): Buffer => inferMessage(model, [{ name: 'x', datatype: 'FP32', shape: [1, 4], raw: fp32Bytes([1, 2, 3, 4]) }]);
const event = (name: string) => (line: unknown) =>
  typeof line === 'object' && line !== null && 'event' in line && line.event === name
    ? (line as Readonly<Record<string, unknown>>)
    : undefined;

/** Calls that got no outcome of their own within their deadline show as DEADLINE_EXCEEDED. */
const failed = ({ failures }: LoadResult): number => [...failures.values()].reduce((sum, count) => sum + count, 0);

describe('kill -9 of an inference process under load, another alive', { timeout: 300_000 }, () => {
  test('requests are saved, what must not run twice is told UNAVAILABLE, the process is started again and gets traffic', async (context) => {
    if (process.platform !== 'linux') context.skip('finds the process to kill in /proc: Linux only');
    const models = await modelFolder('slow_per_row', 'slow');
    const folder = await tempDir('config');
    const config = join(folder.path, 'table.yaml');
    // Unbatched, so that eight calls of each keep both replicas busy: at the kill some are under way there.
    const alone = { batching: { maxBatchRows: 0 } };
    const table = {
      backends: [],
      models: [
        { name: 'slow', idempotent: false, ...alone },
        { name: 'slow_per_row', ...alone },
      ],
    };
    await writeFile(config, tableText(table));
    const args = [
      'up',
      '--json',
      '--models',
      models.path,
      '--config',
      config,
      '--replicas',
      '2',
      '--grpc-port',
      '0',
      '--metrics-port',
      '0',
    ];
    const up = await startProcess(process.execPath, [paths.cliMain, ...args], { name: 'headrace up' });
    const ready = await up.announced('the platform', event('ready'), 120_000);
    const metricsPort = Number(new URL(String(ready['metricsUrl'])).port);
    const runs = (page: Scrape, backend: string, model: string): number =>
      page.sum('headrace_gateway_run_seconds_count', { backend, model });

    const channel = openChannel(String(ready['address']));
    const load = (model: string): RunningLoad =>
      startLoad({ channel, path: inferPath, message: () => rows(model), concurrency, calls: 1_000_000, forMs: 200_000, timeoutMs: 60_000 });
    const again = load('slow_per_row');
    const once = load('slow');
    const settled = async (page: Scrape): Promise<boolean> =>
      ['replica-0', 'replica-1'].every((backend) => ['slow_per_row', 'slow'].every((model) => runs(page, backend, model) >= 5));
    await until('runs on both replicas', async () => settled(await scrape(metricsPort)));

    const [victim] = childrenOf(up.pid, '--model-repository');
    if (victim === undefined) throw new Error('no inference process below headrace up');
    process.kill(victim, 'SIGKILL');
    const died = await up.announced('the death of the process', event('exited'));
    expect(died).toMatchObject({ signal: 'SIGKILL' });
    const replica = String(died['process']);
    await up.announced('its restart', (line) => (event('restarted')(line)?.['process'] === replica ? true : undefined), 120_000);
    const before = await scrape(metricsPort);
    await until('traffic on the process that was started again', async () => {
      const page = await scrape(metricsPort);
      return ['slow_per_row', 'slow'].every((model) => runs(page, replica, model) >= runs(before, replica, model) + 5);
    });
    again.stop();
    once.stop();
    const [saved, told] = [await again.done, await once.done];
    const after = await scrape(metricsPort);
    channel.close();
    expect((await up.stop(60_000)).code).toBe(0);
    await Promise.all([models.remove(), folder.remove()]);

    expect(saved.ok / saved.sent).toBeGreaterThanOrEqual(0.99);
    expect([...saved.failures.keys()]).not.toContain('DEADLINE_EXCEEDED');
    expect(after.sum('headrace_gateway_retries_total', { model: 'slow_per_row', kind: 'elsewhere' })).toBeGreaterThan(0);

    expect([...told.failures.keys()]).toEqual(['UNAVAILABLE']);
    // Those in flight, and a few that followed before the gateway heard of it.
    expect(failed(told)).toBeLessThanOrEqual(3 * concurrency);
    expect(after.sum('headrace_gateway_retries_total', { model: 'slow' })).toBe(0);
  });

  test('nothing of a model that is not idempotent is run twice; of others what was in flight is run once more', async () => {
    const models = ['again', 'careful'].map((name) => ({ name, overheadMs: 20, maxBatchRows: 4 }));
    const backends = [await startStandInBackend({ models }), await startStandInBackend({ models })] as const;
    const engines = [backends[0].engine, backends[1].engine] as const;
    const folder = await tempDir('killed');
    const gateway = await startGateway({
      folder: folder.path,
      table: {
        backends: backends.map(({ address }, index) => ({ name: `b${index}`, address })),
        models: [{ name: 'careful', idempotent: false }],
      },
    });
    const channel = openChannel(gateway.address);
    const answered = { again: new Set<number>(), careful: new Set<number>() };
    const load = (model: 'again' | 'careful'): RunningLoad =>
      startLoad({
        channel,
        path: inferPath,
        message: (call) => buildRequest({ model, values: [BigInt(call)] }),
        // Twice what one backend takes, a batch running and one staged: the other always has work.
        concurrency: 16,
        calls: 1_000_000,
        forMs: 120_000,
        timeoutMs: 60_000,
        onOutcome: (outcome, call) => void (outcome.ok && answered[model].add(call)),
      });
    const loads = [load('again'), load('careful')] as const;
    const [victim, other] = engines;
    const begunThere = (model: 'again' | 'careful'): boolean =>
      [...timesRun([victim], model).keys()].some((call) => !answered[model].has(call));
    await until('answers from both', () => engines.every(({ runs }) => runs.length > 20));
    // From here on no run there ends: what has begun, and is unanswered still after work elsewhere, is under way at the kill.
    victim.hanging = true;
    await until('both models under way there', () => begunThere('again') && begunThere('careful'));
    const atHang = other.runs.length;
    await until('work elsewhere', () => other.runs.length > atHang + 10);
    await until('both models under way there', () => begunThere('again') && begunThere('careful'));
    await backends[0].kill();
    victim.hanging = false;
    const atKill = other.runs.length;
    await until('life goes on', () => other.runs.length > atKill + 30);
    for (const running of loads) running.stop();
    const [saved, told] = [await loads[0].done, await loads[1].done];
    channel.close();
    await gateway.process.stop();
    await backends[1].kill();
    await folder.remove();

    expect(saved.ok).toBe(saved.sent);
    expect([...told.failures.keys()]).toEqual(['UNAVAILABLE']);
    const again = timesRun(engines, 'again');
    expect([...again.values()].filter((times) => times === 2).length).toBeGreaterThan(0);
    expect(Math.max(...again.values())).toBe(2);
    const careful = timesRun(engines, 'careful');
    expect(Math.max(...careful.values())).toBe(1);
    // Told UNAVAILABLE although they had begun: it is these that a retry would have run twice.
    expect([...careful.keys()].filter((call) => !answered.careful.has(call)).length).toBeGreaterThan(0);
  });
});
