import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { pinThread } from './pinning.js';
import { WorkerThread } from './worker-thread.js';

const thread = new WorkerThread();
afterAll(() => thread.stop());

it('a worker thread knows its kernel id and is bound to the core, or it is said why not', async (context) => {
  if (process.platform !== 'linux') context.skip('reads thread ids from /proc: Linux only');
  const id = await thread.threadId;
  const allowed = (): string => /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync(`/proc/self/task/${id}/status`, 'utf8'))?.[1] ?? '';
  const core = Number(/^\d+/.exec(allowed())?.[0]);
  const pinning = await pinThread(id, core);
  expect(pinning.ok ? allowed() : pinning.message).toMatch(pinning.ok ? new RegExp(`^${core}$`) : /taskset|util-linux/);
});

it('a core that does not exist is told, not thrown', async () => {
  const pinning = await pinThread(await thread.threadId, 65_000);
  expect(pinning.ok ? '' : pinning.message).toMatch(/^core 65000: ./);
});

it('a system without thread ids is told', async () => {
  expect(await pinThread(undefined, 0)).toEqual({
    ok: false,
    message: 'core 0: this system does not tell thread ids (/proc/thread-self), expected Linux',
  });
});
