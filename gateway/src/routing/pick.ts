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
