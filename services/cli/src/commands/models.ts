import type { Command } from 'commander';
import type { IndexEntry, InferenceClient } from '../client/client.js';
import type { TargetFlags } from '../client/target.js';
import { repeatTarget, withTargetFlags } from '../client/target.js';
import { exitCode } from '../exit-code.js';
import { CliFailure } from '../failure.js';
import { headraceCommand } from '../examples/commands.js';
import { exampleTensors, toExample } from '../examples/example.js';
import type { ModelSpec, TensorSpec } from '../input/tensor-spec.js';
import { describeShape } from '../input/tensor-spec.js';
import type { Io } from '../io.js';
import type { ModelRow } from '../render/models-table.js';
import { paintState, renderModels } from '../render/models-table.js';
import { renderTable } from '../render/table.js';
import type { CommandContext } from './command.js';
import { newCommand, withClient, writeJson } from './command.js';
import { callName } from './call-name.js';

interface ModelsFlags extends TargetFlags {
  readonly json?: boolean;
}

export function modelsCommand(context: CommandContext): Command {
  const command = newCommand('models', 'list the models, or tell all about one', [
    { line: 'npx headrace models' },
    { line: 'npx headrace models ranker', note: 'inputs, outputs, versions and a command to paste' },
    { line: 'npx headrace models --json', note: 'for a script' },
  ]).argument('[name]', 'one model');
  command.option('--json', 'print JSON');
  return withTargetFlags(command, context.io).action((name: string | undefined, flags: ModelsFlags) =>
    withClient(flags, context.io, (client) =>
      name === undefined ? listModels(client, flags, context) : showModel(client, name, flags, context),
    ),
  );
}

/** Index joined with metadata; models that are not ready keep their reason. */
export async function modelRows(client: InferenceClient): Promise<ModelRow[]> {
  const rows: ModelRow[] = [];
  for (const entry of await client.index()) rows.push({ ...entry, spec: await readySpec(client, entry) });
  return rows;
}

async function readySpec(client: InferenceClient, entry: IndexEntry): Promise<ModelSpec | undefined> {
  if (entry.state !== 'READY') return undefined;
  try {
    return await client.model(entry.name, entry.version);
  } catch (error) {
    // Unloaded between the two calls: the list is a snapshot, and the next one will say so.
    if (error instanceof CliFailure && error.reason !== 'UNREACHABLE') return undefined;
    throw error;
  }
}

async function listModels(client: InferenceClient, flags: ModelsFlags, { io }: CommandContext): Promise<void> {
  const rows = await modelRows(client);
  if (flags.json === true) {
    writeJson(
      io,
      rows.map(({ spec, ...entry }) => ({
        ...entry,
        ...(spec === undefined ? {} : { platform: spec.platform, inputs: spec.inputs, outputs: spec.outputs }),
      })),
    );
    return;
  }
  if (rows.length === 0) io.stdout.write(`no models at ${client.target.address}\n`);
  else io.stdout.write(renderModels(rows, io.colors));
}

async function showModel(client: InferenceClient, name: string, flags: ModelsFlags, { io }: CommandContext): Promise<void> {
  const entries = (await client.index()).filter((entry) => entry.name === name);
  const ready = entries.some((entry) => entry.state === 'READY');
  if (entries.length > 0 && !ready) {
    if (flags.json === true) writeJson(io, { name, versions: entries });
    else io.stdout.write(`${io.colors.bold(name)}\n${renderVersions(entries, io)}`);
    throw new CliFailure(`model ${name} is not ready`, {
      exitCode: exitCode.unavailable,
      reason: 'MODEL_NOT_READY',
      fix: `npx headrace load ${name}`,
    });
  }
  const spec = await client.model(name);
  if (flags.json === true) {
    writeJson(io, {
      name,
      platform: spec.platform,
      inputs: spec.inputs,
      outputs: spec.outputs,
      versions: entries.map(({ version, state, reason }) => ({ version, state, reason })),
    });
    return;
  }
  const { colors } = io;
  const example = toExample(name, exampleTensors(spec, 4));
  const { command } = headraceCommand(example, { address: flags.address, headrace: callName(io), targetFlags: repeatTarget(flags) });
  io.stdout.write(
    `${colors.bold(name)} ${colors.dim(spec.platform)}\n${renderVersions(entries, io)}\n${renderSide('INPUT', spec.inputs, io)}\n${renderSide('OUTPUT', spec.outputs, io)}\n${colors.dim('try it:')}\n  ${command}\n`,
  );
}

function renderVersions(entries: readonly IndexEntry[], { colors }: Io): string {
  return entries
    .map(({ version, state, reason }) => `  version ${version || '-'} ${paintState(state, colors)}${reason === '' ? '' : ` ${reason}`}\n`)
    .join('');
}

function renderSide(title: string, tensors: readonly TensorSpec[], { colors }: Io): string {
  return renderTable(
    [{ title }, { title: 'DATATYPE' }, { title: 'SHAPE' }],
    tensors.map(({ name, datatype, shape }) => [name, datatype, describeShape(shape)]),
    colors,
    '  ',
  );
}
