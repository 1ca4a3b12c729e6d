import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../../harness/command.js';
import { tempDir } from '../../harness/places.js';
import type { Tool } from '../../harness/tools.js';
import { grpcFrame } from '../workload/request.js';
import { inferPath } from './grpc-client.js';
import { dataBytes, readH2loadLog } from './h2load-log.js';
import type { Latencies } from './h2load-log.js';

export interface H2loadOptions {
  readonly address: string;
  /** Given: TLS. h2load takes any certificate. */
  readonly authorityFile?: string;
  /** "/package.Service/Method"; default: ModelInfer. */
  readonly path?: string;
  /** The one message of the whole load: h2load cannot send several. */
  readonly message: Buffer;
  /** Requests in flight, over at most 4 connections. */
  readonly concurrency: number;
  readonly durationS: number;
  /** Offered rate; absent: as fast as replies come (closed loop). */
  readonly requestsPerS?: number;
  /** Bytes of a good reply with its gRPC frame; replies that are on average more than 5 % shorter fail the load. */
  readonly replyBytes: number;
  /** Pins the generator. */
  readonly core?: number;
}

export interface H2loadResult extends Latencies {
  readonly requestsPerS: number;
}

const maxConnections = 4;

export async function runH2load(tool: Tool, options: H2loadOptions): Promise<H2loadResult> {
  const scratch = await tempDir('h2load');
  try {
    const body = join(scratch.path, 'body');
    const log = join(scratch.path, 'log');
    await writeFile(body, grpcFrame(options.message));
    const output = await runPinned(tool, commandLine(options, body, log), options);
    const latencies = readH2loadLog(await readFile(log, 'utf8'));
    refuseErrors(latencies, output, options);
    return { ...latencies, requestsPerS: latencies.count / options.durationS };
  } finally {
    await scratch.remove();
  }
}

function commandLine(options: H2loadOptions, body: string, log: string): readonly string[] {
  const connections = options.requestsPerS === undefined ? Math.min(maxConnections, options.concurrency) : 1;
  const streams = Math.ceil(options.concurrency / connections);
  const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers'];
  const rate = options.requestsPerS === undefined ? [] : ['--rps', String(options.requestsPerS)];
  const shape = ['-t', '1', '-c', String(connections), '-m', String(streams), '-D', String(options.durationS), ...rate];
  const scheme = options.authorityFile === undefined ? 'http' : 'https';
  return [...shape, ...headers, '-d', body, `--log-file=${log}`, `${scheme}://${options.address}${options.path ?? inferPath}`];
}

function runPinned(tool: Tool, args: readonly string[], options: H2loadOptions): Promise<string> {
  const settings = { env: tool.env, timeoutMs: (options.durationS + 60) * 1000 };
  if (options.core === undefined) return mustRun(tool.path, args, settings);
  return mustRun('taskset', ['-c', String(options.core), tool.path, ...args], settings);
}

/** gRPC errors travel as HTTP 200 with an empty body: only the bytes that came back tell them from answers. */
function refuseErrors(latencies: Latencies, output: string, options: H2loadOptions): void {
  if (latencies.failed > 0)
    throw new Error(`h2load: ${latencies.failed} of ${latencies.count + latencies.failed} requests failed\n${output.slice(-800)}`);
  if (latencies.count === 0) throw new Error(`h2load: no replies within ${options.durationS} s\n${output.slice(-800)}`);
  const mean = dataBytes(output) / latencies.count;
  // Not (mean >= floor), so that NaN fails too.
  if (!(mean >= options.replyBytes * 0.95)) {
    throw new Error(`h2load: replies of ${mean.toFixed(1)} bytes on average where ${options.replyBytes} were expected: some are errors`);
  }
}
