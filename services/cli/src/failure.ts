import type { ExitCode } from './exit-code.js';
import { exitCode } from './exit-code.js';

/** The one error of the command line: what is wrong, where, and what to do about it. Printed as such, never with a stack. */
export class CliFailure extends Error {
  readonly exitCode: ExitCode;
  /** One sentence: what the person can do. */
  readonly fix: string | undefined;
  /** Machine-readable reason for --json, e.g. the reason of google.rpc.ErrorInfo. */
  readonly reason: string;

  constructor(message: string, options: { exitCode: ExitCode; fix?: string | undefined; reason?: string; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'CliFailure';
    this.exitCode = options.exitCode;
    this.fix = options.fix;
    this.reason = options.reason ?? (options.exitCode === exitCode.usage ? 'USAGE' : 'FAILED');
  }
}

/** Wrong flags or input: nothing was sent. */
export function usageFailure(message: string, fix?: string): CliFailure {
  return new CliFailure(message, { exitCode: exitCode.usage, fix });
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
