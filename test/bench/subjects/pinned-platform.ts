import { startGateway } from '../../harness/platform.js';
import { tempDir } from '../../harness/places.js';
import { startPinnedInference } from './pinned-inference.js';
import { profileEnvironment } from './profile-environment.js';
import type { Subject } from './subject.js';

/**
 *     core 0: gateway, the server's own thread; load generators belong here too
 *     core 1: the only instance of each model
 */
export const restCore = 0;
const instanceCore = 1;

/** gatewayAndServer with one instance that shares its core with nothing. */
export const pinnedGatewayAndServer: Subject = {
  name: 'gateway + server, the instance on a core of its own',
  start: async (serve) => {
    const env = profileEnvironment(serve.profileFolder);
    const models = serve.models.map(({ name, file }) => ({ name, file, core: instanceCore }));
    const server = await startPinnedInference(models, restCore, env);
    const folder = await tempDir('pinned-platform');
    const stopServer = async (): Promise<void> => {
      await server.stop();
      await folder.remove();
    };
    try {
      const table = { backends: [{ name: 'pinned', address: server.address }] };
      const gateway = await startGateway({ table, folder: folder.path, env, core: restCore });
      const stop = async (): Promise<void> => {
        await gateway.process.stop();
        await stopServer();
      };
      return { address: gateway.address, pids: [gateway.process.pid, ...server.pids], stop };
    } catch (error) {
      await stopServer();
      throw error;
    }
  },
};
