import Table from 'cli-table3';
import type { Colors } from 'picocolors/types.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** No boxes: columns two spaces apart, so that a row can be cut with awk and pasted anywhere. */
const bare = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

/** Lines end in a newline and carry no trailing blanks. An empty table is its header alone. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], colors: Colors, indent = ''): string {
  const table = new Table({
    head: columns.map((column) => colors.dim(column.title)),
    colAligns: columns.map((column) => column.align ?? 'left'),
    chars: bare,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => `${indent}${line.trimEnd()}\n`)
    .join('');
}
