/**
 * The generic cell rate algorithm in its second form, the continuous-state leaky bucket (ITU-T I.371 (03/2004), annex A; ATM Forum
 * TM 4.1, section 4.4.2), for amounts in place of cells. Two numbers of state at `cells[at]`: what is left, and when that was.
 *
 *     left(t) = min(burst, left + (t - at) x rate)
 *     an amount n passes when left(t) >= min(n, burst), and takes n
 *
 * An amount above the burst passes when the bucket is full and leaves a debt, e.g. rate 100/s, burst 50, amount 80: left is -30 and
 * the next single one passes 310 ms later. The long run is exact, and no amount is refused for good. A rate of 0 with a burst is an
 * allowance that never comes back; of 0 without one, nothing passes.
 *
 * Functions on their owner's numbers and no objects: among 100,000 tenants each object of a request is a miss of the processor's caches.
 */
export interface GcraLimit {
  readonly perMs: number;
  readonly burst: number;
}

/** Numbers of state of one bucket. */
export const gcraCells = 2;

/** A request that comes a microsecond early passes: floating point must not turn away a client that waited as it was told. */
const toleranceMs = 1e-3;

export function gcraLimit(ratePerSecond: number, burst: number): GcraLimit {
  return { perMs: notNegative(ratePerSecond) / 1000, burst: notNegative(burst) };
}

/** Full. */
export function gcraBegin(cells: Float64Array, at: number, { burst }: GcraLimit, nowMs: number): void {
  cells[at] = burst;
  cells[at + 1] = nowMs;
}

/** What could be taken at once; negative while a large amount is paid off. A clock that went back is taken to stand still. */
export function gcraLeft(cells: Float64Array, at: number, { perMs, burst }: GcraLimit, nowMs: number): number {
  const left = cells[at] ?? 0;
  const elapsedMs = nowMs - (cells[at + 1] ?? 0);
  if (!(elapsedMs > 0)) return left;
  const refilled = Math.min(burst, left + elapsedMs * perMs);
  cells[at] = refilled;
  cells[at + 1] = nowMs;
  return refilled;
}

/** True when `amount` would pass; charges nothing. */
export function gcraAllows(cells: Float64Array, at: number, limit: GcraLimit, amount: number, nowMs: number): boolean {
  return gcraLeft(cells, at, limit, nowMs) + limit.perMs * toleranceMs >= needed(limit, amount);
}

/** Whether allowed or not. */
export function gcraCharge(cells: Float64Array, at: number, limit: GcraLimit, amount: number, nowMs: number): void {
  cells[at] = gcraLeft(cells, at, limit, nowMs) - notNegative(amount);
}

export function gcraGiveBack(cells: Float64Array, at: number, limit: GcraLimit, amount: number, nowMs: number): void {
  cells[at] = Math.min(limit.burst, gcraLeft(cells, at, limit, nowMs) + notNegative(amount));
}

/** Milliseconds until `amount` would pass if nothing else came; 0: now, Infinity: never. */
export function gcraWaitMs(cells: Float64Array, at: number, limit: GcraLimit, amount: number, nowMs: number): number {
  const missing = needed(limit, amount) - gcraLeft(cells, at, limit, nowMs);
  return missing <= 0 ? 0 : missing / limit.perMs;
}

/** Sets what is left: never more than the burst. */
export function gcraSet(cells: Float64Array, at: number, limit: GcraLimit, left: number, nowMs: number): void {
  gcraLeft(cells, at, limit, nowMs);
  cells[at] = Math.min(limit.burst, left);
}

/** Another limit from now on: what is left stays as it is, no more than the new burst, so that a reload gives nothing away. */
export function gcraRefit(cells: Float64Array, at: number, before: GcraLimit, after: GcraLimit, nowMs: number): void {
  gcraSet(cells, at, after, gcraLeft(cells, at, before, nowMs), nowMs);
}

export function gcraAtRest(cells: Float64Array, at: number, limit: GcraLimit, nowMs: number): boolean {
  return gcraLeft(cells, at, limit, nowMs) >= limit.burst;
}

function needed({ perMs, burst }: GcraLimit, amount: number): number {
  const wanted = notNegative(amount);
  return perMs > 0 ? Math.min(wanted, burst) : wanted;
}

/** NaN and negative amounts would mint tokens. */
export function notNegative(value: number): number {
  return value > 0 ? value : 0;
}
