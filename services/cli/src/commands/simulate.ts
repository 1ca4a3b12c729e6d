import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { nonNegativeInteger } from '../client/target.js';
import pc from 'picocolors';
import { usageFailure } from '../failure.js';
import type { CommandContext } from './command.js';
import { newCommand, writeJson } from './command.js';

interface SimulateFlags {
  readonly trace?: readonly string[];
  readonly backend?: readonly string[];
  readonly model?: readonly string[];
  readonly duration?: number;
  readonly slo?: number;
  readonly retries: number;
  readonly seed: number;
  readonly compare?: string;
  readonly table?: string;
  readonly plot?: string;
  readonly format: 'table' | 'json';
}

/** For files: no escape sequences. */
const plain = pc.createColors(false);

export function simulateCommand(context: CommandContext): Command {
  const group = newCommand('simulate', 'try a policy before it is applied', [
    { line: 'npx headrace simulate traffic table.yaml --trace bursts:rate=500', note: 'who waits, who is refused, and why' },
  ]);
  return group.addCommand(trafficCommand(context));
}

function trafficCommand(context: CommandContext): Command {
  const command = newCommand(
    'traffic',
    'replay requests against the gateway, simulated: attainment, goodput, fairness, refusals',
    [
      { line: 'npx headrace simulate traffic table.yaml --trace poisson:rate=200' },
      { line: 'npx headrace simulate traffic table.yaml --trace requests.csv --plot out.html', note: 'what really came' },
      { line: 'npx headrace simulate traffic table.yaml --trace heavy-tenant:rate=900,tenants=10,deadline=100ms --compare new.yaml' },
      { line: 'npx headrace simulate traffic table.yaml --trace flash:rate=300 --backend a=1ms,k=0.2ms,instances=2,count=3' },
      {
        line: 'npx headrace simulate traffic table.yaml --trace poisson:rate=50,priority=1,deadline=20ms --trace bursts:rate=800,priority=3',
        note: 'together',
      },
    ],
    `The gateway's own code decides, on a clock that jumps from event to event: a minute takes about a second. The same input gives
  the same report. Not part of it: circuit breakers, the network in front of the gateway, its own CPU.

Traces:  KIND:KEY=VALUE,...  all kinds: rate (mean per second, 100), tenants (a number, or names such as gold*1+free*9), tier,
         priority, rows, deadline, model; each of the last four may be several with weights: rows=1*9+16
  poisson       clients that know nothing of each other
  bursts        factor (10), on (1s), off (9s): two states of exponential lengths, factor times the rate in bursts
  diurnal       period (60s), depth (0.8): a sinusoid from its trough
  flash         factor (10), at (20s), for (10s): a crowd at one moment
  heavy-tenant  tenants (10), factor (10): one asks for factor times what each other does
  slow-backend  factor (5), at (20s), for (20s), backend (1): a backend is slow for a while
  FILE          CSV with a header, or one JSON object a line, in the order of time: timeMs, or timestamp (seconds or date);
                if you have them tenant, tier, priority, rows, deadlineMs, model. With a column value: rates per second.
Backends: a run of b rows takes a + k b. Keys: a (2ms), k (0.2ms), instances (1), count (1), name, class, scatter (0: relative
  standard deviation), network (0ms), slow (FACTOR@FROM-UNTIL), lost (FROM-UNTIL); e.g. slow=5@20s-40s,lost=50s-.`,
  ).argument('<policy>', 'RoutingTable or TrafficPolicy (YAML)');
  return command
    .optionsGroup('Load:')
    .option('--trace <spec|file>', 'requests to replay; several go together', append)
    .option('--duration <seconds>', 'length (default: all of a file, 60 s of what is made)', positiveSeconds)
    .option('--slo <ms>', 'without a deadline, in time is within this', positiveMs)
    .option('--retries <n>', 'times that a client comes again after a refusal that says when', nonNegativeInteger, 0)
    .option('--seed <n>', 'of all that is random', nonNegativeInteger, 1)
    .optionsGroup('Backends:')
    .option('--backend <settings>', "what to simulate instead of the table's backends; several may be given", append)
    .option('--model <settings>', 'name=NAME,max-batch=32,cost=1: models of the backends; several may be given', append)
    .option('--table <file>', 'RoutingTable that a TrafficPolicy is tried with (default: one that says nothing)')
    .optionsGroup('Report:')
    .option('--compare <policy>', 'a second policy under the same requests')
    .option('--plot <file>', 'draw it over time: .svg or .html')
    .addOption(new Option('--format <format>', 'how to print the report').choices(['table', 'json']).default('table'))
    .action((policy: string, flags: SimulateFlags) => simulateTraffic(policy, flags, context));
}

async function simulateTraffic(policy: string, flags: SimulateFlags, { io }: CommandContext): Promise<void> {
  if (flags.trace === undefined)
    throw usageFailure('--trace: expected a file or a trace to make, got none', 'e.g. --trace poisson:rate=200, or --trace requests.csv');
  // Loaded here: the gateway is in it, which no other command needs at its start.
  const [{ simulate }, { renderSimulation }, { simulationJson }, { checkPlotFile, writePlot }] = await Promise.all([
    import('../simulate/run.js'),
    import('../simulate/render.js'),
    import('../simulate/json.js'),
    import('../simulate/plot.js'),
  ]);
  if (flags.plot !== undefined) checkPlotFile(flags.plot);
  const result = await simulate(
    {
      policies: [policy, ...(flags.compare === undefined ? [] : [flags.compare])],
      table: flags.table,
      traces: flags.trace,
      backends: flags.backend ?? [],
      models: flags.model ?? [],
      durationMs: flags.duration === undefined ? undefined : flags.duration * 1000,
      sloMs: flags.slo ?? Infinity,
      maxAttempts: 1 + flags.retries,
      seed: flags.seed,
    },
    io,
  );
  if (flags.format === 'json') writeJson(io, simulationJson(result));
  else io.stdout.write(renderSimulation(result, io.colors));
  if (flags.plot === undefined) return;
  await writePlot(flags.plot, result, renderSimulation(result, plain), io);
  if (flags.format !== 'json') io.stdout.write(`\n${io.colors.dim(`plot: ${flags.plot}`)}\n`);
}

function append(text: string, before: readonly string[] | undefined): readonly string[] {
  if ((before?.length ?? 0) >= 100) throw new InvalidArgumentError('Expected at most 100 of them.');
  return [...(before ?? []), text];
}

function positiveSeconds(text: string): number {
  return positive(text, 1e6, 'Expected seconds, above 0 and at most a million.');
}

function positiveMs(text: string): number {
  return positive(text, 1e9, 'Expected milliseconds above 0.');
}

function positive(text: string, max: number, problem: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0) || value > max) throw new InvalidArgumentError(problem);
  return value;
}
