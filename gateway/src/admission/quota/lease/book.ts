import type { BucketAsk, LeaseAnswer, LeaseAsk } from '../../../domain/lease-store.js';

/** A shared bucket as a store keeps it. The script in redis/script.ts is this file in Lua; one behaviour suite holds both. */
export interface SharedBucket {
  level: number;
  atMs: number;
  /** From here on it is as one that was never heard of: full, and without leases. */
  untilMs: number;
  readonly gateways: Map<string, GatewayEntry>;
}

export interface GatewayEntry {
  readonly sequence: number;
  /** Given out and not yet reported as used. */
  readonly lease: number;
  /** The epoch's `total` when that was. */
  readonly total: number;
  readonly usePerSecond: number;
  readonly untilMs: number;
}

/** Part of the shares that follows use; the rest is spread evenly, so that a gateway whose traffic comes back is not left with nothing. */
export const shareByUse = 0.8;

/** After its last lease, for clocks that differ a little. */
const afterLeasesMs = 1_000;
const longestKeptMs = 86_400_000;

/**
 * One bucket of an ask: settles what the gateway used, takes back what it no longer wants, leases what there is.
 *
 *     level + leases given out <= burst    at all times: neither an idle bucket nor idle leases gather more than a burst
 *
 * Undefined: a later ask of this epoch was served already.
 */
export function exchangeBucket(
  buckets: Map<string, SharedBucket>,
  key: string,
  ask: LeaseAsk,
  bucketAsk: BucketAsk,
  nowMs: number,
): LeaseAnswer | undefined {
  const stored = buckets.get(key);
  const bucket = stored !== undefined && stored.untilMs > nowMs ? stored : newBucket(bucketAsk.initial, nowMs);
  const own = bucket.gateways.get(ask.epoch);
  if (own !== undefined && own.untilMs > nowMs && ask.sequence <= own.sequence) return undefined;
  const others = settleOthers(bucket, ask.epoch, nowMs);
  const known = own !== undefined && own.untilMs > nowMs ? own : undefined;
  const used = known === undefined ? bucketAsk.owed : bucketAsk.total - known.total;
  const unused = (known?.lease ?? 0) - used;
  const kept = Math.min(Math.max(unused, 0), bucketAsk.want);
  // A store whose clock went back is taken to stand still.
  const refilled = (Math.max(0, nowMs - bucket.atMs) * bucketAsk.ratePerSecond) / 1000;
  const room = Math.max(0, bucketAsk.burst - others.leases - kept);
  // Full before it pays: what was borrowed came after a quiet time as likely as during it, and a debt must not hide in the refill.
  const level = Math.min(room, bucket.level + refilled + Math.max(unused, 0) - kept) - Math.max(-unused, 0);
  const even = 1 / (others.count + 1);
  const allUse = others.usePerSecond + bucketAsk.usePerSecond;
  const share = allUse > 0 ? (shareByUse * bucketAsk.usePerSecond) / allUse + (1 - shareByUse) * even : even;
  // No more than its part, or the gateway that asks first leaves the others nothing.
  const extra = Math.min(bucketAsk.want - kept, Math.max(0, level) * share);
  bucket.level = level - extra;
  bucket.atMs = nowMs;
  bucket.untilMs = nowMs + keptForMs(bucket.level, ask.ttlMs, bucketAsk);
  const lease = kept + extra;
  bucket.gateways.set(ask.epoch, {
    sequence: ask.sequence,
    lease,
    total: bucketAsk.total,
    usePerSecond: bucketAsk.usePerSecond,
    untilMs: nowMs + ask.ttlMs,
  });
  buckets.set(key, bucket);
  return { lease, level: bucket.level, share };
}

function newBucket(level: number, nowMs: number): SharedBucket {
  return { level, atMs: nowMs, untilMs: nowMs, gateways: new Map() };
}

/** Until it would be full and its leases are over; a bucket that does not fill is kept for a day. */
function keptForMs(level: number, ttlMs: number, { burst, ratePerSecond }: BucketAsk): number {
  const missing = Math.max(0, burst - level);
  const fillMs = missing === 0 ? 0 : ratePerSecond > 0 ? Math.ceil((missing / ratePerSecond) * 1000) : longestKeptMs;
  return Math.min(longestKeptMs, ttlMs + fillMs + afterLeasesMs);
}

/** Leases of the silent are over: what they held counts as used. */
function settleOthers(bucket: SharedBucket, epoch: string, nowMs: number): { leases: number; usePerSecond: number; count: number } {
  const sum = { leases: 0, usePerSecond: 0, count: 0 };
  for (const [name, entry] of bucket.gateways) {
    if (entry.untilMs <= nowMs) bucket.gateways.delete(name);
    else if (name !== epoch) {
      sum.leases += entry.lease;
      sum.usePerSecond += entry.usePerSecond;
      sum.count += 1;
    }
  }
  return sum;
}
