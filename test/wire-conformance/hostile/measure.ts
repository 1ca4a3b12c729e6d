import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { paths } from '../../harness/paths.js';
import { startProcess } from '../../harness/process.js';
import type { RunningProcess } from '../../harness/process.js';
import type { AttackerReport } from './attacker-main.js';
import type { AttackName } from './attacks.js';
import type { BystanderReport } from './bystander-main.js';

export interface Measured {
  readonly quiet: BystanderReport;
  readonly attacked: BystanderReport;
  readonly attacker: AttackerReport;
  /** Resident set of the server before the attack, and the most that it was during it. */
  readonly quietBytes: number;
  readonly peakBytes: number;
}

/** Three processes: server, bystander and attacker. First the bystander in peace, then for as long beside the attack. */
export async function measureAttack(name: AttackName, seconds: number): Promise<Measured> {
  const server = await start('server-main.js');
  try {
    const port = await server.announced('port', (line) => (isEvent<{ port: number }>(line, 'ready') ? line.port : undefined));
    const quiet = await bystander(port, seconds);
    const quietBytes = await residentBytes(server.pid, 'VmRSS');
    await forgetPeak(server.pid);
    const attacker = await start('attacker-main.js', name, String(port));
    await attacker.announced('attack', (line) => (isEvent(line, 'attacking') ? true : undefined));
    const attacked = await bystander(port, seconds);
    // On a slow machine the first script may not have reached its end.
    await attacker.announced('word', (line) => (isEvent(line, 'told') ? true : undefined));
    attacker.kill('SIGTERM');
    const report = await attacker.announced('report', (line) => (isEvent<AttackerReport>(line, 'attacker') ? line : undefined));
    await attacker.exited;
    const peakBytes = await residentBytes(server.pid, 'VmHWM');
    return { quiet, attacked, attacker: report, quietBytes, peakBytes };
  } finally {
    await server.stop();
  }
}

async function bystander(port: number, seconds: number): Promise<BystanderReport> {
  const process = await start('bystander-main.js', String(port), String(seconds));
  const report = await process.announced('report', (line) => (isEvent<BystanderReport>(line, 'bystander') ? line : undefined));
  await process.exited;
  return report;
}

function start(main: string, ...args: readonly string[]): Promise<RunningProcess> {
  return startProcess(process.execPath, [join(paths.root, 'test/dist/test/wire-conformance/hostile', main), ...args], { name: main });
}

function isEvent<T>(line: unknown, event: string): line is T {
  return typeof line === 'object' && line !== null && 'event' in line && line.event === event;
}

/** proc(5): VmRSS is now, VmHWM the most since the start or since forgetPeak. */
async function residentBytes(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status has no ${field}`);
  return Number(kibibytes) * 1024;
}

async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}
