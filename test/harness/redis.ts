import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './command.js';
import { freePort, tempDir } from './places.js';
import { startProcess } from './process.js';
import type { RunningProcess } from './process.js';
import { need } from './tools.js';
import type { Tool } from './tools.js';
import { until } from './until.js';

/** Redis and its client; a test that needs them skips where they cannot be had. */
export interface RedisTools {
  readonly server: Tool;
  readonly client: Tool;
}

export async function needRedis(context: { skip(note?: string): never }): Promise<RedisTools> {
  return { server: await need(context, 'redisServer'), client: await need(context, 'redisCli') };
}

export interface RedisOptions {
  /** Default: one that is free. */
  readonly port?: number;
  readonly password?: string;
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string; readonly authorityFile: string };
  /** More of its command line, e.g. ['--replicaof', '127.0.0.1 6379']. */
  readonly args?: readonly string[];
}

export interface RunningRedis {
  /** "127.0.0.1:PORT" */
  readonly address: string;
  readonly port: number;
  readonly process: RunningProcess;
  /** Runs a command with redis-cli and resolves with what it prints. */
  cli(...command: string[]): Promise<string>;
  /** Kills it, whatever it does, and removes its folder. */
  end(): Promise<void>;
}

const loopback = '127.0.0.1';

/** A server that keeps nothing on disk. */
export async function startRedis(tools: RedisTools, options: RedisOptions = {}): Promise<RunningRedis> {
  const port = options.port ?? (await freePort());
  const { tls, password } = options;
  const listen = tls === undefined ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port)];
  const secure =
    tls === undefined
      ? []
      : [
          '--tls-cert-file',
          tls.certificateFile,
          '--tls-key-file',
          tls.keyFile,
          '--tls-ca-cert-file',
          tls.authorityFile,
          '--tls-auth-clients',
          'no',
        ];
  const secret = password === undefined ? [] : ['--requirepass', password, '--masterauth', password];
  const args = ['--bind', loopback, '--save', '', '--appendonly', 'no', ...listen, ...secure, ...secret, ...(options.args ?? [])];
  return launch(tools, 'redis', port, args, 'Ready to accept connections', tls?.authorityFile);
}

/** One sentinel, whose word is enough, that watches `primary` under the name "quotas". */
export async function startSentinel(tools: RedisTools, primary: RunningRedis): Promise<RunningRedis> {
  const port = await freePort();
  const folder = await tempDir('sentinel');
  const file = join(folder.path, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    `bind ${loopback}`,
    `sentinel monitor quotas ${loopback} ${primary.port} 1`,
    'sentinel down-after-milliseconds quotas 500',
    'sentinel failover-timeout quotas 3000',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const running = await launch(tools, 'sentinel', port, [file, '--sentinel'], 'Sentinel ID is', undefined);
  return { ...running, end: () => running.end().then(() => folder.remove()) };
}

/** Primaries alone, each with an equal part of the slots. */
export async function startRedisCluster(tools: RedisTools, size = 3): Promise<readonly RunningRedis[]> {
  const nodes: RunningRedis[] = [];
  for (let index = 0; index < size; index += 1) {
    // Its second port would be 10,000 above the first, and past the last one.
    const args = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort()), '--cluster-node-timeout', '2000'];
    nodes.push(await startRedis(tools, { args: [...args, '--cluster-require-full-coverage', 'no'] }));
  }
  const [first, ...others] = nodes;
  const slots = 16_384;
  for (const [index, node] of nodes.entries()) {
    const from = Math.floor((slots * index) / size);
    const to = Math.floor((slots * (index + 1)) / size) - 1;
    await node.cli('cluster', 'addslotsrange', String(from), String(to));
    await node.cli('cluster', 'set-config-epoch', String(index + 1));
  }
  for (const node of others) {
    const bus = (await node.cli('config', 'get', 'cluster-port')).trim().split('\n').at(-1) ?? '';
    await first?.cli('cluster', 'meet', loopback, String(node.port), bus);
  }
  for (const node of nodes) {
    await until(`cluster node ${node.address} knows all slots`, async () => {
      const info = await node.cli('cluster', 'info');
      return /cluster_state:ok/.test(info) && info.includes(`cluster_slots_ok:${slots}`) && info.includes(`cluster_known_nodes:${size}`);
    });
  }
  return nodes;
}

async function launch(
  tools: RedisTools,
  name: string,
  port: number,
  args: readonly string[],
  ready: string,
  authorityFile: string | undefined,
): Promise<RunningRedis> {
  const folder = await tempDir(name);
  const { server, client } = tools;
  const running = await startProcess(server.path, args, { name: `${name} ${port}`, cwd: folder.path, env: server.env });
  const secure = authorityFile === undefined ? [] : ['--tls', '--cacert', authorityFile];
  await running.waitFor('its ready line', ({ stdout }) => (stdout.includes(ready) ? true : undefined));
  return {
    address: `${loopback}:${port}`,
    port,
    process: running,
    cli: (...command) => mustRun(client.path, ['-h', loopback, '-p', String(port), '-e', ...secure, ...command], { env: client.env }),
    end: async () => {
      running.kill('SIGKILL');
      await running.exited;
      await folder.remove();
    },
  };
}
