/**
 * Factor on a backend's predicted times while it warms up: 4 at the moment it (re)joins, falling to 1 over the ramp.
 * E.g. ramp 5000 ms, 1250 ms after joining: 1 / (0.25 + 0.75 * 0.25) = 2.3. A new backend is therefore not handed
 * every batch at once for being the only empty one, and still gets work whenever the others are busy.
 */
export function slowStartPenalty(sinceJoinedMs: number, rampMs: number): number {
  if (sinceJoinedMs >= rampMs) return 1;
  const progress = Math.max(sinceJoinedMs, 0) / rampMs;
  return 1 / (0.25 + 0.75 * progress);
}
