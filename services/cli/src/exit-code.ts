import type { StatusCode } from '@headrace/runtime';
import { statusCode } from '@headrace/runtime';

/** What the process tells the shell. Documented in --help and the README; scripts rely on the numbers. */
export const exitCode = {
  ok: 0,
  /** The server refused the request, or something else went wrong. */
  failed: 1,
  /** Flags, arguments or the input file are wrong: nothing was sent. */
  usage: 2,
  /** Nobody answers at the address, or the model is not ready (sysexits.h: EX_UNAVAILABLE). */
  unavailable: 69,
  /** The server is full; the same request may succeed later (sysexits.h: EX_TEMPFAIL). */
  overloaded: 75,
  /** The time given by --timeout or --request-timeout ran out (as timeout(1) has it). */
  timedOut: 124,
  /** Stopped at once by a second Ctrl-C (128 + SIGINT). */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export function exitCodeOf(code: StatusCode): ExitCode {
  switch (code) {
    case statusCode.OK:
      return exitCode.ok;
    case statusCode.UNAVAILABLE:
      return exitCode.unavailable;
    case statusCode.RESOURCE_EXHAUSTED:
      return exitCode.overloaded;
    case statusCode.DEADLINE_EXCEEDED:
      return exitCode.timedOut;
    default:
      return exitCode.failed;
  }
}

/** The paragraph every --help ends with. */
export const exitCodeHelp = `Exit codes: 0 success, 1 failure (the server refused), 2 wrong flags or input (nothing was sent),
  69 unavailable, 75 overloaded (retry later), 124 out of time, 130 stopped by a second Ctrl-C.`;
