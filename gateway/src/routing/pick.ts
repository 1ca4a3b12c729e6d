import type { Target } from '../domain/target.js';

/** Milliseconds from now until a run of `predictedMs` would be done there. */
export function expectedCompletionMs(target: Target, predictedMs: number): number {
  return target.freeInMs + target.penalty * predictedMs + target.batchOverheadMs;
}

/** The slot that would finish first; ties go to the first given. Undefined when there is none. */
export function pickTarget(targets: readonly Target[], predictMs: (podClass: string) => number): Target | undefined {
  let best: Target | undefined;
  let bestMs = Infinity;
  for (const target of targets) {
    const completionMs = expectedCompletionMs(target, predictMs(target.podClass));
    if (best !== undefined && completionMs >= bestMs) continue;
    best = target;
    bestMs = completionMs;
  }
  return best;
}

/** The longest that a run could take on any of the slots once it has begun there; 0 before anything is known. */
export function longestRunMs(targets: readonly Target[], predictMs: (podClass: string) => number): number {
  return targets.reduce(
    (longest, target) => Math.max(longest, expectedCompletionMs({ ...target, freeInMs: 0 }, predictMs(target.podClass))),
    0,
  );
}
