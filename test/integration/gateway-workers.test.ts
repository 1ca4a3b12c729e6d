import { isDeepStrictEqual } from 'node:util';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildRequest, readReply, startStandInBackend } from '@headrace/gateway/testing';
import type { StandInBackend, StandInRun } from '@headrace/gateway/testing';
import type { Channel, UnaryOutcome } from '@headrace/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inferPath, paths, runCommand, startGateway, startLoad, startProcess, tableText, tempDir } from '../harness/index.js';
import type { Exit, RunningGateway, RunningLoad, TempDir } from '../harness/index.js';
import { infer, openChannel } from '../harness/outcomes.js';
import { scrape } from '../harness/scrape.js';
import { until } from '../harness/until.js';
import { childrenOf } from '../faults/processes.js';

/** Long against what a message between processes takes on a busy machine, so that batches are the model's doing. */
const model = { name: 'm', overheadMs: 30, perRowMs: 0.5, maxBatchRows: 64 };
const connections = 4;

interface Loads {
  readonly perSecond?: number;
  readonly urgentPerSecond?: number;
  readonly concurrency?: number;
}

let folder: TempDir;
beforeEach(async () => void (folder = await tempDir('workers')));
afterEach(async () => folder.remove());

/** A gateway of so many workers with a backend of its own and a client that holds several connections. */
class Subject {
  readonly backend: StandInBackend;
  readonly gateway: RunningGateway;
  readonly channels: readonly Channel[];
  readonly #folder: TempDir;

  private constructor(backend: StandInBackend, gateway: RunningGateway, own: TempDir) {
    this.backend = backend;
    this.gateway = gateway;
    this.channels = Array.from({ length: connections }, () => openChannel(gateway.address));
    this.#folder = own;
  }

  static async start(workers: number): Promise<Subject> {
    const own = await tempDir('workers-subject');
    const backend = await startStandInBackend({ models: [model] });
    const table = {
      backends: [{ name: 'b', address: backend.address }],
      defaults: { timeoutMs: 120_000, priority: { bypassMaxSharePercent: 20 } },
      // Nobody is set aside: a run that takes three times as long here is the machine's fault.
      routing: { slowStartMs: 0, outlier: { minExcessMs: 60_000 } },
    };
    // One that a test stops for longer than usual is not to be replaced.
    const args = ['--workers', String(workers), '--worker-silence-seconds', '600'];
    const gateway = await startGateway({ folder: own.path, table, args });
    return new Subject(backend, gateway, own);
  }

  /**
   * So many requests a second, whatever becomes of them: what arrives while a run takes place makes the next batch. (Clients
   * that wait for a reply before they send again are another matter: N workers have a N-th of them each, design 0005.)
   */
  pacedLoad(perSecond: number, priority = 0n): { stop(): Promise<readonly UnaryOutcome[]> } {
    const calls: Promise<UnaryOutcome>[] = [];
    const beganMs = performance.now();
    const timer = setInterval(() => {
      while (calls.length < ((performance.now() - beganMs) / 1000) * perSecond) {
        const channel = this.channels[calls.length % connections];
        if (channel === undefined) return;
        calls.push(infer(channel, buildRequest({ model: 'm', values: [BigInt(calls.length)], parameters: { priority } })));
      }
    }, 2);
    return {
      stop: () => {
        clearInterval(timer);
        return Promise.all(calls);
      },
    };
  }

  /** A closed loop on each connection. */
  load(concurrency: number): readonly RunningLoad[] {
    return this.channels.map((channel) =>
      startLoad({
        channel,
        path: inferPath,
        message: (call) => buildRequest({ model: 'm', values: [BigInt(call)] }),
        concurrency,
        calls: 1_000_000,
        forMs: 200_000,
        timeoutMs: 60_000,
      }),
    );
  }

  workerPids(): readonly number[] {
    return childrenOf(this.gateway.process.pid, 'gateway');
  }

