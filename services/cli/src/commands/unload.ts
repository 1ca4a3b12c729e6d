import type { Command } from 'commander';
import type { TargetFlags } from '../client/target.js';
import { withTargetFlags } from '../client/target.js';
import type { CommandContext } from './command.js';
import { newCommand } from './command.js';
import { changeModel } from './load.js';

export function unloadCommand(context: CommandContext): Command {
  const command = newCommand('unload', 'unload a model; what is in flight is answered first', [
    { line: 'npx headrace unload ranker', note: 'through a gateway: on all its backends' },
  ]).argument('<model>', 'name of the model');
  command.option('--json', 'print one JSON object');
  return withTargetFlags(command, context.io).action((model: string, flags: TargetFlags & { readonly json?: boolean }) =>
    changeModel(model, 'unload', flags, context),
  );
}
