import { tempDir } from '../../harness/places.js';
import { startGateway } from '../../harness/platform.js';
import type { TableBody } from '../../harness/platform.js';
import { profileEnvironment } from './profile-environment.js';
import type { RunningSubject } from './subject.js';

export interface GatewayBefore {
  /** "host:port" of the only back end. */
  readonly backend: string;
  readonly table?: Omit<TableBody, 'backends'>;
  readonly profileFolder?: string | undefined;
}

/** A gateway before a back end that somebody else starts and stops; `pids` are the gateway's alone. */
export async function startGatewayBefore({ backend, table, profileFolder }: GatewayBefore): Promise<RunningSubject> {
  const folder = await tempDir('gateway');
  try {
    const body = { backends: [{ name: 'backend', address: backend }], ...table };
    const gateway = await startGateway({ table: body, folder: folder.path, env: profileEnvironment(profileFolder) });
    const stop = async (): Promise<void> => {
      await gateway.process.stop();
      await folder.remove();
    };
    return { address: gateway.address, pids: [gateway.process.pid], stop };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
