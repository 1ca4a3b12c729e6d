import type { Clock } from '@headrace/runtime';
import type { InferenceClient } from '../client/client.js';
import { exitCode } from '../exit-code.js';
import { CliFailure, messageOf } from '../failure.js';
import { snapshotOfMetrics } from './from-metrics.js';
import { snapshotOfStatistics } from './from-statistics.js';
import type { TopView } from './render.js';
import type { Snapshot } from './snapshot.js';

export interface TopSource {
  readonly about: TopView['source'];
  snapshot(): Promise<Snapshot>;
}

/** Metrics text for a URL; throws when there is none. */
export type FetchText = (url: string) => Promise<string>;

/**
 * Histograms where they can be had, else the protocol's statistics. Without --metrics-address the port after the gRPC port
 * is tried on this machine alone, since that is where `headrace up` puts it (8001, 8002).
 */
export async function chooseSource(
  client: InferenceClient,
  metricsAddress: string | undefined,
  fetchText: FetchText,
  clock: Clock,
): Promise<TopSource> {
  const guess = metricsAddress ?? guessMetricsAddress(client.target.address);
  if (guess === undefined) return statisticsSource(client, clock, 'give --metrics-address for quantiles');
  const url = guess.includes('://') ? guess : `http://${guess}/metrics`;
  const metrics = metricsSource(url, fetchText, clock);
  try {
    await metrics.snapshot();
    return metrics;
  } catch (error) {
    if (metricsAddress !== undefined) throw error;
    return statisticsSource(client, clock, `no metrics at ${url}; give --metrics-address for quantiles`);
  }
}

export function guessMetricsAddress(address: string): string | undefined {
  const match = /^(127\.0\.0\.1|localhost|\[::1\]):(\d+)$/.exec(address);
  return match === null ? undefined : `${match[1]}:${Number(match[2]) + 1}`;
}

function metricsSource(url: string, fetchText: FetchText, clock: Clock): TopSource {
  return {
    about: { kind: 'metrics', url },
    snapshot: async () => {
      const text = await fetchText(url).catch((error: unknown) => {
        throw noMetrics(url, messageOf(error));
      });
      const snapshot = snapshotOfMetrics(text, clock.nowMs());
      if (snapshot === undefined) throw noMetrics(url, 'the answer has none of Headrace');
      return snapshot;
    },
  };
}

function noMetrics(url: string, why: string): CliFailure {
  const fix = 'check --metrics-address, or leave it out for means';
  return new CliFailure(`no metrics at ${url}: ${why}`, { exitCode: exitCode.unavailable, reason: 'UNREACHABLE', fix });
}

function statisticsSource(client: InferenceClient, clock: Clock, why: string): TopSource {
  return {
    about: { kind: 'statistics', why },
    snapshot: async () => snapshotOfStatistics(await client.statistics(), clock.nowMs()),
  };
}
