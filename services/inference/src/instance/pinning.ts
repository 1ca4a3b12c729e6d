import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export type Pinning = { readonly ok: true } | { readonly ok: false; readonly message: string };

/**
 * Binds one thread of this process to one core. Node has no sched_setaffinity, so util-linux's taskset does it from
 * outside; where it is missing, or the core is not ours to use, the message says so and the thread runs unpinned.
 */
export async function pinThread(threadId: number | undefined, core: number): Promise<Pinning> {
  if (threadId === undefined)
    return { ok: false, message: `core ${core}: this system does not tell thread ids (/proc/thread-self), expected Linux` };
  try {
    await promisify(execFile)('taskset', ['-p', '-c', String(core), String(threadId)]);
    return { ok: true };
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    const why = code === 'ENOENT' ? 'the program taskset (package util-linux) is not installed' : (stderr ?? String(error)).trim();
    return { ok: false, message: `core ${core}: ${why}` };
  }
}
