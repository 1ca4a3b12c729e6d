import type { Colors } from 'picocolors/types.js';
import type { CliFailure } from '../failure.js';

/** What standard error gets: the problem, then what to do about it. */
export function renderProblem(failure: CliFailure, colors: Colors): string {
  const fix = failure.fix === undefined ? '' : `${colors.dim('  try:')} ${failure.fix}\n`;
  return `${colors.red('error:')} ${failure.message}\n${fix}`;
}

/** The same for a script that asked for --json. */
export function problemJson(failure: CliFailure): string {
  return `${JSON.stringify({ error: { message: failure.message, reason: failure.reason, ...(failure.fix === undefined ? {} : { fix: failure.fix }) } })}\n`;
}
