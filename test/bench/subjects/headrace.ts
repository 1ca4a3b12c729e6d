import { startInference, startPlatform } from '../../harness/platform.js';
import { profileEnvironment } from './profile-environment.js';
import { writeRepository } from './repository.js';
import type { Subject } from './subject.js';

/** headrace-inference as a client meets it directly. */
export const inferenceAlone: Subject = {
  name: 'headrace-inference',
  start: async (serve) => {
    const repository = await writeRepository(serve.models);
    const server = await startInference({ models: repository.path, env: profileEnvironment(serve.profileFolder) });
    const stop = async (): Promise<void> => {
      await server.process.stop();
      await repository.remove();
    };
    return { address: server.address, pids: [server.process.pid], stop };
  },
};

/** The gateway in front of one inference server, with nothing configured. */
export const gatewayAndServer: Subject = {
  name: 'gateway + server',
  start: async (serve) => {
    const repository = await writeRepository(serve.models);
    const platform = await startPlatform({ models: repository.path, env: profileEnvironment(serve.profileFolder) });
    const pids = [platform.gateway.process.pid, ...platform.replicas.map((replica) => replica.process.pid)];
    const stop = async (): Promise<void> => {
      await platform.stop();
      await repository.remove();
    };
    return { address: platform.address, pids, stop };
  },
};
