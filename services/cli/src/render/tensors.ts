import type { Colors } from 'picocolors/types.js';
import type { Leaf } from '../input/decode.js';
import { describeShape } from '../input/tensor-spec.js';
import { renderTable } from './table.js';
import { printable } from './printable.js';

export interface DecodedTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly leaves: readonly Leaf[];
}

/** More lines than this are of no use on a screen; --output json has them all. */
const maxLines = 50;

/**
 * Outputs as a person reads them. Two-dimensional outputs of one shape belong together, column by column:
 *
 *     items [1, 3] and scores [1, 3]  =>  #  items  scores        all else:  name  FP32[2, 2, 2]
 *                                         1    313  0.1124                     [0]  0.1, 0.2, 0.3, 0.4
 *                                         2    286  0.0745
 */
export function renderTensors(tensors: readonly DecodedTensor[], colors: Colors): string {
  return groupByShape(tensors)
    .map((group) => renderGroup(group, colors))
    .join('\n');
}

function groupByShape(tensors: readonly DecodedTensor[]): DecodedTensor[][] {
  const groups = new Map<string, DecodedTensor[]>();
  for (const tensor of tensors) {
    const key = tensor.shape.length === 2 || tensor.shape.length === 1 ? tensor.shape.join('x') : `alone ${tensor.name}`;
    groups.set(key, [...(groups.get(key) ?? []), tensor]);
  }
  return [...groups.values()];
}

function renderGroup(group: readonly DecodedTensor[], colors: Colors): string {
  const first = group[0];
  if (first === undefined) return '';
  const title = `${group.map((tensor) => `${colors.bold(tensor.name)} ${colors.dim(`${tensor.datatype}${describeShape(tensor.shape)}`)}`).join(colors.dim(', '))}\n`;
  if (first.leaves.length === 0) return `${title}  (empty)\n`;
  return title + (readsAsColumns(group, first) ? columnsOf(group, first, colors) : rowsOf(first));
}

/** One output with one long row reads better as a line than as a column of fifty. */
function readsAsColumns(group: readonly DecodedTensor[], { shape }: DecodedTensor): boolean {
  return group.length > 1 || shape.length === 1 || (shape.length === 2 && (shape[1] ?? 0) <= 32);
}

function columnsOf(group: readonly DecodedTensor[], first: DecodedTensor, colors: Colors): string {
  const rows = first.shape.length === 2 ? (first.shape[0] ?? 0) : 1;
  const width = first.leaves.length / Math.max(rows, 1);
  const shown = Math.min(first.leaves.length, maxLines);
  const lines = Array.from({ length: shown }, (_, index) => [
    ...(rows > 1 ? [String(Math.floor(index / width))] : []),
    String((index % width) + 1),
    ...group.map((tensor) => formatLeaf(tensor.leaves[index])),
  ]);
  const columns = [...(rows > 1 ? ['row'] : []), '#', ...group.map((tensor) => tensor.name)];
  return (
    renderTable(
      columns.map((name) => ({ title: name, align: 'right' as const })),
      lines,
      colors,
      '  ',
    ) + moreLine(first.leaves.length - shown, 'value')
  );
}

function rowsOf(tensor: DecodedTensor): string {
  const rows = tensor.shape.length === 0 ? 1 : (tensor.shape[0] ?? 1);
  const width = tensor.leaves.length / Math.max(rows, 1);
  const shown = Math.min(rows, maxLines);
  const lines = Array.from({ length: shown }, (_, row) => {
    const values = tensor.leaves.slice(row * width, row * width + Math.min(width, maxLines)).map(formatLeaf);
    return `  [${row}] ${values.join(' ')}${width > maxLines ? ` ... ${width - maxLines} more` : ''}\n`;
  });
  return lines.join('') + moreLine(rows - shown, 'row');
}

function moreLine(count: number, noun: string): string {
  return count > 0 ? `  ... ${count} more ${noun}s (--output json prints all)\n` : '';
}

export function formatLeaf(leaf: Leaf | undefined): string {
  if (leaf === undefined) return '';
  if (typeof leaf === 'number' && !Number.isInteger(leaf)) return String(Number(leaf.toPrecision(6)));
  if (typeof leaf === 'object') return `b64:${leaf.b64}`;
  return typeof leaf === 'string' ? printable(leaf) : String(leaf);
}
