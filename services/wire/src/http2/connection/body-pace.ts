import type { ConnectionLimits } from './limits.js';

/** How a message comes that the peer owes us. */
export interface BodyPace {
  readonly sinceMs: number;
  readonly bytesBefore: number;
  readonly bytes: number;
  /** When more than `bytes` was last seen. */
  readonly movedMs: number;
}

/** `known`: of the last look, if the peer owed us something then as well. `bytes`: received on the stream in all. */
export function nextPace(known: BodyPace | undefined, bytes: number, nowMs: number): BodyPace {
  if (known === undefined) return { sinceMs: nowMs, bytesBefore: bytes, bytes, movedMs: nowMs };
  return known.bytes === bytes ? known : { ...known, bytes, movedMs: nowMs };
}

/** Too slow: nothing for bodyIdleTimeoutMs, or less than minBodyBytesPerS since the beginning, once bodyGraceMs are over. */
export function isTooSlow({ sinceMs, bytesBefore, bytes, movedMs }: BodyPace, nowMs: number, limits: ConnectionLimits): boolean {
  if (nowMs - movedMs > limits.bodyIdleTimeoutMs) return true;
  const tookMs = nowMs - sinceMs;
  return tookMs > limits.bodyGraceMs && bytes - bytesBefore < (tookMs / 1000) * limits.minBodyBytesPerS;
}
