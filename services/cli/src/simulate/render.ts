import type { GroupReport, SimulatedBackend, SimulationReport } from '@headrace/gateway/simulation';
import type { Colors } from 'picocolors/types.js';
import { formatCount, formatMs, formatRate, plural, trimDigits } from '../render/numbers.js';
import { renderTable } from '../render/table.js';
import type { Column } from '../render/table.js';
import type { SimulateResult, SimulatedPolicy } from './run.js';

/** The report for a terminal: one column of figures for each policy, then what stands behind them. */
export function renderSimulation(result: SimulateResult, colors: Colors): string {
  const { runs } = result;
  const parts = [about(result, colors), summary(runs, colors), sheds(runs, colors)];
  const groups: readonly (readonly [string, (report: SimulationReport) => readonly GroupReport[]])[] = [
    ['TIER', ({ byTier }) => byTier],
    ['PRIORITY', ({ byPriority }) => byPriority],
    ['MODEL', ({ byModel }) => byModel],
    ['TENANT', ({ byTenant }) => byTenant],
  ];
  for (const [title, of] of groups) parts.push(groupTable(title, runs, of, colors));
  parts.push(backendTable(runs, colors), batchTable(runs, colors), ...notes(result, colors));
  return parts.filter((part) => part !== '').join('\n');
}

/** What was asked for: a figure without it is worth nothing. */
function about({ request, runs }: SimulateResult, colors: Colors): string {
  const [first] = runs;
  const fleet = first === undefined ? '' : describeFleet(first.backends);
  const lines = [`trace     ${request.traces.join('\n          ')}`, `backends  ${fleet}`, `seed      ${request.seed}`];
  if (request.sloMs < Infinity) lines.push(`slo       ${formatMs(request.sloMs)} for requests without a deadline`);
  if (request.maxAttempts > 1)
    lines.push(`clients   come again ${plural(request.maxAttempts - 1, 'time')} at most, when a refusal says so`);
  return `${colors.dim(lines.join('\n'))}\n`;
}

export function describeFleet(backends: readonly SimulatedBackend[]): string {
  const counts = new Map<string, number>();
  for (const { cost, instances } of backends) {
    const text = `${plural(instances, 'instance')} of ${shortMs(cost.overheadMs)} + ${shortMs(cost.perRowMs)} a row`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => `${count} with ${text}`).join(', ');
}

function shortMs(ms: number): string {
  return `${Number(ms.toPrecision(4))} ms`;
}

function summary(runs: readonly SimulatedPolicy[], colors: Colors): string {
  const row = (name: string, of: (report: SimulationReport) => string): string[] => [name, ...runs.map(({ report }) => of(report))];
  const rows = [
    row('requests', ({ total }) => formatCount(total.offered)),
    row('simulated time', ({ elapsedMs, complete }) => `${formatMs(elapsedMs)}${complete ? '' : ' (stopped)'}`),
    row('offered', ({ offeredPerSecond }) => `${formatRate(offeredPerSecond)}/s`),
    row('throughput', ({ throughputPerSecond }) => `${formatRate(throughputPerSecond)}/s`),
    row('goodput (in time)', ({ goodputPerSecond }) => `${formatRate(goodputPerSecond)}/s`),
    row('attainment', ({ total }) => formatPercent(total.attainmentPercent, total.offered)),
    row('refused', ({ total }) => `${formatCount(total.refused)} (${formatPercent(share(total.refused, total.offered), total.offered)})`),
    row('latency p50', ({ total }) => formatLatency(total.p50Ms)),
    row('latency p99', ({ total }) => formatLatency(total.p99Ms)),
    row('latency max', ({ maxMs, total }) => (total.answered === 0 ? '-' : formatMs(maxMs))),
    row('fairness (Jain)', ({ jain }) => (jain === undefined ? '-' : jain.toFixed(3))),
    row(
      'load of capacity',
      ({ offeredRowsPerSecond, capacityRowsPerSecond }) => `${trimDigits(share(offeredRowsPerSecond, capacityRowsPerSecond))} %`,
    ),
  ];
  if (runs.some(({ report }) => report.retries.sent > 0))
    rows.push(
      row(
        'came again',
        ({ retries }) => `${formatCount(retries.sent)}, ${formatPercent(share(retries.gotIn, retries.sent), retries.sent)} got in`,
      ),
    );
  const files = runs.map(({ file }) => ({ title: file, align: 'right' as const }));
  return renderTable([{ title: 'POLICY' }, ...files], rows, colors);
}

function sheds(runs: readonly SimulatedPolicy[], colors: Colors): string {
  const tables: readonly (readonly [string, (report: SimulationReport) => Readonly<Record<string, number>>])[] = [
    ['REFUSED BECAUSE', ({ refusedByReason }) => refusedByReason],
    ['SHADOW MODE LET IN DESPITE', ({ shadowedByReason }) => shadowedByReason],
  ];
  return tables
    .map(([title, of]) => {
      const reasons = [...new Set(runs.flatMap(({ report }) => Object.keys(of(report))))];
      const rows = reasons.map((reason) => [
        reason,
        ...runs.map(({ report }) => formatCount(new Map(Object.entries(of(report))).get(reason) ?? 0)),
      ]);
      return reasons.length === 0 ? '' : renderTable([{ title }, ...perRun(runs, 'REQUESTS')], rows, colors);
    })
    .filter((table) => table !== '')
    .join('\n');
}

