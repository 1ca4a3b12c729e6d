import type { SimulationReport } from '@headrace/gateway/simulation';
import type { TopLevelSpec } from 'vega-lite';
import { formatRate, trimDigits } from '../render/numbers.js';
import type { PlotRow, TimeUnit } from './plot-data.js';
import {
  inTime,
  late,
  latencyRows,
  offered,
  offeredRows,
  outcomeRows,
  percentileKinds,
  queueRows,
  queued,
  stackOf,
  timeUnitOf,
} from './plot-data.js';
import type { SimulateResult } from './run.js';

/** Okabe and Ito's colours, which people with any form of colour blindness tell apart. */
const blue = '#0072B2';
const orange = '#E69F00';
const black = '#222222';
const refusalColors = ['#CC79A7', '#D55E00', '#56B4E9', '#F0E442', '#009E73', '#999999'];

const wide = 760;
const beside = 460;

/** Three panels over simulated time, a column of them for each policy: what became of the requests, how long they took, what waited. */
export function plotSpec(result: SimulateResult): TopLevelSpec {
  const reports = result.runs.map(({ report }) => report);
  const unit = timeUnitOf(Math.max(...reports.map(({ elapsedMs }) => elapsedMs)));
  const width = reports.length > 1 ? beside : wide;
  const stack = stackOf(reports);
  const each = (panel: (report: SimulationReport, column: number) => object): object => ({
    hconcat: result.runs.map(({ report }, column) => panel(report, column)),
    resolve: { scale: { y: 'shared', color: 'shared' } },
    // The plots' own frames are aligned, whatever stands beside them.
    bounds: 'flush',
    spacing: 84,
  });
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: `Simulated traffic: ${clip(result.runs.map(({ file }) => file).join(' and '))}`,
      subtitle: subtitleOf(result),
    },
    vconcat: [
      each((report, column) => ({
        ...outcomePanel(report, stack, unit),
        width,
        height: 220,
        title: panelTitle('What became of the requests', result.runs.length > 1 ? columnTitle(result, column, report) : []),
      })),
      each((report) => ({ ...latencyPanel(report, unit), width, height: 150, title: panelTitle('Latency of what was answered') })),
      each((report) => ({ ...queuePanel(report, unit), width, height: 110, title: panelTitle('Waiting in the gateway') })),
    ],
    resolve: { scale: { color: 'independent' } },
    config,
  };
  return spec as TopLevelSpec;
}

function panelTitle(text: string, above: readonly string[] = []): object {
  return { text: [...above, text], frame: 'group', anchor: 'start', fontSize: 13, offset: 8, lineHeight: 17 };
}

/** Above the panels of one policy. */
function columnTitle({ runs }: SimulateResult, column: number, report: SimulationReport): readonly string[] {
  const file = runs[column]?.file ?? '';
  return [`${String.fromCharCode(65 + column)}: ${file.length > 50 ? `...${file.slice(-47)}` : file}`, figures(report)];
}

function subtitleOf({ request, runs }: SimulateResult): string[] {
  const [only] = runs;
  const lines = [clip(`trace: ${request.traces.join(' and ')}; seed ${request.seed}`)];
  if (only !== undefined && runs.length === 1) lines.push(figures(only.report));
  if (runs.some(({ report }) => !report.complete)) lines.push('stopped before the end of the trace');
  return lines;
}

function figures(report: SimulationReport): string {
  const { total, goodputPerSecond, offeredPerSecond } = report;
  return `${trimDigits(Math.floor(total.attainmentPercent * 100) / 100)} % in time, goodput ${formatRate(goodputPerSecond)}/s of ${formatRate(offeredPerSecond)}/s`;
}

function timeAxis(unit: TimeUnit, title: boolean): object {
  return {
    field: 'time',
    type: 'quantitative',
    title: title ? `simulated time, ${unit.name}` : null,
    axis: { grid: false },
    scale: { nice: false, zero: true },
  };
}

function legend(title: string | null): object {
  return { title, orient: 'right', symbolType: 'square', labelLimit: 240 };
}

function outcomePanel(report: SimulationReport, stack: readonly string[], unit: TimeUnit): object {
  let refusals = 0;
  const range = stack.map((kind) => (kind === inTime ? blue : kind === late ? orange : refusalColors[refusals++ % refusalColors.length]));
  const color = { scale: { domain: [...stack, offered], range: [...range, black] }, legend: legend(null) };
  return {
    layer: [
      {
        data: { values: values(outcomeRows(report, stack, unit)) },
        mark: { type: 'area', opacity: 0.85, interpolate: 'step' },
        encoding: {
          x: timeAxis(unit, false),
          y: { field: 'value', type: 'quantitative', stack: 'zero', title: 'requests/s' },
          color: { field: 'kind', type: 'nominal', ...color },
          order: { field: 'order', type: 'quantitative' },
        },
      },
      {
        data: { values: values(offeredRows(report, unit)) },
        mark: { type: 'line', strokeWidth: 1.25, interpolate: 'step' },
        encoding: {
          x: timeAxis(unit, false),
          y: { field: 'value', type: 'quantitative' },
          color: { field: 'kind', type: 'nominal', ...color },
        },
      },
    ],
  };
}

function latencyPanel(report: SimulationReport, unit: TimeUnit): object {
  return {
    data: { values: values(latencyRows(report, unit)) },
    mark: { type: 'line', strokeWidth: 1.5, invalid: 'break-paths-show-path-domains' },
    encoding: {
      x: timeAxis(unit, false),
      y: { field: 'value', type: 'quantitative', title: 'ms', scale: { zero: true } },
      color: { field: 'kind', type: 'nominal', scale: { domain: [...percentileKinds], range: ['#D55E00', blue] }, legend: legend(null) },
    },
  };
}

function queuePanel(report: SimulationReport, unit: TimeUnit): object {
  return {
    data: { values: values(queueRows(report, unit)) },
    mark: { type: 'area', interpolate: 'step', opacity: 0.85 },
    encoding: {
      x: timeAxis(unit, true),
      y: { field: 'value', type: 'quantitative', title: 'rows, mean' },
      color: { field: 'kind', type: 'nominal', scale: { domain: [queued], range: ['#009E73'] }, legend: legend(null) },
    },
  };
}

/** Six digits are more than a picture shows, and a tenth of the bytes. */
function values(rows: readonly PlotRow[]): PlotRow[] {
  return rows.map((row) => ({
    ...row,
    time: Number(row.time.toPrecision(6)),
    value: row.value === null ? null : Number(row.value.toPrecision(6)),
  }));
}

function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

const font = 'Helvetica, Arial, sans-serif';

/** Dark text on white, light grid, nothing that is not needed. */
const config = {
  background: 'white',
  font,
  padding: 16,
  view: { stroke: null },
  title: {
    anchor: 'start',
    color: black,
    fontSize: 16,
    subtitleColor: '#444444',
    subtitleFontSize: 12,
    subtitlePadding: 6,
    offset: 14,
    fontWeight: 600,
  },
  axis: {
    labelColor: black,
    titleColor: black,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    gridColor: '#E6E6E6',
    domainColor: '#888888',
    tickColor: '#888888',
    tickCount: 6,
  },
  legend: { labelColor: black, labelFontSize: 12, symbolSize: 120 },
  concat: { spacing: 24 },
};
