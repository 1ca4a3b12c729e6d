import { readdirSync, readFileSync } from 'node:fs';

/** Linux reports process times in ticks of USER_HZ, which is 100 on every architecture that Node runs on. */
const usPerTick = 10_000;

/** `roots` and all that they started and that still runs. */
export function processTree(roots: readonly number[]): readonly number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = Number(statFields(Number(entry))?.[1]);
    if (Number.isFinite(parent)) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const tree = [...roots];
  for (let index = 0; index < tree.length; index++) tree.push(...(children.get(tree[index] ?? 0) ?? []));
  return tree;
}

export interface Usage<T> {
  readonly result: T;
  /** Of `pids` while the work went on. */
  readonly cpuUs: number;
  /** Cores that went to anything else but `pids`, `beside`, this process and its ended children (stolen time included): a quiet machine has about 0. */
  readonly otherCores: number;
}

/** What was used so far, in microseconds of CPU. */
export interface Reading {
  readonly atMs: number;
  readonly measuredUs: number;
  /** Of what belongs to the set-up and is not measured: the load generators, servers behind the one that is measured. */
  readonly setUpUs: number;
  /** Of all, these included. */
  readonly machineUs: number;
}

/** What `pids` and the rest of the machine used while `work` went on; `beside` belong to the set-up: neither measured nor others. */
export async function measureUsage<T>(pids: readonly number[], work: () => Promise<T>, beside: readonly number[] = []): Promise<Usage<T>> {
  const read = (): Reading => ({
    atMs: performance.now(),
    measuredUs: cpuUs(pids),
    setUpUs: cpuUs(beside) + selfUs(),
    machineUs: machineUs(),
  });
  const before = read();
  const result = await work();
  const after = read();
  return { result, cpuUs: after.measuredUs - before.measuredUs, otherCores: otherCores(before, after) };
}

/** Cores that went to neither the measured nor the set-up; never below 0, which the counters' coarseness could give. */
export function otherCores(before: Reading, after: Reading): number {
  const ours = (reading: Reading): number => reading.measuredUs + reading.setUpUs;
  const otherUs = after.machineUs - before.machineUs - (ours(after) - ours(before));
  return Math.max(0, otherUs / ((after.atMs - before.atMs) * 1000));
}

/** This process with the children that have ended, the load generators. */
function selfUs(): number {
  const fields = statFields(process.pid);
  return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields?.[index] ?? 0), 0) * usPerTick;
}

/** Of "cpu user nice system idle iowait irq softirq steal": all but idle and iowait. */
function machineUs(): number {
  const [, user, nice, system, , , irq, softirq, steal] = (read('/proc/stat') ?? '').split('\n', 1)[0]?.split(/ +/) ?? [];
  return [user, nice, system, irq, softirq, steal].reduce((sum, ticks) => sum + Number(ticks ?? 0), 0) * usPerTick;
}

/** utime + stime of all, in microseconds. */
export function cpuUs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = statFields(pid);
    ticks += Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0);
  }
  return ticks * usPerTick;
}

/** Proportional set size in megabytes (10^6 bytes): pages that several processes share are counted once in sum. */
export function residentMb(pids: readonly number[]): number {
  let kb = 0;
  for (const pid of pids) kb += Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '')?.[1] ?? 0);
  return (kb * 1024) / 1e6;
}

/** /proc/PID/stat after the name, which may hold spaces and brackets: [0] is the state, [1] the parent, [11] utime, [12] stime. */
function statFields(pid: number): readonly string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
