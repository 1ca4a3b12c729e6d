import { expect, it } from 'vitest';
import { cpuQuota } from './cpu-quota.js';

const v2 = '0::/pod/container\n';
const v1 = '4:cpu,cpuacct:/docker/a\n1:name=systemd:/docker/a\n';

it.each<[string, Record<string, string>, number, number]>([
  ['no cgroup at all', {}, 8, 8],
  ['no limit', { '/proc/self/cgroup': v2, '/sys/fs/cgroup/pod/container/cpu.max': 'max 100000\n' }, 8, 8],
  ['2.5 cores, rounded down', { '/proc/self/cgroup': v2, '/sys/fs/cgroup/pod/container/cpu.max': '250000 100000\n' }, 8, 2],
  ['half a core is one', { '/proc/self/cgroup': v2, '/sys/fs/cgroup/pod/container/cpu.max': '50000 100000\n' }, 8, 1],
  [
    'the limit of a group above',
    { '/proc/self/cgroup': v2, '/sys/fs/cgroup/pod/container/cpu.max': 'max 100000', '/sys/fs/cgroup/pod/cpu.max': '300000 100000' },
    8,
    3,
  ],
  ['the limit at the root of a namespace', { '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/cpu.max': '400000 100000' }, 8, 4],
  ['a path outside the namespace', { '/proc/self/cgroup': '0::/../other', '/sys/fs/cgroup/cpu.max': '400000 100000' }, 8, 4],
  ['fewer cores than the quota', { '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/cpu.max': '400000 100000' }, 2, 2],
  [
    'v1',
    {
      '/proc/self/cgroup': v1,
      '/sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us': '200000\n',
      '/sys/fs/cgroup/cpu/docker/a/cpu.cfs_period_us': '100000\n',
    },
    8,
    2,
  ],
  [
    'v1 without a limit',
    {
      '/proc/self/cgroup': v1,
      '/sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/docker/a/cpu.cfs_period_us': '100000\n',
    },
    8,
    8,
  ],
  [
    'v1 seen from inside the container',
    { '/proc/self/cgroup': v1, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '150000\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
    8,
    1,
  ],
])('%s', (_name, files, parallelism, expected) => {
  expect(cpuQuota((path) => files[path], parallelism)).toBe(expected);
});
