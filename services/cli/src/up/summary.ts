import type { ExampleCommand } from '../examples/commands.js';
import type { ModelRow } from '../render/models-table.js';
import { renderModels } from '../render/models-table.js';
import { formatMs, plural } from '../render/numbers.js';
import type { Colors } from 'picocolors/types.js';

export interface UpSummary {
  readonly address: string;
  readonly metricsUrl: string | undefined;
  readonly replicas: number;
  readonly tookMs: number;
  readonly models: readonly ModelRow[];
  readonly commands: readonly ExampleCommand[];
}

const introductions: Readonly<Record<ExampleCommand['tool'], string>> = {
  headrace: 'in a second terminal, from this folder',
  grpcurl: 'with grpcurl',
  python: 'from Python (pip install tritonclient[grpc])',
};

/** What a newcomer sees when the platform is ready: where it is, what it serves, what to paste. */
export function renderSummary(summary: UpSummary, colors: Colors): string {
  const ready = summary.models.filter((model) => model.state === 'READY').length;
  const title = ready === 0 ? colors.yellow('Headrace is up, without a model that is ready,') : colors.green('Headrace is ready');
  const lines = [
    '',
    `${title} at ${colors.bold(summary.address)} ${colors.dim(`(${plural(summary.replicas, 'replica')}, after ${formatMs(summary.tookMs)})`)}`,
    ...(summary.metricsUrl === undefined ? [] : [colors.dim(`metrics at ${summary.metricsUrl}`)]),
    '',
    renderModels(summary.models, colors, '  ').trimEnd(),
    '',
  ];
  if (summary.commands.length === 0)
    lines.push(
      ready === 0
        ? 'Mend the model and load it with: npx headrace load NAME'
        : 'No model took random inputs; npx headrace models NAME tells what it takes.',
      '',
    );
  for (const { tool, command } of summary.commands) lines.push(colors.dim(`# ${introductions[tool]}`), command, '');
  lines.push(colors.dim('Ctrl-C stops it; npx headrace top shows what it does.'));
  return `${lines.join('\n')}\n`;
}

export function summaryEvent(summary: UpSummary): Readonly<Record<string, unknown>> {
  return {
    event: 'ready',
    address: summary.address,
    metricsUrl: summary.metricsUrl ?? null,
    replicas: summary.replicas,
    models: summary.models.map(({ name, version, state, reason }) => ({ name, version, state, reason })),
    commands: summary.commands,
  };
}
