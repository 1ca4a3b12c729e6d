import { expect, test } from 'vitest';
import { cpuCount } from './cpu-count.js';
import { place } from './placement.js';

test.each([
  [1, undefined, [1]],
  [2, undefined, [1, 1]],
  [6, undefined, [3, 3]],
  [16, undefined, [4, 4, 4, 4]],
  [2.9, undefined, [1, 1]],
  [0.5, undefined, [1]],
  [128, undefined, Array.from({ length: 8 }, () => 16)],
  [8, 3, [3, 3, 2]],
  [2, 4, [1, 1, 1, 1]],
])('%d CPUs, --replicas %s: instances %j', (cpus, replicas, instances) => {
  expect(place(cpus, replicas)).toEqual({ replicas: instances.length, instances });
});

test.each([
  ['no quota', {}, 8],
  ['cgroup v2', { '/sys/fs/cgroup/cpu.max': '250000 100000\n' }, 2.5],
  ['cgroup v2 without a limit', { '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, 8],
  ['cgroup v1', { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '300000', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000' }, 3],
  ['cgroup v1 without a limit', { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000' }, 8],
  ['a quota above the machine', { '/sys/fs/cgroup/cpu.max': '9900000 100000' }, 8],
])('cpuCount: %s', (_, files: Record<string, string>, expected) => {
  expect(cpuCount((file) => files[file], 8)).toBe(expected);
});
