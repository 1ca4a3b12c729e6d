import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { paths } from './paths.js';
import { tempDir } from './places.js';
import { startProcess } from './process.js';
import type { Exit, RunningProcess } from './process.js';

/** A started server: what it announced, and its process. */
export interface RunningServer {
  /** "127.0.0.1:PORT" */
  readonly address: string;
  /** undefined: no metrics server was asked for. */
  readonly metricsPort: number | undefined;
  readonly process: RunningProcess;
}

export interface InferenceOptions {
  /** The model repository; default: test/models. */
  readonly models?: string;
  readonly metrics?: boolean;
  /** More command line, e.g. ['--model-control', 'explicit']. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly name?: string;
}

export interface BackendEntry {
  readonly name: string;
  /** "host:port" */
  readonly address: string;
  readonly [field: string]: unknown;
}

/** A RoutingTable without its two first lines. */
export interface TableBody {
  readonly backends: readonly BackendEntry[];
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly models?: readonly Readonly<Record<string, unknown>>[];
  readonly trafficPolicy?: Readonly<Record<string, unknown>>;
}

export interface GatewayOptions {
  readonly table: TableBody;
  /** Where the table is written; the caller keeps and removes the folder. */
  readonly folder: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** All its threads run there; absent: anywhere. */
  readonly core?: number;
}

export interface RunningGateway extends RunningServer {
  /** Replace its content to reload. */
  readonly tableFile: string;
}

export interface PlatformOptions extends InferenceOptions {
  /** Inference servers; default 1. */
  readonly replicas?: number;
  /** Settings of models and defaults in the table; the backends are filled in. */
  readonly table?: Omit<TableBody, 'backends'>;
  readonly gatewayArgs?: readonly string[];
}

export interface Platform {
  /** Of the gateway. */
  readonly address: string;
  readonly gateway: RunningGateway;
  readonly replicas: readonly RunningServer[];
  /** Ends the gateway, then the replicas; rejects when one of them hangs or exits with an error. */
  stop(): Promise<void>;
}

const loopback = '127.0.0.1';

export async function startInference(options: InferenceOptions = {}): Promise<RunningServer> {
  const args = ['--model-repository', options.models ?? paths.models, '--grpc-port', '0', '--host', loopback, '--announce'];
  if (options.metrics === true) args.push('--metrics-port', '0');
  return startServer(paths.inferenceMain, [...args, ...(options.args ?? [])], options.name ?? 'inference', options.env);
}

export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const tableFile = join(options.folder, 'routing-table.yaml');
  await writeFile(tableFile, tableText(options.table));
  // No load balancer looks at health here: nothing is gained by serving on for a second.
  const args = [
    '--config',
    tableFile,
    '--grpc-port',
    '0',
    '--metrics-port',
    '0',
    '--host',
    loopback,
    '--pre-stop-seconds',
    '0',
    '--announce',
  ];
  const server = await startServer(paths.gatewayMain, [...args, ...(options.args ?? [])], 'gateway', options.env, options.core);
  return { ...server, tableFile };
}

/** A gateway in front of `replicas` inference servers, as `headrace up` arranges them, on ports that the kernel picks. */
export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const { replicas: count = 1, table, gatewayArgs, ...inference } = options;
  const folder = await tempDir('platform');
  const starting = Array.from({ length: count }, (_, index) => startInference({ ...inference, name: `replica-${index}` }));
  const started = await Promise.allSettled(starting);
  const replicas = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const stopReplicas = async (): Promise<void> => {
    await Promise.all(replicas.map((replica) => endWell(replica.process)));
    await folder.remove();
  };
  try {
    for (const each of started) if (each.status === 'rejected') throw each.reason;
    const backends = replicas.map((replica, index) => ({ name: `replica-${index}`, address: replica.address }));
    const gateway = await startGateway({
      table: { backends, ...table },
      folder: folder.path,
      args: gatewayArgs ?? [],
      env: options.env ?? {},
    });
    const stop = async (): Promise<void> => {
      try {
        await endWell(gateway.process);
      } finally {
        await stopReplicas();
      }
    };
    return { address: gateway.address, gateway, replicas, stop };
  } catch (error) {
    await stopReplicas();
    throw error;
  }
}

export function tableText(table: TableBody): string {
  return stringify({ apiVersion: 'headrace.dev/v1alpha1', kind: 'RoutingTable', ...table });
}

/** Processes that a test killed itself are left alone. */
async function endWell(server: RunningProcess): Promise<void> {
  if (server.exit !== undefined) return;
  const exit: Exit = await server.stop();
  if (exit.code !== 0)
    throw new Error(`${server.name} ended with ${exit.code ?? exit.signal} after SIGTERM\n${server.stderr.slice(-4_000)}`);
}

async function startServer(
  main: string,
  args: readonly string[],
  name: string,
  env: Readonly<Record<string, string | undefined>> | undefined,
  core?: number,
): Promise<RunningServer> {
  if (!existsSync(main)) throw new Error(`${main} is not built: run npm run build`);
  const command = core === undefined ? [] : ['taskset', '-c', String(core)];
  // taskset becomes the server: the pid stays.
  const [program = '', ...rest] = [...command, process.execPath, main, ...args];
  const server = await startProcess(program, rest, { name, env: env ?? {} });
  const ready = await server.announced('the ready announcement', asReady);
  return { address: `${loopback}:${ready.grpcPort}`, metricsPort: ready.metricsPort, process: server };
}

function asReady(line: unknown): { grpcPort: number; metricsPort: number | undefined } | undefined {
  if (typeof line !== 'object' || line === null || !('event' in line) || line.event !== 'ready') return undefined;
  if (!('grpcPort' in line) || typeof line.grpcPort !== 'number') throw new Error(`ready without a grpcPort: ${JSON.stringify(line)}`);
  const metricsPort = 'metricsPort' in line && typeof line.metricsPort === 'number' ? line.metricsPort : undefined;
  return { grpcPort: line.grpcPort, metricsPort };
}
