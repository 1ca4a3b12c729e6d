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

it('counts nothing for a process that is gone', () => {
  expect(cpuUs([2 ** 30])).toBe(0);
  expect(residentMb([2 ** 30])).toBe(0);
});
