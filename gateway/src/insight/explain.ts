import type { Explanation } from '@headrace/proto';
import type { EndedTrail } from './request-trail.js';

export interface Stage {
  readonly name: 'identity' | 'admission' | 'queue' | 'run' | 'reply';
  readonly ms: number;
}

/** When a request reached each stage; NaN for those that it did not. */
export type StageTimes = Pick<EndedTrail, 'identityMs' | 'arrivedMs' | 'queuedMs' | 'startedMs' | 'answeredMs' | 'endedMs'>;

/**
 * Where the time went, in order, for as far as the request got; the stages add up to arrival..end, but for what it waited before
 * that until its credential was checked, if it had to. E.g. refused at the door: [admission]; expired in its lane: [admission,
 * queue]; answered: [admission, queue, run, reply]; with a new token: [identity, admission, queue, run, reply].
 */
export function stagesOf({ identityMs, arrivedMs, queuedMs, startedMs, answeredMs, endedMs }: StageTimes): Stage[] {
  const ends: readonly (readonly [Stage['name'], number])[] = [
    ['admission', queuedMs],
    ['queue', startedMs],
    ['run', answeredMs],
    ['reply', endedMs],
  ];
  const stages: Stage[] = identityMs > 0 ? [{ name: 'identity', ms: identityMs }] : [];
  let fromMs = arrivedMs;
  for (const [name, atMs] of ends) {
    const reached = Number.isFinite(atMs);
    const untilMs = reached ? atMs : endedMs;
    stages.push({ name, ms: Math.max(0, untilMs - fromMs) });
    if (!reached) break;
    fromMs = untilMs;
  }
  return stages;
}

/** W3C Server-Timing: `admission;dur=0.03, queue;dur=1.2, run;dur=3.41, reply;dur=0.05`. */
export function serverTiming(times: StageTimes): string {
  return stagesOf(times)
    .map(({ name, ms }) => `${name};dur=${Number(ms.toFixed(3))}`)
    .join(', ');
}

export function explanationOf(ended: EndedTrail, nowMs: number): Explanation {
  return {
    request_id: ended.requestId,
    model: ended.model,
    version: ended.version,
    tenant: ended.tenant,
    tier: ended.tier,
    arrived_ms_ago: nowMs - ended.arrivedMs,
    reason: ended.reason,
    message: ended.message,
    retry_after_ms: Number.isFinite(ended.retryAfterMs) ? ended.retryAfterMs : 0,
    band: ended.band,
    lowered_from: ended.loweredFrom,
    stages: stagesOf(ended),
    backend: ended.backend,
    batch_rows: ended.batchRows,
    attempts: ended.attempts,
  };
}
