import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startProcess, tempDir } from '../harness/index.js';
import type { RunningProcess, Tool } from '../harness/index.js';
import { envoyConfig } from './envoy-config.js';
import type { EnvoyRoute } from './envoy-config.js';

export interface RunningEnvoy {
  readonly port: number;
  readonly process: RunningProcess;
  stop(): Promise<void>;
}

/** Envoy with one worker thread, ready. */
export async function startEnvoy(tool: Tool, route: Omit<EnvoyRoute, 'listenPort'>): Promise<RunningEnvoy> {
  const folder = await tempDir('envoy');
  const port = await freePort();
  const file = join(folder.path, 'envoy.json');
  await writeFile(file, envoyConfig({ ...route, listenPort: port }));
  const args = ['--config-path', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'info'];
  const process = await startProcess(tool.path, args, { name: 'envoy', env: tool.env });
  const stop = async (): Promise<void> => {
    await process.stop();
    await folder.remove();
  };
  try {
    await process.waitFor('Envoy being ready', ({ stderr }) => stderr.includes('starting main dispatch loop') || undefined);
    return { port, process, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
