import type { Clock } from '@headrace/runtime';
import type { Colors } from 'picocolors/types.js';

export interface Output {
  write(text: string): void;
  readonly isTty: boolean;
  /** Width of the terminal; 80 where there is none. */
  readonly columns: number;
}

/** The world as a command sees it. Built by main.ts alone; tests hand in their own. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Standard input to its end, for `--input -`. */
  readStdin(): Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly cwd: string;
  /** Uniform in [0, 1). */
  random(): number;
  readonly colors: Colors;
  /** Calls the listener for each Ctrl-C (SIGINT), SIGTERM and SIGHUP until the returned function is called. */
  onInterrupt(listener: (signal: NodeJS.Signals) => void): () => void;
}

/** NO_COLOR (no-color.org: present and not empty) wins over FORCE_COLOR, which wins over what the terminal is. */
export function wantsColor(env: Io['env'], isTty: boolean): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '') return env['FORCE_COLOR'] !== '0';
  return isTty && env['TERM'] !== 'dumb';
}
