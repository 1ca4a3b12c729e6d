import type { Sample } from './exposition.js';
import { parseExposition } from './exposition.js';
import type { Buckets } from './quantile.js';
import type { Counters, Snapshot } from './snapshot.js';

/** Which metrics make the lines of one kind of server; all of them histograms in seconds unless said otherwise. */
interface ModelFamily {
  readonly versionLabel: string | undefined;
  /** Counter with the label `reason`: OK for what was answered well. */
  readonly requests: string;
  readonly latency: string;
  readonly wait: string;
  /** Histogram of rows per run. */
  readonly batchRows: string;
  /** Gauge. */
  readonly queuedRows: string;
}

/** A server has one of them. */
export const modelFamilies: readonly ModelFamily[] = ['gateway', 'inference'].map((part) => ({
  versionLabel: part === 'inference' ? 'version' : undefined,
  requests: `headrace_${part}_requests_total`,
  latency: `headrace_${part}_request_seconds`,
  wait: `headrace_${part}_queue_seconds`,
  batchRows: `headrace_${part}_batch_rows`,
  queuedRows: `headrace_${part}_queued_rows`,
}));

/** What the gateway tells of its backends, by the label `backend`. */
export const replicaFamily = {
  run: 'headrace_gateway_run_seconds',
  ready: 'headrace_gateway_backend_ready',
  ejected: 'headrace_gateway_backend_ejected',
  breakerOpen: 'headrace_gateway_breaker_open',
} as const;

/** Undefined when the text has none of the metrics: then somebody else's server answers there. */
export function snapshotOfMetrics(text: string, atMs: number): Snapshot | undefined {
  const samples = parseExposition(text, (name) => name.startsWith('headrace_'));
  if (samples.length === 0) return undefined;
  const queued = samples.filter(({ name }) => modelFamilies.some((family) => family.queuedRows === name));
  return {
    atMs,
    models: modelFamilies.flatMap((family) => modelLines(family, samples)).sort(byName),
    replicas: [...groupBy(samples, ['backend'])].map(([[name = ''], group]) => replicaLine(name, group)).sort(byName),
    queuedRows: queued.length === 0 ? undefined : queued.reduce((sum, { value }) => sum + value, 0),
  };
}

function modelLines(family: ModelFamily, samples: readonly Sample[]): Counters[] {
  const names = new Set([
    family.requests,
    ...[family.latency, family.wait, family.batchRows].flatMap((name) => [`${name}_bucket`, `${name}_sum`, `${name}_count`]),
  ]);
  const own = samples.filter(({ name, labels }) => names.has(name) && (labels['model'] ?? '') !== '');
  return [...groupBy(own, family.versionLabel === undefined ? ['model'] : ['model', family.versionLabel])].map(
    ([[name = '', version = ''], group]) => ({
      name,
      version,
      answered: sumOf(group, family.requests, ({ reason }) => reason === 'OK'),
      failed: sumOf(group, family.requests, ({ reason }) => reason !== 'OK'),
      ...latencyOf(group, family.latency),
      runs: sumOf(group, `${family.batchRows}_count`),
      rows: sumOf(group, `${family.batchRows}_sum`),
      waitSumMs: sumOf(group, `${family.wait}_sum`) * 1000,
      waitCount: sumOf(group, `${family.wait}_count`),
      state: undefined,
    }),
  );
}

function replicaLine(name: string, group: readonly Sample[]): Counters {
  const latency = latencyOf(group, replicaFamily.run);
  return {
    name,
    version: '',
    answered: latency.latencyCount,
    failed: 0,
    ...latency,
    runs: 0,
    rows: 0,
    waitSumMs: 0,
    waitCount: 0,
    state: stateOf(group),
  };
}

function stateOf(group: readonly Sample[]): string {
  if (sumOf(group, replicaFamily.breakerOpen) > 0) return 'breaker open';
  if (sumOf(group, replicaFamily.ejected) > 0) return 'ejected';
  return sumOf(group, replicaFamily.ready) > 0 ? 'ready' : 'not ready';
}

function latencyOf(group: readonly Sample[], metric: string): Pick<Counters, 'latencySumMs' | 'latencyCount' | 'latency'> {
  return {
    latencySumMs: sumOf(group, `${metric}_sum`) * 1000,
    latencyCount: sumOf(group, `${metric}_count`),
    latency: bucketsOf(group, `${metric}_bucket`),
  };
}

/** Seconds to milliseconds; series that differ in other labels are added up bound by bound. */
function bucketsOf(group: readonly Sample[], metric: string): Buckets {
  const counts = new Map<number, number>();
  for (const { name, labels, value } of group) {
    if (name !== metric) continue;
    const le = labels['le'] === '+Inf' ? Infinity : Number(labels['le']) * 1000;
    counts.set(le, (counts.get(le) ?? 0) + value);
  }
  return [...counts].map(([le, count]) => ({ le, count })).sort((left, right) => left.le - right.le);
}

function sumOf(group: readonly Sample[], metric: string, accept: (labels: Sample['labels']) => boolean = () => true): number {
  return group.reduce((sum, { name, labels, value }) => (name === metric && accept(labels) ? sum + value : sum), 0);
}

/** Samples that have all the labels, by their values. */
function groupBy(samples: readonly Sample[], labelNames: readonly string[]): Map<readonly string[], Sample[]> {
  const keys = new Map<string, readonly string[]>();
  const groups = new Map<readonly string[], Sample[]>();
  for (const sample of samples) {
    const values = labelNames.flatMap((label) => sample.labels[label] ?? []);
    if (values.length < labelNames.length) continue;
    const text = JSON.stringify(values);
    const key = keys.get(text) ?? values;
    keys.set(text, key);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return groups;
}

function byName(left: Counters, right: Counters): number {
  return left.name.localeCompare(right.name) || Number(left.version) - Number(right.version);
}
