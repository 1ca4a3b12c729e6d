import type { TensorToWrite } from '@headrace/proto';
import { writeInferRequest } from '@headrace/proto';
import type { Command } from 'commander';
import { LoadRun } from '../bench/load.js';
import type { LoadPlan } from '../bench/load.js';
import type { BenchReport } from '../bench/report.js';
import { benchJson, describeBench, renderBench } from '../bench/report.js';
import type { RequestSource } from '../bench/sender.js';
import { streamSender, unarySender } from '../bench/sender.js';
import type { InferenceClient } from '../client/client.js';
import type { TargetFlags } from '../client/target.js';
import { nonNegativeInteger, positiveInteger, positiveNumber, withTargetFlags } from '../client/target.js';
import { exitCode } from '../exit-code.js';
import { usageFailure } from '../failure.js';
import { seededRandom } from '../input/random.js';
import type { RequestBody } from '../input/request.js';
import type { ModelSpec } from '../input/tensor-spec.js';
import type { Io } from '../io.js';
import { formatCount, formatMs, formatRate } from '../render/numbers.js';
import { startProgress } from '../render/progress.js';
import type { CommandContext } from './command.js';
import { newCommand, withClient, writeJson } from './command.js';
import type { InputFlags } from './model-inputs.js';
import { drawInputs, readRequest, withInputFlags } from './model-inputs.js';

interface BenchFlags extends TargetFlags, InputFlags {
  readonly concurrency?: number;
  readonly rate?: number;
  readonly duration?: number;
  readonly requests?: number;
  readonly warmup: number;
  readonly streams?: number;
  readonly maxInFlight: number;
  readonly priority?: number;
  readonly json?: boolean;
}

export function benchCommand(context: CommandContext): Command {
  const command = newCommand(
    'bench',
    'measure throughput and latency',
    [
      { line: 'npx headrace bench ranker', note: 'closed loop, 8 at once, 10 s, random inputs' },
      { line: 'npx headrace bench ranker --concurrency 32 --rows 4 --shape history=4,20 --int-range 1:1682' },
      { line: 'npx headrace bench ranker --rate 200 --duration 60', note: 'open loop: Poisson arrivals' },
      { line: 'npx headrace bench ranker --input services/demo/example.json --requests 1000 --json' },
    ],
    `Closed loop (--concurrency): each client waits for its answer, so a slow server is asked less often.
  Open loop (--rate): requests arrive whatever the answers do; latency counts from when each should have been sent.
  The client is one Node.js process; where it needs the CPU itself, h2load can drive more.`,
  ).argument('<model>', 'name of the model');
  command
    .optionsGroup('Load:')
    .option('--concurrency <n>', 'closed loop: requests in flight (default: 8)', positiveInteger)
    .option('--rate <per-second>', 'open loop: mean arrivals per second', positiveNumber)
    .option('--duration <seconds>', 'length of the measurement (default: 10)', positiveNumber)
    .option('--requests <n>', 'measure this many requests instead', positiveInteger)
    .option('--warmup <seconds>', 'load before the measurement that is not counted', Number, 1)
    .option('--streams <n>', 'send over this many bidirectional streams (ModelStreamInfer) instead of unary calls', positiveInteger)
    .option('--max-in-flight <n>', 'open loop: arrivals above this fail as CLIENT_LIMIT', positiveInteger, 10_000)
    .option('--priority <n>', '1 is highest, 0 the default', nonNegativeInteger)
    .option('--json', 'print one JSON object');
  return withTargetFlags(withInputFlags(command), context.io).action((model: string, flags: BenchFlags) =>
    withClient(flags, context.io, (client) => bench(client, model, flags, context)),
  );
}

async function bench(client: InferenceClient, model: string, flags: BenchFlags, context: CommandContext): Promise<void> {
  const { io } = context;
  const plan = planOf(flags);
  const spec = await client.model(model);
  const source = await requestSource(model, spec, flags, io);
  // One request that must work: a wrong input is told as such, not as ten thousand failures.
  await client.infer(source.next(''), `infer ${model}`);
  const streams = flags.streams === undefined ? undefined : streamSender(client, flags.streams, source.next);
  const run = new LoadRun(plan, streams?.send ?? unarySender(client, source.next), io.clock, seededRandom(flags.seed));
  const about = {
    model,
    address: flags.address,
    plan,
    inputs: source.description,
    transport: flags.streams === undefined ? 'unary calls' : `${flags.streams} streams`,
  };
  if (flags.json !== true) io.stdout.write(`${io.colors.dim(describeBench(about))}\n`);
  const result = await watched(run, plan, flags.json !== true, io);
  streams?.close();
  const report: BenchReport = { ...about, rows: source.rows, result };
  if (flags.json === true) writeJson(io, benchJson(report));
  else io.stdout.write(`\n${renderBench(report, io.colors)}`);
  if (result.failed > 0) context.setExitCode(exitCode.failed);
}

