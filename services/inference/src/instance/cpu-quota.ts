import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

export type ReadText = (path: string) => string | undefined;

/**
 * Whole cores this process may use: the tightest cgroup quota on the way up from its own group, rounded down, at least
 * one; without a quota what the scheduler offers. E.g. cpu.max "250000 100000" = 2.5 cores => 2.
 */
export function cpuQuota(read: ReadText = readText, parallelism: number = availableParallelism()): number {
  const limits = [...quotasV2(read), ...quotasV1(read)];
  return Math.max(1, Math.floor(Math.min(parallelism, ...limits)));
}

/** cgroup v2: "max 100000" or "<quota us> <period us>". */
function quotasV2(read: ReadText): number[] {
  const own = groupPath(read, (controllers, id) => id === '0' && controllers === '') ?? '/';
  return ancestors(own).flatMap((group) => {
    const [quota, period] = (read(join('/sys/fs/cgroup', group, 'cpu.max')) ?? '').trim().split(' ');
    return share(quota, period);
  });
}

/** cgroup v1: two files; quota -1 means none. */
function quotasV1(read: ReadText): number[] {
  const own = groupPath(read, (controllers) => controllers.split(',').includes('cpu')) ?? '/';
  return ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpu,cpuacct'].flatMap((mount) =>
    ancestors(own).flatMap((group) =>
      share(read(join(mount, group, 'cpu.cfs_quota_us'))?.trim(), read(join(mount, group, 'cpu.cfs_period_us'))?.trim()),
    ),
  );
}

function share(quota: string | undefined, period: string | undefined): number[] {
  const cores = Number(quota) / Number(period);
  return quota !== undefined && quota !== '' && Number.isFinite(cores) && cores > 0 ? [cores] : [];
}

/** Lines of /proc/self/cgroup: "id:controllers:path". */
function groupPath(read: ReadText, wanted: (controllers: string, id: string) => boolean): string | undefined {
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [id, controllers, ...path] = line.split(':');
    if (id !== undefined && controllers !== undefined && wanted(controllers, id)) return path.join(':');
  }
  return undefined;
}

/** "/a/b" => "/a/b", "/a", "/". A path with ".." lies outside this namespace: only the root is looked at. */
function ancestors(group: string): string[] {
  const parts = group.split('/').filter((part) => part !== '');
  if (parts.includes('..')) return ['/'];
  return [...parts.map((_, index) => `/${parts.slice(0, parts.length - index).join('/')}`), '/'];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
