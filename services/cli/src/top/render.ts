import type { Colors } from 'picocolors/types.js';
import { formatMs, formatRate, trimDigits } from '../render/numbers.js';
import { renderTable } from '../render/table.js';
import type { Column } from '../render/table.js';
import type { TopLine } from './snapshot.js';

export interface TopView {
  readonly address: string;
  /** Where the figures come from, for the header. */
  readonly source: { readonly kind: 'metrics'; readonly url: string } | { readonly kind: 'statistics'; readonly why: string };
  readonly intervalMs: number;
  readonly models: readonly TopLine[];
  readonly replicas: readonly TopLine[];
  readonly queuedRows: number | undefined;
}

/** The header says what the figures are: quantiles from histograms, or means where there are no histograms. */
export function renderTop(view: TopView, colors: Colors): string {
  const facts = [
    `last ${formatMs(view.intervalMs)}`,
    ...(view.queuedRows === undefined ? [] : [`${view.queuedRows} rows queued`]),
    view.source.kind === 'metrics' ? `quantiles from ${view.source.url}` : `latency is a MEAN, from ModelStatistics (${view.source.why})`,
  ];
  const header = `${colors.bold(view.address)}  ${colors.dim(facts.join(', '))}\n\n`;
  const models = view.models.length === 0 ? 'no model has been asked yet\n' : modelTable(view, colors);
  return header + models + (view.replicas.length === 0 ? '' : `\n${replicaTable(view, colors)}`);
}

const right = (title: string): Column => ({ title, align: 'right' });

function modelTable(view: TopView, colors: Colors): string {
  const versions = view.models.some((line) => line.version !== '');
  return renderTable(
    [
      { title: 'MODEL' },
      ...(versions ? [right('VERSION')] : []),
      right('REQ/S'),
      right('FAILED/S'),
      ...latencyColumns(view),
      right('WAIT'),
      right('ROWS/RUN'),
    ],
    view.models.map((line) => [
      colors.bold(line.name),
      ...(versions ? [line.version || '-'] : []),
      formatRate(line.perSecond),
      line.failedPerSecond === 0 ? '0' : colors.red(formatRate(line.failedPerSecond)),
      ...latencyCells(line, view),
      ms(line.meanWaitMs),
      line.meanBatchRows === undefined ? '-' : trimDigits(line.meanBatchRows),
    ]),
    colors,
  );
}

function replicaTable(view: TopView, colors: Colors): string {
  return renderTable(
    [{ title: 'REPLICA' }, { title: 'STATE' }, right('RUNS/S'), ...latencyColumns(view).map(({ title }) => right(`RUN ${title}`))],
    view.replicas.map((line) => [
      colors.bold(line.name),
      line.state === 'ready' ? colors.green(line.state) : colors.yellow(line.state ?? '-'),
      formatRate(line.perSecond),
      ...latencyCells(line, view),
    ]),
    colors,
  );
}

function latencyColumns(view: TopView): Column[] {
  return view.source.kind === 'metrics' ? [right('P50'), right('P99')] : [right('MEAN')];
}

function latencyCells(line: TopLine, view: TopView): string[] {
  return view.source.kind === 'metrics' ? [ms(line.p50Ms), ms(line.p99Ms)] : [ms(line.meanMs)];
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : formatMs(value);
}
