import type { Colors } from 'picocolors/types.js';
import { formatCount, formatMs, formatRate } from '../render/numbers.js';
import { renderTable } from '../render/table.js';
import type { LatencySummary } from './latency.js';
import { percentiles } from './latency.js';
import type { LoadPlan, LoadResult } from './load.js';

export interface BenchReport {
  readonly model: string;
  readonly address: string;
  readonly plan: LoadPlan;
  readonly rows: number;
  readonly inputs: string;
  readonly transport: string;
  readonly result: LoadResult;
}

/** What was asked for, in one line: a figure without it is worth nothing. */
export function describeBench(report: Pick<BenchReport, 'model' | 'address' | 'plan' | 'inputs' | 'transport'>): string {
  const { loop, warmUpMs, durationMs, maxRequests } = report.plan;
  const load =
    loop.kind === 'closed'
      ? `closed loop, ${loop.concurrency} at once`
      : `open loop, ${formatRate(loop.ratePerSecond)} arrivals/s (Poisson)`;
  const length = maxRequests === Infinity ? formatMs(durationMs) : `${formatCount(maxRequests)} requests`;
  return `${report.model} at ${report.address}: ${load}, ${length} after ${formatMs(warmUpMs)} of warm-up, ${report.transport}, ${report.inputs}`;
}

export function renderBench(report: BenchReport, colors: Colors): string {
  const { result, plan, rows } = report;
  const summary = result.latency.summary();
  const perSecond = (summary.count / result.elapsedMs) * 1000;
  const failed = result.failed === 0 ? '0 failed' : colors.red(`${formatCount(result.failed)} failed`);
  const lines = [
    `${colors.bold('requests')}    ${formatCount(summary.count)} answered, ${failed}, in ${formatMs(result.elapsedMs)}`,
    `${colors.bold('throughput')}  ${formatRate(perSecond)} requests/s${rows === 1 ? '' : `, ${formatRate(perSecond * rows)} rows/s`}`,
    '',
    latencyTable(summary, colors).trimEnd(),
  ];
  if (plan.loop.kind === 'open') lines.push('', ...openLoopNotes(result, colors));
  if (result.failed > 0) lines.push('', failureTable(result, colors).trimEnd());
  return `${lines.join('\n')}\n`;
}

function latencyTable(summary: LatencySummary, colors: Colors): string {
  const columns = [...percentiles.map((p) => `p${p}`), 'max', 'mean'];
  const values = [
    ...percentiles.map((p) => summary.byPercentile.get(p)),
    summary.count === 0 ? undefined : summary.maxMs,
    summary.count === 0 ? undefined : summary.meanMs,
  ];
  return renderTable(
    [{ title: 'LATENCY' }, ...columns.map((title) => ({ title, align: 'right' as const }))],
    [['', ...values.map((ms) => (ms === undefined ? '-' : formatMs(ms)))]],
    colors,
  );
}

function openLoopNotes(result: LoadResult, colors: Colors): string[] {
  const late = result.lateness.summary().byPercentile.get(99);
  const note = 'latency counts from when a request should have been sent';
  return [colors.dim(late === undefined ? note : `${note}; this client sent 99 % of them less than ${formatMs(late)} late`)];
}

function failureTable(result: LoadResult, colors: Colors): string {
  const rows = [...result.failures]
    .sort(([, left], [, right]) => right.count - left.count)
    .map(([reason, { count, message }]) => [reason, formatCount(count), firstLine(message)]);
  return renderTable([{ title: 'FAILURE' }, { title: 'COUNT', align: 'right' }, { title: 'FIRST MESSAGE' }], rows, colors);
}

function firstLine(message: string): string {
  const line = message.split('\n')[0] ?? '';
  return line.length > 100 ? `${line.slice(0, 97)}...` : line;
}

export function benchJson(report: BenchReport): unknown {
  const { result, plan } = report;
  const summary = result.latency.summary();
  const late = result.lateness.summary();
  return {
    model: report.model,
    address: report.address,
    loop: plan.loop,
    transport: report.transport,
    inputs: report.inputs,
    rowsPerRequest: report.rows,
    warmUpMs: plan.warmUpMs,
    elapsedMs: result.elapsedMs,
    answered: summary.count,
    failed: result.failed,
    requestsPerSecond: result.elapsedMs === 0 ? 0 : (summary.count / result.elapsedMs) * 1000,
    latencyMs: latencyJson(summary),
    ...(plan.loop.kind === 'open' ? { sendLatenessMs: latencyJson(late) } : {}),
    failures: Object.fromEntries([...result.failures].map(([reason, { count, message }]) => [reason, { count, message }])),
  };
}

function latencyJson(summary: LatencySummary): unknown {
  return {
    ...Object.fromEntries(percentiles.map((p) => [`p${p}`, summary.byPercentile.get(p) ?? null])),
    max: summary.maxMs,
    mean: summary.meanMs,
  };
}