  async stop(exit: Exit = { code: 0, signal: null }): Promise<void> {
    for (const channel of this.channels) channel.close();
    const ended = await this.gateway.process.stop();
    await this.backend.kill();
    await this.#folder.remove();
    if (!isDeepStrictEqual(ended, exit)) throw new Error(`the gateway ended with ${JSON.stringify(ended)}`);
  }
}

const metric = async ({ gateway }: Subject, name: string): Promise<number> => (await scrape(gateway.metricsPort)).sum(name);

async function stopAll(loads: readonly RunningLoad[]): Promise<void> {
  for (const load of loads) load.stop();
  for (const load of loads) expect(Object.fromEntries((await load.done).failures)).toEqual({});
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Of the runs since the `from`th: mean rows of merged ones, and what part of the time lone ones took. */
function look(runs: readonly StandInRun[], from: number): { readonly rows: number; readonly loneShare: number } {
  const timeOf = (rows: number): number => model.overheadMs + model.perRowMs * rows;
  const seen = runs.slice(from);
  const tookMs = (seen.at(-1)?.startedMs ?? 0) - (seen[0]?.startedMs ?? 0);
  const merged = seen.filter(({ rows }) => rows > 1);
  const loneMs = (seen.length - merged.length) * timeOf(1);
  return { rows: merged.reduce((sum, { rows }) => sum + rows, 0) / merged.length, loneShare: loneMs / tookMs };
}

/** How many runs wait at a backend beside the one that it runs, every few milliseconds. */
function sampleQueue(engine: () => StandInBackend['engine'] | undefined): {
  readonly samples: readonly number[];
  readonly timer: NodeJS.Timeout;
} {
  const samples: number[] = [];
  const timer = setInterval(() => {
    const { received = 0, runs = [] } = engine() ?? {};
    samples.push(received - runs.length);
  }, 5);
  return { samples, timer };
}

describe('a gateway of several workers', { timeout: 240_000 }, () => {
  /** A machine that stalls distorts a look; a wrong size stays wrong in each. */
  const mostLooks = 5;

  test.each([
    ['as large, and bypass takes as much,', { perSecond: 600, urgentPerSecond: 40 }],
    ['as large where all are full,', { concurrency: 80 }],
  ])('batches of two workers are %s as with one', async (_name, { perSecond, urgentPerSecond, concurrency }: Loads) => {
    const subjects = [await Subject.start(1), await Subject.start(2)];
    // At the same time: what a stalled machine costs, it costs both alike.
    const paced = subjects.flatMap((subject) => [
      ...(perSecond === undefined ? [] : [subject.pacedLoad(perSecond)]),
      ...(urgentPerSecond === undefined ? [] : [subject.pacedLoad(urgentPerSecond, 1n)]),
    ]);
    const loops = concurrency === undefined ? [] : subjects.flatMap((subject) => subject.load(concurrency));
    let froms = [0, 0];
    const ran = (runs: number) => (): boolean => subjects.every(({ backend }, i) => backend.engine.runs.length >= (froms[i] ?? 0) + runs);
    await until('warm', ran(60));
    const waitingThere = sampleQueue(() => subjects[1]?.backend.engine);
    const looks: string[] = [];
    let alike = false;
    while (!alike && looks.length < mostLooks) {
      froms = subjects.map(({ backend }) => backend.engine.runs.length);
      await until('runs', ran(200));
      const [one, two] = subjects.map(({ backend }, i) => look(backend.engine.runs, froms[i] ?? 0));
      if (one === undefined || two === undefined) throw new Error('expected two subjects');
      const within = (ratio: number): boolean => ratio > 0.9 && ratio < 1.1;
      alike = within(two.rows / one.rows) && (urgentPerSecond === undefined || within(two.loneShare / one.loneShare));
      looks.push(JSON.stringify([one, two]));
    }
    clearInterval(waitingThere.timer);
    await stopAll(loops);
    for (const each of paced) expect((await each.stop()).filter(({ ok }) => !ok)).toEqual([]);
    const [, two] = subjects;
    const fallbacks = two === undefined ? -1 : await metric(two, 'headrace_gateway_turn_fallbacks_total');
    for (const subject of subjects) await subject.stop();
    expect(alike, looks.join('\n')).toBe(true);
    // Turns, and not each for itself, is what was measured: one run is staged beside the running one, bypass apart.
    expect(fallbacks).toBeLessThan(20);
    const crowded = waitingThere.samples.filter((runs) => runs > 1).length;
    expect(crowded).toBeLessThan(urgentPerSecond === undefined ? waitingThere.samples.length / 50 : Infinity);
  });

  test('one that is killed loses its own calls alone, is started again, and is forgotten by nobody', async () => {
    const subject = await Subject.start(2);
    const loads = subject.load(8);
    const okOf = (): Promise<number> => metric(subject, 'headrace_gateway_requests_total');
    await until('answers', async () => (await okOf()) > 300);
    const before = await okOf();
    const [victim, ...others] = subject.workerPids();
    expect(others.length).toBe(1);
    if (victim === undefined) throw new Error('expected workers');
    process.kill(victim, 'SIGKILL');
    await until(
      'a new worker',
      async () => (await metric(subject, 'headrace_gateway_workers')) === 2 && !subject.workerPids().includes(victim),
    );
    // A counter that fell would read as a restart.
    expect(await okOf()).toBeGreaterThanOrEqual(before);
    expect(await metric(subject, 'headrace_gateway_worker_restarts_total')).toBe(1);
    await until('many more answers', async () => (await okOf()) > before + 600);
    for (const load of loads) load.stop();
    const results = await Promise.all(loads.map(({ done }) => done));
    await subject.stop();

    const failedOn = results.map(({ sent, ok }) => sent - ok);
    expect(failedOn.filter((failed) => failed === 0).length, `failed by connection: ${failedOn.join()}`).toBeGreaterThanOrEqual(1);
    // What was in flight there, and nothing after.
    for (const failed of failedOn) expect(failed).toBeLessThanOrEqual(8);
    expect(failedOn.some((failed) => failed > 0)).toBe(true);
    for (const { failures } of results) expect([...failures.keys()].filter((name) => name !== 'UNAVAILABLE')).toEqual([]);
    for (const { ok } of results) expect(ok).toBeGreaterThan(100);
  });

  test('SIGTERM: what all of them hold is answered, then all are gone', async () => {
    const subject = await Subject.start(2);
    subject.backend.engine.hanging = true;
    const calls = 60;
    const accepted = Array.from({ length: calls }, (_, call) => {
      const channel = subject.channels[call % connections];
      if (channel === undefined) throw new Error('expected channels');
      return infer(channel, buildRequest({ model: 'm', values: [BigInt(call)] }));
    });
    await until('all are held', async () => (await metric(subject, 'headrace_gateway_held_requests')) === calls);
    const pids = subject.workerPids();
    subject.gateway.process.kill('SIGTERM');
    await until('it drains', async () => (await fetch(`http://127.0.0.1:${subject.gateway.metricsPort}/readyz`)).status === 503);
    // A scrape while draining still shows all of them.
    expect(await metric(subject, 'headrace_gateway_held_requests')).toBe(calls);
    subject.backend.engine.hanging = false;
    for (const [call, outcome] of (await Promise.all(accepted)).entries())
      expect(outcome.ok ? readReply(outcome.message).values : outcome.status).toEqual([BigInt(call)]);
    expect(await subject.gateway.process.exited).toEqual({ code: 0, signal: null });
    expect(pids.filter(alive)).toEqual([]);
    await subject.stop();
  });

  test('SIGTERM while workers are being started ends them as well', async () => {
    const file = join(folder.path, 'table.yaml');
    await writeFile(file, tableText({ backends: [{ name: 'nobody', address: '127.0.0.1:1' }] }));
    const args = ['--config', file, '--grpc-port', '0', '--metrics-port', 'off', '--workers', '2', '--pre-stop-seconds', '0'];
    const gateway = await startProcess(process.execPath, [paths.gatewayMain, ...args, '--log-level', 'debug']);
    await gateway.waitFor('a fork', ({ stderr }) => stderr.includes('worker forked') || undefined);
    expect(await gateway.stop(20_000)).toEqual({ code: 0, signal: null });
  });

  test('the primary process is killed: workers answer what they hold, and end', async () => {
    const subject = await Subject.start(2);
    subject.backend.engine.hanging = true;
    const accepted = subject.channels.map((channel, call) => infer(channel, buildRequest({ model: 'm', values: [BigInt(call)] })));
    await until('all are held', async () => (await metric(subject, 'headrace_gateway_held_requests')) === connections);
    subject.gateway.process.kill('SIGKILL');
    await until('it is gone', () => !alive(subject.gateway.process.pid));
    // Past the second after which they take the primary for silent.
    await sleep(2000);
    subject.backend.engine.hanging = false;
    for (const [call, outcome] of (await Promise.all(accepted)).entries())
      expect(outcome.ok ? readReply(outcome.message).values : outcome.status).toEqual([BigInt(call)]);
    // Its output is closed when the last of those who hold it has ended: the workers.
    expect(await subject.gateway.process.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await subject.stop({ code: null, signal: 'SIGKILL' });
  });

  test.each(['the primary process', 'a worker'])('%s that stands still holds up nobody else', async (who) => {
    const subject = await Subject.start(2);
    const loads = subject.load(4);
    await until('answers', async () => (await metric(subject, 'headrace_gateway_requests_total')) > 100);
    const [worker = 0] = subject.workerPids();
    const pid = who === 'a worker' ? worker : subject.gateway.process.pid;
    process.kill(pid, 'SIGSTOP');
    const from = subject.backend.engine.runs.length;
    try {
      await until('work goes on', () => subject.backend.engine.runs.length > from + 60);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const moved = subject.backend.engine.runs.length;
    await until('and after', () => subject.backend.engine.runs.length > moved + 60);
    await stopAll(loads);
    const fallbacks = await metric(subject, 'headrace_gateway_turn_fallbacks_total');
    // Without a primary they serve on their own word, and say so.
    expect(fallbacks > 20).toBe(who === 'the primary process');
    await subject.stop();
  });

  test.each(['--grpc-port', '--metrics-port', '--config'])(
    'what is wrong with %s is told once and as one worker tells it',
    async (flag) => {
      const squatter = createServer();
      const taken = await new Promise<number>((resolve) =>
        squatter.listen(0, '127.0.0.1', () => resolve((squatter.address() as AddressInfo).port)),
      );
      const file = `${folder.path}/table.yaml`;
      await writeFile(
        file,
        flag === '--config'
          ? 'kind: RoutingTable'
          : `apiVersion: headrace.dev/v1alpha1\nkind: RoutingTable\nbackends: [{ name: b, address: "127.0.0.1:1" }]\n`,
      );
      const ports = new Map([
        ['--grpc-port', '0'],
        ['--metrics-port', '0'],
      ]);
      if (ports.has(flag)) ports.set(flag, String(taken));
      const run = (workers: string): ReturnType<typeof runCommand> =>
        runCommand(process.execPath, [
          paths.gatewayMain,
          '--config',
          file,
          '--log-level',
          'silent',
          '--workers',
          workers,
          ...[...ports].flat(),
        ]);
      const [one, two] = [await run('1'), await run('2')];
      await new Promise((resolve) => squatter.close(resolve));
      expect(one).toMatchObject({ code: 2 });
      expect([two.code, two.stderr, two.stdout]).toEqual([one.code, one.stderr, one.stdout]);
    },
  );
});
