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

export function renderModels(rows: readonly ModelRow[], colors: Colors, indent = ''): string {
  return renderTable(
    [{ title: 'MODEL' }, { title: 'VERSION', align: 'right' }, { title: 'STATE' }, { title: 'INPUTS' }, { title: 'OUTPUTS' }],
    rows.map((row) => [
      colors.bold(row.name),
      row.version || '-',
      paintState(row.state, colors),
      row.spec === undefined ? row.reason : signature(row.spec.inputs),
      row.spec === undefined ? '' : signature(row.spec.outputs),
    ]),
    colors,
    indent,
  );
}

export function signature(tensors: ModelSpec['inputs']): string {
  return tensors.map((tensor) => `${tensor.name} ${tensor.datatype}${describeShape(tensor.shape)}`).join(', ');
}

export function paintState(state: string, colors: Colors): string {
  if (state === 'READY') return colors.green(state);
  return state === 'UNAVAILABLE' ? colors.red(state) : colors.yellow(state || 'NOT LOADED');
}
