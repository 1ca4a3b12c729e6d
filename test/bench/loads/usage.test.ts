import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { cpuUs, measureUsage, otherCores, processTree, residentMb } from './usage.js';
import type { Reading } from './usage.js';

it('finds children, their memory and their CPU time', async (context) => {
  if (process.platform !== 'linux') context.skip('reads /proc: Linux only');
  // Works until it has used 150 ms of CPU, however long a busy machine takes to give them.
  const work = 'while (process.cpuUsage().user < 150_000); process.stdout.write("done"); process.stdin.resume()';
  const child = spawn(process.execPath, ['-e', work], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const pid = child.pid ?? 0;
    const { cpuUs: used } = await measureUsage([pid], () => new Promise((resolve) => child.stdout.once('data', resolve)));
    expect(processTree([process.pid])).toContain(pid);
    expect(used).toBeGreaterThanOrEqual(100_000);
    expect(cpuUs([pid])).toBeGreaterThanOrEqual(used);
    expect(residentMb([pid])).toBeGreaterThan(5);
  } finally {
    child.kill('SIGKILL');
  }
});

describe('otherCores', () => {
  const before: Reading = { atMs: 1_000, measuredUs: 5e6, setUpUs: 7e6, machineUs: 90e6 };

  it.each([
    ['what is left of the machine after the measured and the set-up', { measuredUs: 1e6, setUpUs: 1.5e6, machineUs: 3.5e6 }, 0.5],
    ['none on a quiet machine', { measuredUs: 1e6, setUpUs: 1e6, machineUs: 2e6 }, 0],
    ['none where the counters are too coarse', { measuredUs: 1e6, setUpUs: 1e6, machineUs: 1.9e6 }, 0],
  ])('%s', (_, used, cores) => {
    const after: Reading = {
      atMs: before.atMs + 2_000,
      measuredUs: before.measuredUs + used.measuredUs,
      setUpUs: before.setUpUs + used.setUpUs,
      machineUs: before.machineUs + used.machineUs,
    };
    expect(otherCores(before, after)).toBe(cores);
  });
});

it('counts nothing for a process that is gone', () => {
  expect(cpuUs([2 ** 30])).toBe(0);
  expect(residentMb([2 ** 30])).toBe(0);
});
