import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import type { TargetFlags } from '../client/target.js';
import { checkedAddress, positiveNumber, withTargetFlags } from '../client/target.js';
import { exitCode } from '../exit-code.js';
import { CliFailure } from '../failure.js';
import type { Io } from '../io.js';
import { linesBetween } from '../top/rates.js';
import type { TopView } from '../top/render.js';
import { renderTop } from '../top/render.js';
import type { Snapshot } from '../top/snapshot.js';
import type { TopSource } from '../top/source.js';
import { chooseSource } from '../top/source.js';
import type { CommandContext } from './command.js';
import { newCommand, withClient, writeJson } from './command.js';

type Screen = (text: string) => void;

interface TopFlags extends TargetFlags {
  readonly metricsAddress?: string;
  readonly interval: number;
  readonly once?: boolean;
  readonly json?: boolean;
}

export function topCommand(context: CommandContext): Command {
  const command = newCommand(
    'top',
    'watch requests, latency, queues and batches, model by model and replica by replica',
    [
      { line: 'npx headrace top' },
      { line: 'npx headrace top --once --json', note: 'one sample, for a script' },
      { line: 'npx headrace top --address inference.example.com:443 --tls --metrics-address 10.0.0.7:8002' },
    ],
    `Quantiles come from the histograms at --metrics-address (on this machine: the port after the gRPC port, unless given).
  Without them the table shows means, from ModelStatistics, and its header says so.`,
  );
  const fromEnv = context.io.env['HEADRACE_METRICS_ADDRESS'];
  command
    .option('--metrics-address <host:port>', "the server's metrics port (or HEADRACE_METRICS_ADDRESS)", checkedMetricsAddress, fromEnv)
    .option('--interval <seconds>', 'time between two samples', positiveNumber, 1)
    .option('--once', 'print one sample and end (as without a terminal)')
    .option('--json', 'print each sample as a JSON object');
  return withTargetFlags(command, context.io).action((flags: TopFlags) =>
    withClient(flags, context.io, async (client) => {
      const source = await chooseSource(client, flags.metricsAddress, (url) => fetchText(url, flags.timeout), context.io.clock);
      await watch(source, flags, context.io);
    }),
  );
}

async function watch(source: TopSource, flags: TopFlags, io: Io): Promise<void> {
  const live = flags.once !== true && (io.stdout.isTty || flags.json === true);
  const screen = live && flags.json !== true ? createLogUpdate(process.stdout) : undefined;
  let stopped = false;
  let wake: () => void = () => undefined;
  const release = io.onInterrupt(() => {
    stopped = true;
    wake();
  });
  try {
    let before: Snapshot | undefined = await source.snapshot();
    screen?.(io.colors.dim('first sample ...'));
    do {
      await new Promise<void>((resolve) => {
        wake = resolve;
        io.clock.setTimer(resolve, flags.interval * 1000);
      });
      if (stopped) break;
      const after = await sample(source, screen, io);
      if (before !== undefined && after !== undefined) show(viewOf(before, after, source, flags), flags, screen, io);
      before = after;
    } while (live && !stopped);
    screen?.done();
  } finally {
    release();
  }
}

/** On a screen, a server that is away is told and waited for; a script gets the failure. */
async function sample(source: TopSource, screen: Screen | undefined, io: Io): Promise<Snapshot | undefined> {
  try {
    return await source.snapshot();
  } catch (error) {
    if (screen === undefined || !(error instanceof CliFailure) || error.exitCode !== exitCode.unavailable) throw error;
    screen(`${io.colors.yellow(error.message)}\n${io.colors.dim('trying again; Ctrl-C ends')}`);
    return undefined;
  }
}

function viewOf(before: Snapshot, after: Snapshot, source: TopSource, flags: TopFlags): TopView {
  const intervalMs = after.atMs - before.atMs;
  return {
    address: flags.address,
    source: source.about,
    intervalMs,
    models: linesBetween(before.models, after.models, intervalMs),
    replicas: linesBetween(before.replicas, after.replicas, intervalMs),
    queuedRows: after.queuedRows,
  };
}

function show(view: TopView, flags: TopFlags, screen: Screen | undefined, io: Io): void {
  if (flags.json === true) writeJson(io, view);
  else if (screen === undefined) io.stdout.write(renderTop(view, io.colors));
  else screen(renderTop(view, io.colors));
}

function checkedMetricsAddress(text: string): string {
  return text.includes('://') ? text : checkedAddress(text);
}

async function fetchText(url: string, timeoutSeconds: number): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(Math.min(timeoutSeconds, 5) * 1000) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.text();
}
