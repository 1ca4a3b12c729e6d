import type { TargetSnapshot } from '@headrace/batching';

/** Milliseconds from now until a run of `predictedMs` would be done there. */
export function expectedCompletionMs(target: TargetSnapshot, predictedMs: number): number {
  return target.freeInMs + target.penalty * predictedMs;
}

/** The slot that would finish first; ties go to the first given. Undefined when there is none. */
export function pickTarget(targets: readonly TargetSnapshot[], predictMs: (podClass: string) => number): TargetSnapshot | undefined {
  let best: TargetSnapshot | undefined;
  let bestMs = Infinity;
  for (const target of targets) {
    const completionMs = expectedCompletionMs(target, predictMs(target.podClass));
    if (best !== undefined && completionMs >= bestMs) continue;
    best = target;
    bestMs = completionMs;
  }
  return best;
}
