/**
 * How long a run that began `elapsedMs` ago and was predicted to take `predictedMs` still takes, for
 * TargetSnapshot.freeInMs. One that is late is expected to take as long again as it is late, so that a hung target
 * looks worse the longer it hangs instead of being always about to end.
 *
 * E.g. predicted 10 ms: after 4 ms, 6 to go; after 12 ms, 2; after 100 ms, 90.
 */
export function remainingMs(predictedMs: number, elapsedMs: number): number {
  return Math.abs(predictedMs - elapsedMs);
}
