import type { Command } from 'commander';
import type { TargetFlags } from '../client/target.js';
import { checkedAddress, withTargetFlags } from '../client/target.js';
import { linesBetween } from '../top/rates.js';
import type { TopView } from '../top/render.js';
import { renderTop } from '../top/render.js';
import type { Snapshot } from '../top/snapshot.js';
import type { TopSource } from '../top/source.js';
import { chooseSource } from '../top/source.js';
import type { CommandContext } from './command.js';
import { newCommand, withClient, writeJson } from './command.js';
import { watch, withWatchFlags } from './watch.js';
import type { WatchFlags } from './watch.js';

interface TopFlags extends TargetFlags, WatchFlags {
  readonly metricsAddress?: string;
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
  command.option(
    '--metrics-address <host:port>',
    "the server's metrics port (or HEADRACE_METRICS_ADDRESS)",
    checkedMetricsAddress,
    fromEnv,
  );
  withWatchFlags(command);
  return withTargetFlags(command, context.io).action((flags: TopFlags) =>
    withClient(flags, context.io, async (client) => {
      const source = await chooseSource(client, flags.metricsAddress, (url) => fetchText(url, flags.timeout), context.io.clock);
      await watch(
        flags,
        context.io,
        () => source.snapshot(),
        (before, after, print) => {
          const view = viewOf(before, after, source, flags);
          if (flags.json === true) writeJson(context.io, view);
          else print(renderTop(view, context.io.colors));
        },
      );
    }),
  );
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

function checkedMetricsAddress(text: string): string {
  return text.includes('://') ? text : checkedAddress(text);
}

async function fetchText(url: string, timeoutSeconds: number): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(Math.min(timeoutSeconds, 5) * 1000) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.text();
}