/** Left out where all requests are of one group. */
function groupTable(
  title: string,
  runs: readonly SimulatedPolicy[],
  of: (report: SimulationReport) => readonly GroupReport[],
  colors: Colors,
): string {
  const byRun = runs.map(({ report }) => new Map(of(report).map((group) => [group.name, group])));
  const names = [...new Set(byRun.flatMap((groups) => [...groups.keys()]))];
  if (names.length < 2) return '';
  const figures = (group: GroupReport | undefined): string[] =>
    group === undefined
      ? ['-', '-', '-', '-']
      : [
          formatPercent(group.attainmentPercent, group.offered),
          formatLatency(group.p50Ms),
          formatLatency(group.p99Ms),
          formatCount(group.refused),
        ];
  const rows = names.map((name) => [
    title === 'PRIORITY' && name === '0' ? '(none)' : name,
    formatCount(Math.max(...byRun.map((groups) => groups.get(name)?.offered ?? 0))),
    ...byRun.flatMap((groups) => figures(groups.get(name))),
  ]);
  const columns = runs.flatMap((_, index) => ['IN TIME', 'P50', 'P99', 'REFUSED'].map((column) => right(mark(runs, column, index))));
  return renderTable([{ title }, right('REQUESTS'), ...columns], rows, colors);
}

function backendTable(runs: readonly SimulatedPolicy[], colors: Colors): string {
  const names = [...new Set(runs.flatMap(({ report }) => report.backends.map(({ name }) => name)))];
  const shown = names.slice(0, 20);
  const rows = shown.map((name) => [
    name,
    ...runs.flatMap(({ report }) => {
      const backend = report.backends.find((each) => each.name === name);
      if (backend === undefined) return ['-', '-', '-'];
      return [`${trimDigits(backend.utilisationPercent)} %`, formatCount(backend.runs), trimDigits(backend.meanBatchRows)];
    }),
  ]);
  if (names.length > shown.length) rows.push([`and ${names.length - shown.length} more`]);
  const columns = runs.flatMap((_, index) => ['BUSY', 'RUNS', 'ROWS/RUN'].map((column) => right(mark(runs, column, index))));
  return renderTable([{ title: 'BACKEND' }, ...columns], rows, colors);
}

function batchTable(runs: readonly SimulatedPolicy[], colors: Colors): string {
  const sizes = [...new Set(runs.flatMap(({ report }) => report.runsByRows.map(({ upToRows }) => upToRows)))].sort(
    (left, right_) => left - right_,
  );
  if (sizes.length < 2) return '';
  const totals = runs.map(({ report }) => report.runsByRows.reduce((sum, each) => sum + each.runs, 0));
  const rows = sizes.map((size) => [
    size === 1 ? '1' : size === 2 ? '2' : `${size / 2 + 1} to ${size}`,
    ...runs.map(({ report }, index) => {
      const count = report.runsByRows.find(({ upToRows }) => upToRows === size)?.runs ?? 0;
      return `${trimDigits(share(count, totals[index] ?? 0))} %`;
    }),
  ]);
  return renderTable([{ title: 'ROWS OF A RUN' }, ...perRun(runs, 'RUNS')], rows, colors);
}

function notes({ runs, ignoredColumns, request }: SimulateResult, colors: Colors): string[] {
  const lines: string[] = [];
  if (ignoredColumns.length > 0) lines.push(`columns of the trace that mean nothing here: ${ignoredColumns.slice(0, 10).join(', ')}`);
  if (runs.some(({ report }) => !report.complete)) lines.push('stopped before the end of the trace: these are the figures until then');
  if (runs.length < request.policies.length) lines.push(`${request.policies.slice(runs.length).join(', ')}: not simulated`);
  if (runs.length > 1) lines.push(runs.map(({ file }, index) => `${letter(index)} = ${file}`).join(', '));
  return lines.length === 0 ? [] : [colors.dim(`${lines.join('\n')}\n`)];
}

function perRun(runs: readonly SimulatedPolicy[], title: string): Column[] {
  return runs.map((_, index) => right(mark(runs, title, index)));
}

function mark(runs: readonly SimulatedPolicy[], title: string, index: number): string {
  return runs.length < 2 ? title : `${title} ${letter(index)}`;
}

function letter(index: number): string {
  return String.fromCharCode(65 + index);
}

function right(title: string): Column {
  return { title, align: 'right' };
}

function share(part: number, whole: number): number {
  return whole > 0 ? (100 * part) / whole : 0;
}

/** Never rounded up to 100: 99.996 % is "99.99 %". */
function formatPercent(percent: number, of: number): string {
  if (of === 0) return '-';
  if (percent === 100 || percent === 0) return `${percent} %`;
  const digits = percent > 99 ? 2 : 1;
  const factor = 10 ** digits;
  return `${(Math.floor(percent * factor) / factor).toFixed(digits)} %`;
}

function formatLatency(ms: number | undefined): string {
  return ms === undefined ? '-' : formatMs(ms);
}
