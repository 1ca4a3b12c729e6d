import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { paths, startProcess, tempDir } from '../harness/index.js';
import type { RunningProcess } from '../harness/index.js';
import { modelFolder } from '../harness/model-folder.js';
import { until } from '../harness/until.js';
import { childrenOf } from './processes.js';

const isReady = (line: unknown): true | undefined =>
  typeof line === 'object' && line !== null && 'event' in line && line.event === 'ready' ? true : undefined;

describe('headrace up is killed with SIGKILL', { timeout: 300_000 }, () => {
  test('its processes end by themselves, and the next one removes what it left on disk', async (context) => {
    if (process.platform !== 'linux') context.skip('finds the processes in /proc: Linux only');
    const models = await modelFolder('tiny');
    const temporary = await tempDir('up-killed');
    const stateDirs = (): readonly string[] => readdirSync(temporary.path).filter((name) => name.startsWith('headrace-up-'));
    const start = async (): Promise<RunningProcess> => {
      const args = ['up', '--json', '--models', models.path, '--replicas', '2', '--grpc-port', '0', '--metrics-port', '0'];
      const up = await startProcess(process.execPath, [paths.cliMain, ...args], { name: 'headrace up', env: { TMPDIR: temporary.path } });
      await up.announced('the platform', isReady, 120_000);
      return up;
    };

    const killed = await start();
    const children = childrenOf(killed.pid, '--grpc-port');
    expect(children).toHaveLength(3);
    const left = stateDirs();
    expect(left).toHaveLength(1);
    killed.kill('SIGKILL');
    await until('its processes end', () => children.every(isGone));
    expect(stateDirs()).toEqual(left);

    const next = await start();
    const [own] = stateDirs();
    expect([stateDirs().length, left.includes(own ?? '')]).toEqual([1, false]);
    expect((await next.stop(60_000)).code).toBe(0);
    expect(stateDirs()).toEqual([]);
    await Promise.all([models.remove(), temporary.remove()]);
  });
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
