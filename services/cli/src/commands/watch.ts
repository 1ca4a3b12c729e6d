import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import { positiveNumber } from '../client/target.js';
import { exitCode } from '../exit-code.js';
import { CliFailure } from '../failure.js';
import type { Io } from '../io.js';

export interface WatchFlags {
  readonly interval: number;
  readonly once?: boolean;
  readonly json?: boolean;
}

export function withWatchFlags(command: Command): Command {
  return command
    .option('--interval <seconds>', 'time between two samples', positiveNumber, 1)
    .option('--once', 'print one sample and end (as without a terminal)')
    .option('--json', 'print each sample as a JSON object');
}

/**
 * Takes samples and shows what changed between two of them: on a terminal again and again in one place until Ctrl-C, with
 * --json an object each, else once. On a screen, a server that is away is told and waited for; a script gets the failure.
 */
export async function watch<S>(
  flags: WatchFlags,
  io: Io,
  take: () => Promise<S>,
  show: (before: S, after: S, print: (text: string) => void) => void,
): Promise<void> {
  const live = flags.once !== true && (io.stdout.isTty || flags.json === true);
  const screen = live && flags.json !== true ? createLogUpdate(process.stdout) : undefined;
  const print = screen ?? ((text: string): void => io.stdout.write(text));
  let stopped = false;
  let wake: () => void = () => undefined;
  const release = io.onInterrupt(() => {
    stopped = true;
    wake();
  });
  const sample = async (): Promise<S | undefined> => {
    try {
      return await take();
    } catch (error) {
      if (screen === undefined || !(error instanceof CliFailure) || error.exitCode !== exitCode.unavailable) throw error;
      screen(`${io.colors.yellow(error.message)}\n${io.colors.dim('trying again; Ctrl-C ends')}`);
      return undefined;
    }
  };
  try {
    let before: S | undefined = await take();
    screen?.(io.colors.dim('first sample ...'));
    do {
      await new Promise<void>((resolve) => {
        wake = resolve;
        io.clock.setTimer(resolve, flags.interval * 1000);
      });
      if (stopped) break;
      const after = await sample();
      if (before !== undefined && after !== undefined) show(before, after, print);
      before = after;
    } while (live && !stopped);
    screen?.done();
  } finally {
    release();
  }
}
