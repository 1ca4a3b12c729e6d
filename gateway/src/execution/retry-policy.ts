import { statusCode } from '@headrace/runtime';
import type { StatusCode } from '@headrace/runtime';

/** What to do with the members of a run that failed. */
export type RetryDecision =
  /** Tell each member. */
  | 'fail'
  /** Once more on another backend, as each member's deadline and the retry budget allow. */
  | 'elsewhere'
  /** The run was ours to form: each member once more, alone. */
  | 'itemByItem';

export interface FailedRun {
  readonly members: number;
  readonly code: StatusCode;
  /** The backend (or the way to it) was lost. */
  readonly lost: boolean;
  readonly idempotent: boolean;
}

/** Failures of the way or of a backend that refuses for its own state: another one may well do it. */
const another: ReadonlySet<StatusCode> = new Set([statusCode.UNAVAILABLE, statusCode.RESOURCE_EXHAUSTED]);
/** The caller is gone or out of time; to run again would be work for nobody. */
const over: ReadonlySet<StatusCode> = new Set([statusCode.CANCELLED, statusCode.DEADLINE_EXCEEDED]);

/**
 * Of a model that is not idempotent nothing is run twice: only a batch refused with INVALID_ARGUMENT, which by its
 * meaning was never run, is taken apart.
 */
export function decideRetry(run: FailedRun): RetryDecision {
  if (over.has(run.code)) return 'fail';
  if (run.lost || another.has(run.code)) return run.idempotent ? 'elsewhere' : 'fail';
  if (run.members === 1) return 'fail';
  return run.idempotent || run.code === statusCode.INVALID_ARGUMENT ? 'itemByItem' : 'fail';
}

/** Is this failure a sign against the backend (circuit breaker), rather than against the request? */
export function isBackendFault(code: StatusCode, lost: boolean): boolean {
  return (
    lost || code === statusCode.UNAVAILABLE || code === statusCode.INTERNAL || code === statusCode.UNKNOWN || code === statusCode.DATA_LOSS
  );
}
