import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { paths } from '../../harness/paths.js';
import { freePort, tempDir } from '../../harness/places.js';
import { startProcess } from '../../harness/process.js';
import { tool } from '../../harness/tools.js';
import type { BenchToolName, Tool, ToolName } from '../../harness/tools.js';
import { maxBatchRows } from '../workload/models.js';
import { Unavailable } from './subject.js';
import type { RunningSubject, Serve, Subject } from './subject.js';

/** How a peer is started: its command line and its files, in a folder of its own. */
interface Launch {
  readonly args: readonly string[];
  readonly threads: number;
}

/** Peers may take long to stop while they are busy; how they exit is not measured. */
const stopMs = 15_000;
const saidChars = 1_000;

/** Adaptive batching of at most 1 ms, in one process: with workers every request crosses a queue between processes. */
export const mlserver: Subject = peer('MLServer', 'mlserver', async (serve, ports, folder) => {
  const settings = {
    host: '127.0.0.1',
    http_port: ports.http,
    grpc_port: ports.grpc,
    metrics_port: ports.metrics,
    metrics_dir: join(folder, 'metrics'),
    parallel_workers: 0,
    debug: false,
  };
  await mkdir(settings.metrics_dir);
  await writeFile(join(folder, 'settings.json'), JSON.stringify(settings));
  for (const { name, file } of serve.models) {
    const model = {
      name,
      implementation: 'mlserver_onnx.OnnxModel',
      max_batch_size: maxBatchRows,
      max_batch_time: 0.001,
      parameters: { uri: file },
    };
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'model-settings.json'), JSON.stringify(model));
  }
  return { args: [join(paths.clients, 'mlserver_start.py'), 'start', folder], threads: serve.peerThreads };
});

/** Has no batching of its own. The line it logs for each request is off, as a busy installation would have it. */
export const kserve: Subject = peer('KServe server', 'kserve', async (serve, ports, folder) => {
  // Short names: Python's onnxruntime crashes on import where the command line is about 100 KB long.
  const files = [...new Set(serve.models.map(({ file }) => file))];
  await Promise.all(files.map((file, index) => symlink(file, join(folder, `${index}.onnx`))));
  const models = serve.models.flatMap(({ name, file }) => ['--model', `${name}=${files.indexOf(file)}.onnx`]);
  const listen = ['--http_port', String(ports.http), '--grpc_port', String(ports.grpc)];
  const args = [join(paths.clients, 'kserve_onnx.py'), ...models, ...listen, '--enable_latency_logging', 'false'];
  return { args, threads: serve.peerThreads };
});

const tritonInstances = 2;
const tritonStart = (script: string, folder: string): string[] => [
  join(paths.root, 'test/bench/subjects/triton', script),
  join(folder, 'config.json'),
  folder,
];

/** Tuned: a back end written for it, dynamic batching, two instances of one thread each, as Headrace has on two cores. */
export const triton: Subject = peer('Triton (Python back end)', 'pytriton', async (serve, ports, folder) => {
  const models = serve.models.map(({ name, file }) => ({ name, file, maxBatchSize: maxBatchRows }));
  const config = { grpcPort: ports.grpc, httpPort: ports.http, instances: tritonInstances, deadlineMs: serve.deadlineMs ?? null, models };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  return { args: tritonStart('start.py', folder), threads: 1 };
});

/** As pytriton's documentation binds a function: its batcher's defaults, and one function in one process, so one instance. */
export const boundTriton: Subject = peer('Triton (pytriton)', 'pytriton', async (serve, ports, folder) => {
  const models = serve.models.map(({ name, file }) => ({ name, file, maxBatchSize: maxBatchRows }));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ grpcPort: ports.grpc, httpPort: ports.http, models }));
  return { args: tritonStart('bound.py', folder), threads: serve.peerThreads };
});

/** The two ways to have Triton, for verdicts that name them. */
export const tritons: readonly { readonly subject: Subject; readonly called: string }[] = [
  { subject: triton, called: 'Triton, tuned' },
  { subject: boundTriton, called: 'Triton, as pytriton binds it' },
];

type Ports = Readonly<Record<'grpc' | 'http' | 'metrics', number>>;

function peer(
  name: string,
  toolName: ToolName | BenchToolName,
  launch: (serve: Serve, ports: Ports, folder: string) => Promise<Launch>,
): Subject {
  const program = async (): Promise<Tool> => {
    const found = await tool(toolName);
    if ('skip' in found) throw new Unavailable(found.skip);
    return found;
  };
  const install = async (): Promise<void> => void (await program());
  const start = async (serve: Serve): Promise<RunningSubject> => {
    const found = await program();
    const folder = await tempDir('peer');
    const [grpc, http, metrics] = await Promise.all([freePort(), freePort(), freePort()]);
    const { args, threads } = await launch(serve, { grpc, http, metrics }, folder.path);
    const server = await startProcess(found.path, args, { name, cwd: folder.path, env: environment(found, threads) });
    const stop = async (): Promise<void> => {
      await server.stop(stopMs).catch(() => undefined);
      await folder.remove();
    };
    // Listening comes before ready here; who measures asks for an answer first.
    const died = (): string | undefined =>
      server.exit === undefined ? undefined : `${server.stdout}\n${server.stderr}`.trim().slice(-saidChars);
    return { address: `127.0.0.1:${grpc}`, pids: [server.pid], died, stop };
  };
  return { name, install, start };
}

function environment(found: Tool, threads: number): Record<string, string> {
  return { ...found.env, PYTHONPATH: paths.clients, PYTHONDONTWRITEBYTECODE: '1', ONNX_THREADS: String(threads) };
}
