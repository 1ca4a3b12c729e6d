import type { Colors } from 'picocolors/types.js';
import type { ModelSpec } from '../input/tensor-spec.js';
import { describeShape } from '../input/tensor-spec.js';
import { renderTable } from './table.js';

/** One version of one model, as the index and its metadata tell it. */
export interface ModelRow {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
  /** Absent while the model is not ready. */
  readonly spec: ModelSpec | undefined;
}

/** The table, and below it why models are not ready: reasons are sentences, and would tear a column apart. */
export function renderModels(rows: readonly ModelRow[], colors: Colors, indent = ''): string {
  const table = renderTable(
    [{ title: 'MODEL' }, { title: 'VERSION', align: 'right' }, { title: 'STATE' }, { title: 'INPUTS' }, { title: 'OUTPUTS' }],
    rows.map(({ name, version, state, spec }) => [
      colors.bold(name),
      version || '-',
      paintState(state, colors),
      spec === undefined ? '' : signature(spec.inputs),
      spec === undefined ? '' : signature(spec.outputs),
    ]),
    colors,
    indent,
  );
  const reasons = rows
    .filter(({ reason }) => reason !== '')
    .map(({ name, version, reason }) => `${indent}${name}${version === '' ? '' : ` ${version}`}: ${reason}\n`);
  return reasons.length === 0 ? table : `${table}\n${reasons.join('')}`;
}

export function signature(tensors: ModelSpec['inputs']): string {
  return tensors.map((tensor) => `${tensor.name} ${tensor.datatype}${describeShape(tensor.shape)}`).join(', ');
}

export function paintState(state: string, colors: Colors): string {
  if (state === 'READY') return colors.green(state);
  return state === 'UNAVAILABLE' ? colors.red(state) : colors.yellow(state || 'NOT LOADED');
}
