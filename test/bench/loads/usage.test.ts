import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { cpuUs, measureUsage, processTree, residentMb } from './usage.js';

it.runIf(process.platform === 'linux')('finds children, their memory and their CPU time', async () => {
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

it.runIf(process.platform === 'linux')('takes processes beside the measured ones for neither measured nor others', async () => {
  const work = 'while (process.cpuUsage().user < 50_000); process.stdout.write("done"); process.stdin.resume()';
  const child = spawn(process.execPath, ['-e', work], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const worked = () => new Promise((resolve) => child.stdout.once('data', resolve));
    // The same time measured twice: what differs is the child.
    const outer = await measureUsage([], () => measureUsage([], worked, [child.pid ?? 0]));
    expect(outer.result.cpuUs).toBe(0);
    expect(outer.result.otherCores).toBeLessThan(outer.otherCores);
  } finally {
    child.kill('SIGKILL');
  }
});

it('counts nothing for a process that is gone', () => {
  expect(cpuUs([2 ** 30])).toBe(0);
  expect(residentMb([2 ** 30])).toBe(0);
});
