import { readFileSync, readdirSync } from 'node:fs';

/** Direct children of a process whose command line contains `part`, by pid. Reads /proc. */
export function childrenOf(parent: number, part: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((pid) => parentOf(pid) === parent && read(`/proc/${pid}/cmdline`).includes(part))
    .map(Number);
}

/** Resident memory in MiB. */
export function residentMiB(pid: number): number {
  const kib = /VmRSS:\s+([0-9]+) kB/.exec(read(`/proc/${pid}/status`))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} tells no resident memory`);
  return Number(kib) / 1024;
}

/** "PID (name) state PPID ...": the name may hold spaces and parentheses. */
function parentOf(pid: string): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Empty when the process ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
