import type { Column, Figures, Rounds, Scenario, Verdict } from '../scenarios/scenario.js';
import { medians } from './statistics.js';

/** A Markdown table of the medians, then the targets. */
export function scenarioReport(scenario: Scenario, rounds: Rounds, verdicts: readonly Verdict[]): string {
  const measured = [...rounds].filter(([, figures]) => figures.length > 0).map(([arm, figures]) => ({ arm, figures: medians(figures) }));
  const used = scenario.columns.filter(({ key }) => measured.some(({ figures }) => figures[key] !== undefined));
  const rows = [
    ['', ...used.map(({ title }) => title)],
    ...measured.map(({ arm, figures }) => [arm, ...used.map((column) => cell(figures, column))]),
  ];
  return [`### ${scenario.name}: ${scenario.title}`, '', ...markdownTable(rows), '', ...verdicts.map(verdictLine), ''].join('\n');
}

function cell(figures: Figures, column: Column): string {
  const value = figures[column.key];
  if (value === undefined) return '';
  return typeof value === 'string' ? value : formatNumber(value, column.digits);
}

/** E.g. 12410.4 with 0 digits is "12,410". */
function formatNumber(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The first column is text, the others are figures. */
export function markdownTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => (column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  const [header = [], ...body] = rows;
  return [line(header), rule, ...body.map(line)];
}

function verdictLine({ target, met, measured }: Verdict): string {
  const word = met === undefined ? 'OPEN  ' : met ? 'MET   ' : 'MISSED';
  return `- ${word} ${target}: ${measured}`;
}
