import type { Batch, BatchRequest } from '../types.js';

/** What becomes of the members of a run that failed. */
export interface FailurePlan<R extends BatchRequest> {
  /** To be submitted again with mergeable: false (see asRetry); each then fails or succeeds for itself. */
  readonly retry: readonly R[];
  /** To be answered with the failure. */
  readonly final: readonly R[];
}

/**
 * A batch that failed says nothing about which member was at fault, so each runs again alone; one that failed alone is
 * at fault itself. This ends: a retry is not mergeable, so its run has one member, whose failure is final.
 *
 * Only for failures that an input can cause (INVALID_ARGUMENT, INTERNAL, ...). A backend that was lost has nothing to do
 * with the members: that retry is the caller's, within its budget. Members whose deadline has passed, and those that
 * `wanted` says nobody waits for any more, are not run again.
 */
export function planFailure<R extends BatchRequest>(
  batch: Pick<Batch<R>, 'members'>,
  nowMs: number,
  wanted: (member: R) => boolean,
): FailurePlan<R> {
  if (batch.members.length < 2) return { retry: [], final: batch.members };
  const retry: R[] = [];
  const final: R[] = [];
  for (const member of batch.members) (member.mergeable && member.deadlineMs > nowMs && wanted(member) ? retry : final).push(member);
  return { retry, final };
}

/** The request as it is submitted again: alone, in its old place by arrival, never by bypass (which already had its turn). */
export function asRetry<R extends BatchRequest>(member: R): R {
  return { ...member, mergeable: false, bypass: false };
}
