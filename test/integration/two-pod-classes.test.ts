import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildRequest } from '@headrace/gateway/testing';
import { inferenceService } from '@headrace/proto';
import type { Channel } from '@headrace/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GrpcJsClient, inferPath, paths, startGateway, startLoad, startProcess, tempDir } from '../harness/index.js';
import type { Exit, RunningGateway, RunningLoad, RunningProcess, TempDir } from '../harness/index.js';
import { infer, openChannel } from '../harness/outcomes.js';
import { until } from '../harness/until.js';

const { ModelStatistics } = inferenceService.methods;

/** Four times slower than on the fake clock of the gateway's own tests: a timer's millisecond is small against the shortest run. */
const curves = {
  // t(32) = 105.6 ms => 303 rows/s, t(1) = 80.8 ms.
  gpu: { overheadMs: 80, perRowMs: 0.8 },
  // t(1) = 20 ms, t(32) = 516 ms => at best 62 rows/s, 60 in batches of eight.
  cpu: { overheadMs: 4, perRowMs: 16 },
} as const;
type PodClass = keyof typeof curves;

/** gpu's share of the rows when both work all the time, gpu in batches of 32 and cpu in batches of about eight: 0.835. */
const idealShare = 303 / (303 + 60);

/** A batch of 32 counts whole or not at all, at both ends of some 2000 rows: 2 x 32 / 2000. Even shares would be 0.33 off. */
const shareTolerance = 0.032;
/** A machine that stalls distorts what is seen in one look, and what is learnt until the next; a wrong split stays wrong in each. */
const mostLooks = 6;
const mostStarvedLooks = 30;

interface Counts {
  readonly rows: number;
  readonly runs: number;
}

/** A server of a class for one model, and what it says itself of its runs. */
class StandIn {
  readonly name: string;
  readonly podClass: PodClass;
  readonly model: string;
  readonly address: string;
  readonly #process: RunningProcess;
  readonly #client: GrpcJsClient;

  private constructor(podClass: PodClass, model: string, address: string, child: RunningProcess) {
    this.name = `${podClass}-${model}`;
    this.podClass = podClass;
    this.model = model;
    this.address = address;
    this.#process = child;
    this.#client = new GrpcJsClient(address);
  }

  static async start(podClass: PodClass, model: string): Promise<StandIn> {
    const main = join(paths.root, 'test/dist/test/integration/stand-in-main.js');
    if (!existsSync(main)) throw new Error(`${main} is not built: run npm run build`);
    const { overheadMs, perRowMs } = curves[podClass];
    const args = [main, String(overheadMs), String(perRowMs), model];
    const child = await startProcess(process.execPath, args, { name: `${podClass}-${model}` });
    const port = await child.announced('its port', (line) => (line as { readonly grpcPort?: number }).grpcPort);
    return new StandIn(podClass, model, `127.0.0.1:${port}`, child);
  }

  async counts(): Promise<Counts> {
    const { message } = await this.#client.call(ModelStatistics, { name: this.model }, { timeoutMs: 60_000 });
    const [stats] = message.model_stats;
    return { rows: Number(stats?.inference_count), runs: Number(stats?.execution_count) };
  }

  stop(): Promise<Exit> {
    this.#client.close();
    return this.#process.stop();
  }
}

/**
 * "both" is served by one server of each class. Beside it, at the same time and on the same gateway, each curve alone
 * serves a model of its own: what a stalled machine costs, it costs all four alike, so that their rows may be compared.
 */
