import type { SimulatedBackend, SimulatedModel, SimulationReport } from '@headrace/gateway/simulation';
import { Simulation, parseModels, runSimulation } from '@headrace/gateway/simulation';
import { usageFailure } from '../failure.js';
import type { Io } from '../io.js';
import { formatCount, formatMs, formatRate } from '../render/numbers.js';
import { startProgress } from '../render/progress.js';
import type { Progress } from '../render/progress.js';
import { checked, readPolicy } from './policy.js';
import type { Policy } from './policy.js';
import { backendsUnder, openTrace, readTraces, traceFailure } from './traces.js';
import type { Trace } from './traces.js';

/** What was asked for. Times in ms. */
export interface SimulateRequest {
  readonly policies: readonly [string, ...string[]];
  /** The RoutingTable that a TrafficPolicy is tried with; undefined: one that says nothing. */
  readonly table: string | undefined;
  readonly traces: readonly string[];
  readonly backends: readonly string[];
  readonly models: readonly string[];
  /** Undefined: to the end of the files, or a minute of what is made. */
  readonly durationMs: number | undefined;
  readonly sloMs: number;
  readonly maxAttempts: number;
  readonly seed: number;
}

export interface SimulatedPolicy {
  /** As the person named it. */
  readonly file: string;
  readonly backends: readonly SimulatedBackend[];
  readonly models: readonly SimulatedModel[];
  readonly report: SimulationReport;
}

export interface SimulateResult {
  readonly request: SimulateRequest;
  readonly runs: readonly SimulatedPolicy[];
  /** Columns of the files that mean nothing here. */
  readonly ignoredColumns: readonly string[];
}

const madeDurationMs = 60_000;

/** Simulates each policy under the same traces, one after the other. Ctrl-C ends the one under way; the rest is left out. */
export async function simulate(request: SimulateRequest, io: Io): Promise<SimulateResult> {
  const traces = await readTraces(request.traces, io);
  const policies: Policy[] = [];
  for (const file of request.policies) policies.push(await readPolicy(file, request.table, request.backends, io));
  const models = checked(parseModels(request.models));
  const progress = io.stderr.isTty ? startProgress(io, 'simulating') : undefined;
  let interrupted = false;
  const release = io.onInterrupt(() => (interrupted = true));
  const runs: SimulatedPolicy[] = [];
  const ignored = new Set<string>();
  try {
    for (const policy of policies) {
      const one = await simulateOne(policy, traces, models, request, { io, progress, stopped: () => interrupted });
      runs.push(one.run);
      for (const column of one.ignored) ignored.add(column);
      if (interrupted) break;
    }
  } catch (error) {
    throw traceFailure(error, traces);
  } finally {
    release();
    progress?.stop();
  }
  return { request, runs, ignoredColumns: [...ignored] };
}

interface Watch {
  readonly io: Io;
  readonly progress: Progress | undefined;
  readonly stopped: () => boolean;
}

async function simulateOne(
  policy: Policy,
  traces: readonly Trace[],
  given: readonly SimulatedModel[],
  request: SimulateRequest,
  watch: Watch,
): Promise<{ run: SimulatedPolicy; ignored: readonly string[] }> {
  const backends = backendsUnder(traces, policy.backends);
  const models = modelsOf(policy, given);
  const { seed, sloMs, maxAttempts } = request;
  const simulation = new Simulation({ table: policy.table, backends, models, seed, sloMs, maxAttempts });
  const open = traces.map((trace, index) => openTrace(trace, seed, index));
  const endless = traces.some(({ kind }) => kind === 'made');
  try {
    await runSimulation(
      simulation,
      open.map(({ source }) => source),
      {
        durationMs: request.durationMs ?? (endless ? madeDurationMs : Infinity),
        pause: shownProgress(simulation, policy.file, watch),
        stopped: watch.stopped,
      },
    );
    const run = { file: policy.file, backends, models, report: simulation.report() };
    return { run, ignored: open.flatMap(({ ignored }) => ignored()) };
  } finally {
    for (const each of open) each.close();
    simulation.close();
  }
}

/** Lets the event loop turn, so that Ctrl-C is heard, and says four times a second how far it is. */
function shownProgress(simulation: Simulation, file: string, { io, progress }: Watch): () => Promise<void> {
  const startedMs = io.clock.nowMs();
  let shownMs = startedMs;
  return () => {
    const nowMs = io.clock.nowMs();
    if (progress !== undefined && nowMs - shownMs > 250) {
      shownMs = nowMs;
      const { offered } = simulation;
      const speed = formatRate((offered * 1000) / (nowMs - startedMs));
      progress.update(
        `${file}: ${formatMs(simulation.nowMs)} simulated, ${formatCount(offered)} requests (${speed}/s); Ctrl-C reports what there is`,
      );
    }
    return new Promise((resolve) => setImmediate(resolve));
  };
}

/** Those of --model; else those that the table names; else one that any table serves. */
function modelsOf({ file, table }: Policy, given: readonly SimulatedModel[]): readonly [SimulatedModel, ...SimulatedModel[]] {
  const ordinary = (name: string): SimulatedModel => ({ name, maxBatchRows: 32, costFactor: 1 });
  const [first, ...rest] = given.length > 0 ? given : [...table.models.keys()].map(ordinary);
  if (given.length > 100) throw usageFailure(`${file}: --model: expected at most 100 models`);
  return first === undefined ? [ordinary('model')] : [first, ...rest];
}
