import type { ParameterValue } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Result } from '@headrace/runtime';
import { wireType } from './priority.js';

export interface Deadlines {
  /** The reply must be there by then: the sooner of the call's deadline and the model's timeout. Clock.nowMs() scale. */
  readonly answerByMs: number;
  /** Its run must have started by then: also bounded by the `timeout` parameter, which in Triton limits queueing alone. */
  readonly startByMs: number;
}

/** E.g. arrived at 1000, gRPC deadline 3000, `timeout` 500000 us, model timeout 30000 ms => start by 1500, answer by 3000. */
export function deadlinesOf(
  arrivedMs: number,
  callDeadlineMs: number,
  timeout: ParameterValue | undefined,
  timeoutMs: number,
): Result<Deadlines> {
  if (timeout !== undefined && (typeof timeout !== 'bigint' || timeout < 0n)) {
    const came = typeof timeout === 'bigint' ? `${timeout}` : `a ${wireType(timeout)} ${JSON.stringify(timeout)}`;
    return {
      ok: false,
      refusal: refuse('INVALID_PARAMETER', `parameter "timeout": expected an int64 or uint64 of microseconds, 0 or more, got ${came}`, {
        field: 'parameters["timeout"]',
      }),
    };
  }
  const answerByMs = Math.min(callDeadlineMs, arrivedMs + timeoutMs);
  const queueMs = timeout === undefined || timeout === 0n ? Infinity : Number(timeout) / 1000;
  return { ok: true, value: { answerByMs, startByMs: Math.min(answerByMs, arrivedMs + queueMs) } };
}