describe('two pod classes in one table, each a process', { timeout: 600_000 }, () => {
  let folder: TempDir;
  let gateway: RunningGateway;
  let channel: Channel;
  let gpu: StandIn;
  let cpu: StandIn;
  let gpuAlone: StandIn;
  let cpuAlone: StandIn;
  beforeAll(async () => {
    folder = await tempDir('classes');
    [gpu, cpu, gpuAlone, cpuAlone] = await Promise.all([
      StandIn.start('gpu', 'both'),
      StandIn.start('cpu', 'both'),
      StandIn.start('gpu', 'gpu-alone'),
      StandIn.start('cpu', 'cpu-alone'),
    ]);
    const backends = [gpu, cpu, gpuAlone, cpuAlone].map(({ name, address, podClass }) => ({ name, address, podClass }));
    // Nobody is set aside: a run that takes three times as long here is the machine's fault.
    const table = { backends, routing: { slowStartMs: 0, outlier: { minExcessMs: 60_000 } } };
    gateway = await startGateway({ folder: folder.path, table });
    channel = openChannel(gateway.address);
  });
  afterAll(async () => {
    channel.close();
    expect(await gateway.process.stop()).toEqual({ code: 0, signal: null });
    const exits = await Promise.all([gpu, cpu, gpuAlone, cpuAlone].map((each) => each.stop()));
    expect(exits).toEqual(exits.map(() => ({ code: 0, signal: null })));
    await folder.remove();
  });

  const load = (model: string, concurrency: number): RunningLoad =>
    startLoad({
      channel,
      path: inferPath,
      message: (call) => buildRequest({ model, values: [BigInt(call)] }),
      concurrency,
      calls: 1_000_000,
      forMs: 500_000,
      timeoutMs: 60_000,
    });
  const counted = (servers: readonly StandIn[]): Promise<readonly Counts[]> => Promise.all(servers.map((server) => server.counts()));
  /** What was run from now until so many rows of "both" were. */
  const during = async (servers: readonly StandIn[], rowsOfBoth: number): Promise<readonly Counts[]> => {
    const before = await counted(servers);
    let since: readonly Counts[] = [];
    await until(`${rowsOfBoth} rows`, async () => {
      const now = await counted(servers);
      since = now.map(({ rows, runs }, at) => ({ rows: rows - (before[at]?.rows ?? 0), runs: runs - (before[at]?.runs ?? 0) }));
      return sum(since.slice(0, 2)) >= rowsOfBoth;
    });
    return since;
  };

  test('saturating work is split as is ideal and done within 10 % of it, batch sizes following the class', async () => {
    const servers = [gpu, cpu, gpuAlone, cpuAlone];
    // Costs are learnt first, in small batches and in large ones.
    const few = load('both', 4);
    await during(servers, 60);
    few.stop();
    await few.done;
    const loads = [load('both', 128), load('gpu-alone', 96), load('cpu-alone', 96)];
    await during(servers, 600);
    const looks: string[] = [];
    let starved = 0;
    while (looks.length < mostLooks && starved < mostStarvedLooks && looks.at(-1) !== 'ideal') {
      const counts = await during(servers, 2000);
      if (playsItsCurves(counts)) looks.push(differenceFromIdeal(counts));
      else starved += 1;
    }
    for (const each of loads) each.stop();
    for (const each of loads) expect((await each.done).failures).toEqual(new Map());
    expect(looks.length, 'looks in which the machine let servers keep the run times they play, each by itself').toBeGreaterThan(0);
    expect(looks.at(-1), looks.join('\n')).toBe('ideal');
  });

  test('one request at a time goes where it is done first, which depends on its rows', async () => {
    const calls = 30;
    const onGpu = async (rows: number): Promise<number> => {
      const before = await gpu.counts();
      for (let call = 0; call < calls; call++) {
        const values = Array.from({ length: rows }, (_, row) => BigInt(row));
        expect(await infer(channel, buildRequest({ model: 'both', values }))).toMatchObject({ ok: true });
      }
      return (await gpu.counts()).runs - before.runs;
    };
    const settles = async (rows: number, where: (runsOnGpu: number) => boolean): Promise<void> => {
      const looks: number[] = [];
      while (looks.length < mostLooks && !where(looks.at(-1) ?? Number.NaN)) looks.push(await onGpu(rows));
      expect(where(looks.at(-1) ?? Number.NaN), `of ${calls} requests of ${rows} rows gpu had ${looks.join()}`).toBe(true);
    };
    // 20 ms on cpu, 80.8 ms on gpu.
    await settles(1, (runs) => runs <= 1);
    // 260 ms on cpu, 92.8 ms on gpu.
    await settles(16, (runs) => runs >= calls - 1);
  });
});

/** Alone, gpu does 303 rows while cpu does 62. Where that is far from so, it is the processors that limit all four, not the run times. */
function playsItsCurves(counts: readonly Counts[]): boolean {
  const ratio = sum(counts.slice(2, 3)) / sum(counts.slice(3));
  return ratio > (0.8 * 303) / 62 && ratio < (1.25 * 303) / 62;
}

/** "ideal", or how it is not: throughput against that of both curves alone, share of the rows, rows of a batch. */
function differenceFromIdeal(counts: readonly Counts[]): string {
  const [onGpu, onCpu] = counts;
  if (onGpu === undefined || onCpu === undefined) throw new Error('expected the counts of four servers');
  const together = sum(counts.slice(0, 2));
  const isIdeal =
    together > 0.9 * sum(counts.slice(2)) &&
    Math.abs(onGpu.rows / together - idealShare) < shareTolerance &&
    onGpu.rows / onGpu.runs > 28 &&
    onCpu.rows / onCpu.runs < 12;
  return isIdeal ? 'ideal' : JSON.stringify(counts);
}

function sum(counts: readonly Counts[]): number {
  return counts.reduce((total, { rows }) => total + rows, 0);
}