/** Shows progress twice a second; Ctrl-C ends the measurement and what was measured is reported. */
async function watched(run: LoadRun, plan: LoadPlan, show: boolean, io: Io) {
  const progress = show && io.stderr.isTty ? startProgress(io, 'warming up') : undefined;
  let timer: { cancel(): void } | undefined;
  const tick = (): void => {
    const { warmingUp, done, failed, elapsedMs } = run.progress;
    const left =
      plan.maxRequests === Infinity ? `${formatMs(Math.max(0, plan.durationMs - elapsedMs))} left` : `of ${formatCount(plan.maxRequests)}`;
    progress?.update(
      warmingUp
        ? 'warming up'
        : `${formatCount(done)} answered, ${formatRate((done / elapsedMs) * 1000)}/s${failed > 0 ? `, ${formatCount(failed)} failed` : ''}, ${left}`,
    );
    timer = io.clock.setTimer(tick, 500);
  };
  if (progress !== undefined) tick();
  const release = io.onInterrupt(() => run.stop());
  try {
    return await run.run();
  } finally {
    release();
    timer?.cancel();
    progress?.stop();
  }
}

function planOf(flags: BenchFlags): LoadPlan {
  if (flags.rate !== undefined && flags.concurrency !== undefined)
    throw usageFailure('--rate (open loop) and --concurrency (closed loop) exclude each other');
  if (!(flags.warmup >= 0)) throw usageFailure('--warmup: expected seconds, 0 or more');
  return {
    loop:
      flags.rate === undefined
        ? { kind: 'closed', concurrency: flags.concurrency ?? 8 }
        : { kind: 'open', ratePerSecond: flags.rate, maxInFlight: flags.maxInFlight },
    warmUpMs: flags.warmup * 1000,
    durationMs: flags.duration === undefined ? (flags.requests === undefined ? 10_000 : Infinity) : flags.duration * 1000,
    maxRequests: flags.requests ?? Infinity,
  };
}

/** Distinct requests that take turns, so that neither a cache nor a lucky input decides the figure; bounded in number and bytes. */
const maxDistinct = 64;
const maxDistinctBytes = 64 * 1024 * 1024;

interface Source {
  readonly next: RequestSource;
  readonly rows: number;
  readonly description: string;
}

async function requestSource(model: string, spec: ModelSpec, flags: BenchFlags, io: Io): Promise<Source> {
  const parameters = new Map(flags.priority === undefined ? [] : [['priority', BigInt(flags.priority)] as const]);
  const encode = (body: RequestBody, id: string): Buffer =>
    writeInferRequest({ ...body, id, parameters: new Map([...body.parameters, ...parameters]), modelName: model, modelVersion: '' });
  const bodies = flags.input === undefined ? randomBodies(spec, flags) : [await readRequest(flags, spec, io)];
  // Without an id the bytes can be made once; streams need an id in each.
  const ready = bodies.map((body) => encode(body, ''));
  let turn = 0;
  return {
    rows: bodies[0]?.inputs[0]?.shape[0] ?? 1,
    description:
      flags.input === undefined ? `${bodies.length} random inputs, integers ${flags.intRange.join('..')}` : `input ${flags.input}`,
    next: (id) => {
      const at = turn++ % bodies.length;
      const body = bodies[at];
      const bytes = ready[at];
      if (body === undefined || bytes === undefined) throw new Error('no requests to send');
      return id === '' ? bytes : encode(body, id);
    },
  };
}

function randomBodies(spec: ModelSpec, flags: BenchFlags): RequestBody[] {
  const random = seededRandom(flags.seed);
  const bodies: RequestBody[] = [];
  let bytes = 0;
  while (bodies.length < maxDistinct && bytes < maxDistinctBytes) {
    const inputs = drawInputs(flags, spec, random);
    bytes += inputs.reduce((sum: number, tensor: TensorToWrite) => sum + tensor.data.reduce((size, part) => size + part.length, 0), 0);
    bodies.push({ id: '', parameters: new Map(), outputs: [], inputs });
    if (spec.inputs.length === 0) break;
  }
  return bodies;
}
