import { Command, CommanderError } from 'commander';
import { benchCommand } from './commands/bench.js';
import { callName } from './commands/call-name.js';
import type { CommandContext } from './commands/command.js';
import { explainCommand } from './commands/explain.js';
import { inferCommand } from './commands/infer.js';
import { keyCommand } from './commands/key.js';
import { limitsCommand } from './commands/limits.js';
import { loadCommand } from './commands/load.js';
import { modelsCommand } from './commands/models.js';
import { simulateCommand } from './commands/simulate.js';
import { topCommand } from './commands/top.js';
import { unloadCommand } from './commands/unload.js';
import { upCommand } from './commands/up.js';
import type { ExitCode } from './exit-code.js';
import { exitCode, exitCodeHelp } from './exit-code.js';
import { CliFailure, messageOf } from './failure.js';
import type { Io } from './io.js';
import { problemJson, renderProblem } from './render/problem.js';
import { version } from './version.js';

export function createProgram(context: CommandContext): Command {
  const { io } = context;
  const program = new Command('headrace')
    .description('Real-time inference over gRPC (Open Inference Protocol v2): run it, ask it, watch it.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .addHelpText(
      'after',
      `
Examples:
  $ npx headrace up                                                    # the demo model, on this machine
  $ npx headrace infer ranker --input services/demo/example.json
  $ npx headrace up --models ./models                                  # your own: models/NAME/1/model.onnx
  $ HEADRACE_ADDRESS=inference.example.com:443 npx headrace models --tls

Client commands go to --address or HEADRACE_ADDRESS (default 127.0.0.1:8001). NO_COLOR turns colours off.

${exitCodeHelp}`,
    );
  const commands = [
    upCommand,
    inferCommand,
    modelsCommand,
    loadCommand,
    unloadCommand,
    topCommand,
    limitsCommand,
    explainCommand,
    keyCommand,
    benchCommand,
    simulateCommand,
  ];
  for (const make of commands) program.addCommand(make(context));
  for (const { command, path } of withChildren(program, '')) {
    const help = path === '' ? '--help' : path.includes(' ') ? `${path} --help` : `help ${path}`;
    command.showHelpAfterError(`  try: ${callName(io)} ${help}`);
    command.exitOverride().configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(`${io.colors.red('error:')} ${text.replace(/^error: /, '')}`),
      getOutHelpWidth: () => Math.min(io.stdout.columns, 120),
      getErrHelpWidth: () => Math.min(io.stderr.columns, 120),
      getOutHasColors: () => io.colors.isColorSupported,
      getErrHasColors: () => io.colors.isColorSupported,
    });
  }
  return program;
}

/** A command and all below it, with the words that lead there. */
function withChildren(command: Command, path: string): readonly { readonly command: Command; readonly path: string }[] {
  return [{ command, path }, ...command.commands.flatMap((child) => withChildren(child, `${path} ${child.name()}`.trim()))];
}

/** The whole program but the process around it. Never throws. */
export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = exitCode.ok;
  const program = createProgram({ io, setExitCode: (next) => (code = next) });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    // Commander has printed its own message; only --help and --version end well.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
    const failure = error instanceof CliFailure ? error : unexpected(error, io);
    io.stderr.write(args.includes('--json') ? problemJson(failure) : renderProblem(failure, io.colors));
    return failure.exitCode;
  }
}

function unexpected(error: unknown, io: Io): CliFailure {
  const stack = io.env['HEADRACE_DEBUG'] !== undefined && error instanceof Error ? `\n${error.stack ?? ''}` : '';
  return new CliFailure(`${messageOf(error)}${stack}`, {
    exitCode: exitCode.failed,
    fix: 'this is a defect of headrace; HEADRACE_DEBUG=1 prints where it happened',
    cause: error,
  });
}
