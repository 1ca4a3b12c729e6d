import type { Exit } from './child-state.js';

/** What to run: a Node.js program of this repository, so that no shell and no search path is involved. */
export interface ProcessSpec {
  /** Absolute path of the program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ProcessListener {
  onStdoutLine(line: string): void;
  onStderrLine(line: string): void;
  /** Exactly once, last. */
  onExit(exit: Exit): void;
}

export interface RunningProcess {
  readonly pid: number | undefined;
  kill(signal: NodeJS.Signals): void;
}

/** Port to the operating system's processes; the supervisor consumes it. Listeners are never called synchronously. */
export type StartProcess = (spec: ProcessSpec, listener: ProcessListener) => RunningProcess;
