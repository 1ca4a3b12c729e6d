import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** CPUs this process may use: the scheduler's mask, less a container's quota (cgroup v2 cpu.max, v1 cfs_quota). May be fractional. */
export function cpuCount(read: (file: string) => string | undefined = readOrNothing, available: number = availableParallelism()): number {
  return Math.min(available, quotaOfV2(read) ?? quotaOfV1(read) ?? Infinity);
}

/** "200000 100000" = 2 CPUs; "max 100000" = no quota. */
function quotaOfV2(read: (file: string) => string | undefined): number | undefined {
  const [quota, period] = (read('/sys/fs/cgroup/cpu.max') ?? '').trim().split(/\s+/).map(Number);
  return ratio(quota, period);
}

function quotaOfV1(read: (file: string) => string | undefined): number | undefined {
  return ratio(Number(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us')), Number(read('/sys/fs/cgroup/cpu/cpu.cfs_period_us')));
}

function ratio(quota: number | undefined, period: number | undefined): number | undefined {
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : undefined;
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
