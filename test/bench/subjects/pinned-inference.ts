import { paths } from '../../harness/paths.js';
import { startProcess } from '../../harness/process.js';
import { readyPort } from './ready-port.js';
import { writeRepository } from './repository.js';
import type { RepositoryEntry } from './repository.js';
import type { RunningSubject } from './subject.js';

/** An inference server whose threads all run on `core`, but for instances that its model.yaml files put elsewhere. */
export async function startPinnedInference(
  models: readonly RepositoryEntry[],
  core: number,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningSubject> {
  const repository = await writeRepository(models);
  const serverArgs = ['--model-repository', repository.path, '--grpc-port', '0', '--host', '127.0.0.1', '--announce'];
  const args = ['-c', String(core), process.execPath, paths.inferenceMain, ...serverArgs];
  // taskset becomes the server: the pid stays.
  const server = await startProcess('taskset', args, { name: 'pinned headrace-inference', env });
  const stop = async (): Promise<void> => {
    await server.stop();
    await repository.remove();
  };
  try {
    const port = await server.announced('the ready announcement', readyPort);
    return { address: `127.0.0.1:${port}`, pids: [server.pid], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
