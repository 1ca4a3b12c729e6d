import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { paths } from './paths.js';
import { freePort, tempDir } from './places.js';
import { startProcess } from './process.js';
import type { RunningProcess } from './process.js';
import type { Tool } from './tools.js';

/** A model server that nobody here wrote. */
export interface Peer {
  /** "127.0.0.1:PORT", gRPC. */
  readonly address: string;
  readonly process: RunningProcess;
  stop(): Promise<void>;
}

export interface PeerOptions {
  /** Model names with the path of their ONNX file. */
  readonly models: Readonly<Record<string, string>>;
  /** Intra-op threads; default 1. */
  readonly threads?: number;
  /** MLServer's adaptive batching; default 0, none. */
  readonly maxBatchRows?: number;
}

const loopback = '127.0.0.1';
/** Peers take seconds to stop when they are busy; their exit code is not what is tested. */
const stopMs = 15_000;

export async function startMlserver(tool: Tool, options: PeerOptions): Promise<Peer> {
  const folder = await tempDir('mlserver');
  const [httpPort, grpcPort, metricsPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const settings = {
    host: loopback,
    http_port: httpPort,
    grpc_port: grpcPort,
    metrics_port: metricsPort,
    metrics_dir: join(folder.path, 'metrics'),
    parallel_workers: 0,
    debug: false,
  };
  await mkdir(settings.metrics_dir);
  await writeFile(join(folder.path, 'settings.json'), JSON.stringify(settings));
  for (const [name, file] of Object.entries(options.models)) {
    await mkdir(join(folder.path, name));
    const model = {
      name,
      implementation: 'mlserver_onnx.OnnxModel',
      parameters: { uri: file },
      ...(options.maxBatchRows === undefined ? {} : { max_batch_size: options.maxBatchRows, max_batch_time: 0.001 }),
    };
    await writeFile(join(folder.path, name, 'model-settings.json'), JSON.stringify(model));
  }
  const server = await startProcess(tool.path, [join(paths.clients, 'mlserver_start.py'), 'start', folder.path], {
    name: 'mlserver',
    cwd: folder.path,
    env: environment(tool, options),
  });
  for (const name of Object.keys(options.models)) {
    await server.waitFor(
      `MLServer loading ${name}`,
      ({ stdout, stderr }) => (stdout + stderr).includes(`Loaded model '${name}' successfully`) || undefined,
    );
  }
  return ready(server, grpcPort, () => folder.remove());
}

export async function startKserve(tool: Tool, options: PeerOptions): Promise<Peer> {
  const [httpPort, grpcPort] = await Promise.all([freePort(), freePort()]);
  const models = Object.entries(options.models).flatMap(([name, file]) => ['--model', `${name}=${file}`]);
  const args = [join(paths.clients, 'kserve_onnx.py'), ...models, '--http_port', String(httpPort), '--grpc_port', String(grpcPort)];
  const server = await startProcess(tool.path, args, { name: 'kserve', env: environment(tool, options) });
  return ready(server, grpcPort, () => Promise.resolve());
}

function environment(tool: Tool, options: PeerOptions): Record<string, string> {
  return { ...tool.env, PYTHONPATH: paths.clients, PYTHONDONTWRITEBYTECODE: '1', ONNX_THREADS: String(options.threads ?? 1) };
}

async function ready(server: RunningProcess, port: number, cleanUp: () => Promise<void>): Promise<Peer> {
  const giveUpMs = performance.now() + 60_000;
  while (!(await listens(port))) {
    if (server.exit !== undefined || performance.now() > giveUpMs) {
      throw new Error(`${server.name} does not listen on ${port}\n${server.stderr.slice(-4_000)}`);
    }
    await sleep(50);
  }
  const stop = async (): Promise<void> => {
    await server.stop(stopMs).catch(() => undefined);
    await cleanUp();
  };
  return { address: `${loopback}:${port}`, process: server, stop };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, loopback, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
