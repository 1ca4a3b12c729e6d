import { Command } from 'commander';
import { InferenceClient } from '../client/client.js';
import type { TargetFlags } from '../client/target.js';
import { targetOf } from '../client/target.js';
import type { ExitCode } from '../exit-code.js';
import { exitCodeHelp } from '../exit-code.js';
import type { Io } from '../io.js';

/** What a command is given besides its flags. */
export interface CommandContext {
  readonly io: Io;
  /** For a command that printed its result and yet did not succeed in all. */
  setExitCode(code: ExitCode): void;
}

export interface Example {
  readonly line: string;
  readonly note?: string;
}

/** A command whose --help ends with examples and the exit codes. */
export function newCommand(name: string, summary: string, examples: readonly Example[], more = ''): Command {
  const width = Math.max(...examples.map(({ line }) => line.length));
  const lines = examples.map(({ line, note }) => `  $ ${note === undefined ? line : `${line.padEnd(width)}   # ${note}`}`);
  const tail = more === '' ? '' : `\n${more}\n`;
  return new Command(name)
    .description(summary)
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', `${tail}\nExamples:\n${lines.join('\n')}\n\n${exitCodeHelp}`);
}

/** Opens a client for the time of `use`. */
export async function withClient<T>(flags: TargetFlags, io: Io, use: (client: InferenceClient) => Promise<T>): Promise<T> {
  const client = new InferenceClient(targetOf(flags), io.clock);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

export function writeJson(io: Io, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, jsonSafe, io.stdout.isTty ? 2 : 0)}\n`);
}

function jsonSafe(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return value instanceof Map ? Object.fromEntries(value as Map<string, unknown>) : value;
}
