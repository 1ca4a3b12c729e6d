import type { Command } from 'commander';
import type { InferenceClient } from '../client/client.js';
import type { TargetFlags } from '../client/target.js';
import { withTargetFlags } from '../client/target.js';
import { exitCode } from '../exit-code.js';
import { CliFailure } from '../failure.js';
import { formatMs } from '../render/numbers.js';
import type { CommandContext } from './command.js';
import { newCommand, withClient, writeJson } from './command.js';

interface LoadFlags extends TargetFlags {
  readonly json?: boolean;
}

export function loadCommand(context: CommandContext): Command {
  const command = newCommand('load', 'load a model from the repository, or load it anew', [
    { line: 'npx headrace load ranker', note: 'through a gateway: on all its backends' },
    { line: 'npx headrace load ranker --timeout 300 --json', note: 'a large one' },
  ]).argument('<model>', 'name of the model');
  command.option('--json', 'print one JSON object');
  return withTargetFlags(command, context.io).action((model: string, flags: LoadFlags) => changeModel(model, 'load', flags, context));
}

/** Loads or unloads, then tells what the index says of it. */
export async function changeModel(model: string, action: 'load' | 'unload', flags: LoadFlags, { io }: CommandContext): Promise<void> {
  const startMs = io.clock.nowMs();
  await withClient(flags, io, async (client) => {
    await client[action](model);
    const versions = await statesOf(client, model);
    if (flags.json === true) {
      writeJson(io, { model, action, versions, tookMs: Math.round(io.clock.nowMs() - startMs) });
      return;
    }
    const states = versions.map(({ version, state }) => `${version === '' ? '' : `version ${version} `}${state}`).join(', ');
    io.stdout.write(
      `${io.colors.green('done:')} ${action} ${model} in ${formatMs(io.clock.nowMs() - startMs)}${states === '' ? '' : `, now ${states}`}\n`,
    );
  });
}

/** What the index says afterwards; empty for a server that has no index (it took the change, which is what counts). */
async function statesOf(client: InferenceClient, model: string) {
  try {
    return (await client.index()).filter(({ name }) => name === model).map(({ version, state, reason }) => ({ version, state, reason }));
  } catch (error) {
    if (error instanceof CliFailure && error.exitCode === exitCode.failed) return [];
    throw error;
  }
}
