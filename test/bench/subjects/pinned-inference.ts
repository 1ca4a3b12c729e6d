import { paths } from '../../harness/paths.js';
import { startProcess } from '../../harness/process.js';
import { writeRepository } from './repository.js';
import type { RepositoryEntry } from './repository.js';
import type { RunningSubject } from './subject.js';

/** An inference server whose threads all run on `core`, but for instances that its model.yaml files put elsewhere. */
export async function startPinnedInference(models: readonly RepositoryEntry[], core: number): Promise<RunningSubject> {
  const repository = await writeRepository(models);
  const serverArgs = ['--model-repository', repository.path, '--grpc-port', '0', '--host', '127.0.0.1', '--announce'];
  const args = ['-c', String(core), process.execPath, paths.inferenceMain, ...serverArgs];
  // taskset becomes the server: the pid stays.
  const server = await startProcess('taskset', args, { name: 'pinned headrace-inference' });
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

function readyPort(line: unknown): number | undefined {
  if (typeof line !== 'object' || line === null || !('event' in line) || line.event !== 'ready') return undefined;
  return 'grpcPort' in line && typeof line.grpcPort === 'number' ? line.grpcPort : undefined;
}
