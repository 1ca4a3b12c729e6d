import type { Refusal, RefusalReason } from './refusal.js';
import { refuse } from './refusal.js';

/**
 * The one class that Headrace throws, and the one funnel through which whatever else was thrown becomes a refusal.
 * Inside a stage refusals are values; this is for the rims (rare methods, start-up, workers).
 */
export class HeadraceError extends Error {
  override readonly name = 'HeadraceError';
  readonly refusal: Refusal;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(refusal.message, options);
    this.refusal = refusal;
  }

  /** `throw HeadraceError.of('MODEL_NOT_FOUND', 'model "x" is not served here')`. */
  static of(reason: RefusalReason, message: string, more?: Parameters<typeof refuse>[2], options?: ErrorOptions): HeadraceError {
    return new HeadraceError(refuse(reason, message, more), options);
  }

  /**
   * A HeadraceError stays itself; an aborted signal is CANCELLED; all else is INTERNAL with a text that gives nothing
   * away (the original is kept as `cause` for the log).
   */
  static from(thrown: unknown): HeadraceError {
    if (thrown instanceof HeadraceError) return thrown;
    if (thrown instanceof Error && thrown.name === 'AbortError') {
      return HeadraceError.of('CANCELLED', 'the call was cancelled', undefined, { cause: thrown });
    }
    return HeadraceError.of('INTERNAL', 'internal error', undefined, { cause: thrown });
  }
}

/** One line for people out of anything thrown. */
export function describeError(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message;
  return String(thrown);
}
