import { requestParameter } from '@headrace/proto';
import type { InferRequestView } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Result } from '@headrace/runtime';
import type { ModelPolicy } from '../domain/gateway-table.js';
import type { TierPolicy } from '../domain/traffic.js';
import { deadlinesOf } from './deadline.js';
import type { Deadlines } from './deadline.js';
import { priorityOf } from './priority.js';
import { sequenceOf } from './sequence.js';
import type { Sequence } from './sequence.js';

/** What admission finds out about a request before anything is held for it. */
export interface Classified extends Deadlines {
  readonly band: number;
  readonly bypass: boolean;
  readonly sequence: Sequence | undefined;
  /** The priority that was asked for, where the caller's tier allows less. */
  readonly loweredFrom: number | undefined;
}

/** Pure: the request's parameters read against the model's policy and, where there is a traffic policy, the caller's tier. */
export function classify(
  view: InferRequestView,
  policy: ModelPolicy,
  arrivedMs: number,
  callDeadlineMs: number,
  tier?: TierPolicy,
): Result<Classified> {
  const priority = priorityOf(view.parameters.get(requestParameter.priority), policy.priority, tier);
  if (!priority.ok) return priority;
  const longestMs = tier === undefined ? policy.timeoutMs : Math.min(policy.timeoutMs, tier.deadlineMs);
  const deadlines = deadlinesOf(arrivedMs, callDeadlineMs, view.parameters.get(requestParameter.timeoutUs), longestMs);
  if (!deadlines.ok) return deadlines;
  const sequence = sequenceOf(view);
  if (!sequence.ok) return sequence;
  const { band, bypass, loweredFrom } = priority.value;
  const { answerByMs, startByMs } = deadlines.value;
  if (answerByMs <= arrivedMs) {
    return { ok: false, refusal: refuse('DEADLINE_EXCEEDED', 'the deadline had passed when the request arrived') };
  }
  return { ok: true, value: { band, bypass, answerByMs, startByMs, sequence: sequence.value, loweredFrom } };
}
