import { open, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const heartbeatMs = 5_000;
const staleMs = 30_000;
const pollMs = 250;

/**
 * Runs `work` while holding the lock file, so that two clones do not install the same thing twice at once.
 *
 * The holder touches the file every 5 s; a lock untouched for 30 s belongs to a killed process and is taken over. Two waiters
 * may take over the same stale lock and both go on: that wastes work and harms nothing, because what is installed is renamed
 * into place whole.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, onWait: () => void = () => undefined): Promise<T> {
  let waited = false;
  while (!(await tryTake(file))) {
    if (!waited) onWait();
    waited = true;
    await sleep(pollMs);
  }
  const heartbeat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), heartbeatMs);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(file, { force: true });
  }
}

async function tryTake(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(`${process.pid}\n`);
    await handle.close();
    return true;
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  }
  const touchedMs = await stat(file).then(
    (found) => found.mtimeMs,
    () => undefined,
  );
  if (touchedMs !== undefined && Date.now() - touchedMs > staleMs) await rm(file, { force: true });
  return false;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
