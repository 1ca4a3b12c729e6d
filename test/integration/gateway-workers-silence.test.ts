import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildRequest, readReply, startStandInBackend } from '@headrace/gateway/testing';
import type { StandInBackend } from '@headrace/gateway/testing';
import type { Channel } from '@headrace/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startGateway, tempDir } from '../harness/index.js';
import type { RunningGateway, TempDir } from '../harness/index.js';
import { infer, openChannel } from '../harness/outcomes.js';
import { scrape } from '../harness/scrape.js';
import { until } from '../harness/until.js';
import { childrenOf } from '../faults/processes.js';

const silenceSeconds = 3;
const channelCount = 4;

describe('a worker that lives and says nothing', { timeout: 120_000 }, () => {
  let folder: TempDir;
  let backend: StandInBackend;
  let gateway: RunningGateway;
  beforeEach(async () => {
    folder = await tempDir('silent-workers');
    backend = await startStandInBackend({ models: [{ name: 'm', overheadMs: 1, perRowMs: 0 }] });
    // A handler that never returns, as a defect would make one.
    const spin = join(folder.path, 'spin.mjs');
    await writeFile(spin, `process.on('SIGUSR2', () => { for (;;); });`);
    gateway = await startGateway({
      folder: folder.path,
      table: { backends: [{ name: 'b', address: backend.address }] },
      args: ['--workers', '2', '--worker-silence-seconds', String(silenceSeconds)],
      env: { NODE_OPTIONS: `--import=${spin}` },
    });
  });
  afterEach(async () => {
    const exit = await gateway.process.stop();
    await backend.kill();
    await folder.remove();
    expect(exit).toEqual({ code: 0, signal: null });
  });

  const workers = (): readonly number[] => childrenOf(gateway.process.pid, 'gateway');
  const metric = async (name: string): Promise<number> => (await scrape(gateway.metricsPort)).sum(name);
  /** On connections of their own, which the workers take by turns. */
  async function allAnswer(): Promise<void> {
    const channels: readonly Channel[] = Array.from({ length: channelCount }, () => openChannel(gateway.address));
    const outcomes = await Promise.all(channels.map((channel, i) => infer(channel, buildRequest({ model: 'm', values: [BigInt(i)] }))));
    for (const channel of channels) channel.close();
    expect(outcomes.map((outcome) => (outcome.ok ? readReply(outcome.message).values : outcome.status))).toEqual(
      outcomes.map((_, i) => [BigInt(i)]),
    );
  }

  test.each(['SIGSTOP', 'SIGUSR2'] as const)('is killed, and another one is started (%s)', async (signal) => {
    const [victim = 0, ...others] = workers();
    expect(others.length).toBe(1);
    process.kill(victim, signal);
    await until('another', async () => !workers().includes(victim) && (await metric('headrace_gateway_workers')) === 2);
    expect(workers()).toEqual(expect.arrayContaining([...others]));
    expect(await metric('headrace_gateway_worker_kills_total')).toBe(1);
    expect(await metric('headrace_gateway_worker_restarts_total')).toBe(1);
    const told = gateway.process.stderr.split('\n').filter((line) => line.includes('it is killed'));
    expect(told.map((line) => (JSON.parse(line) as { workerPid: unknown }).workerPid)).toEqual([victim]);
    await allAnswer();
  });

  test('is left alone when the primary process stood still as well', async () => {
    const before = workers();
    const all = [gateway.process.pid, ...before];
    for (const pid of all) process.kill(pid, 'SIGSTOP');
    await sleep((silenceSeconds + 2) * 1000);
    // The primary first, so that it looks before any worker can speak.
    for (const pid of all) process.kill(pid, 'SIGCONT');
    await allAnswer();
    expect(await metric('headrace_gateway_worker_kills_total')).toBe(0);
    expect(workers()).toEqual(before);
  });
});
