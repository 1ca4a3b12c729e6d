import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestCertificates } from '@headrace/wire/testing';
import { freePort, tempDir } from '../../harness/places.js';
import { startGateway } from '../../harness/platform.js';
import { startProcess } from '../../harness/process.js';
import { tool } from '../../harness/tools.js';
import type { BenchToolName, Tool, ToolName } from '../../harness/tools.js';
import { startEnvoy } from '../../wire-conformance/envoy-process.js';
import { echoModel } from '../workload/echo-messages.js';
import { nginxConfig } from './nginx-config.js';
import { profileEnvironment } from './profile-environment.js';
import { Unavailable } from './subject.js';
import type { RunningSubject } from './subject.js';

export interface ProxyOptions {
  /** "host:port" */
  readonly backend: string;
  /** Given: TLS on both sides, with the server certificate of these. */
  readonly certificates?: TestCertificates | undefined;
  readonly profileFolder?: string | undefined;
}

/** What stands between the clients and one back end; `pids` are the proxy's alone. */
export interface Proxy {
  readonly name: string;
  start(options: ProxyOptions): Promise<RunningSubject>;
}

/** The limit: no proxy. */
export const direct: Proxy = {
  name: 'direct',
  start: async ({ backend, certificates }) => ({ address: backend, ...authorityOf(certificates), pids: [], stop: async () => undefined }),
};

/** Never batches, and takes what comes to the back end at once, as a proxy without a batcher does. */
export const gatewayProxy: Proxy = {
  name: 'gateway',
  start: async ({ backend, certificates, profileFolder }) => {
    const folder = await tempDir('gateway-proxy');
    const secure = certificates === undefined ? {} : { tls: { authorityFile: certificates.authorityFile, serverName: 'localhost' } };
    const table = {
      backends: [{ name: 'echo', address: backend, ...secure }],
      models: [
        {
          // By name: the echo has no index to find it in.
          name: echoModel,
          batching: { maxBatchRows: 0 },
          priority: { bands: 1, default: 1, bypass: 1, bypassMaxSharePercent: 100 },
        },
      ],
    };
    const files =
      certificates === undefined ? [] : ['--tls-cert', certificates.server.certificateFile, '--tls-key', certificates.server.keyFile];
    try {
      const gateway = await startGateway({ table, folder: folder.path, args: files, env: profileEnvironment(profileFolder) });
      const stop = async (): Promise<void> => {
        await gateway.process.stop();
        await folder.remove();
      };
      return { address: gateway.address, ...authorityOf(certificates), pids: [gateway.process.pid], stop };
    } catch (error) {
      await folder.remove();
      throw error;
    }
  },
};

/** LEAST_REQUEST, one worker thread. */
export const envoy: Proxy = {
  name: 'Envoy',
  start: async ({ backend, certificates }) => {
    const running = await startEnvoy(await installed('envoy'), { serverPort: portOf(backend), certificates });
    return { address: `127.0.0.1:${running.port}`, ...authorityOf(certificates), pids: [running.process.pid], stop: () => running.stop() };
  },
};

/** grpc_pass, one worker process. */
export const nginx: Proxy = {
  name: 'nginx',
  start: async ({ backend, certificates }) => {
    const program = await installed('nginx');
    const folder = await tempDir('nginx');
    const listenPort = await freePort();
    const config = join(folder.path, 'nginx.conf');
    await writeFile(config, nginxConfig({ listenPort, backend, certificates, folder: folder.path }));
    const server = await startProcess(program.path, ['-p', folder.path, '-e', 'stderr', '-c', config], { name: 'nginx', env: program.env });
    const stop = async (): Promise<void> => {
      await server.stop();
      await folder.remove();
    };
    const died = (): string | undefined => (server.exit === undefined ? undefined : server.stderr.trim());
    return { address: `127.0.0.1:${listenPort}`, ...authorityOf(certificates), pids: [server.pid], died, stop };
  },
};

async function installed(name: ToolName | BenchToolName): Promise<Tool> {
  const found = await tool(name);
  if ('skip' in found) throw new Unavailable(found.skip);
  return found;
}

function authorityOf(certificates: TestCertificates | undefined): Pick<RunningSubject, 'authorityFile'> {
  return certificates === undefined ? {} : { authorityFile: certificates.authorityFile };
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
