import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { nonNegativeInteger, positiveInteger } from '../client/target.js';
import { childLogLevels } from '../supervise/log-line.js';
import type { ChildLogLevel } from '../supervise/log-line.js';
import type { CommandContext } from './command.js';
import { newCommand } from './command.js';

export interface UpFlags {
  readonly models?: string;
  readonly config?: string;
  readonly replicas?: number;
  readonly workers: number;
  readonly grpcPort: number;
  readonly metricsPort: number;
  readonly host: string;
  readonly logLevel: ChildLogLevel;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

export function upCommand(context: CommandContext): Command {
  return newCommand(
    'up',
    'run the platform on this machine: a gateway and its inference processes',
    [
      { line: 'npx headrace up', note: 'the demo model' },
      { line: 'npx headrace up --models ./models', note: 'your own: models/NAME/1/model.onnx' },
      { line: 'npx headrace up --models ./models --replicas 4 --grpc-port 9000' },
      {
        line: 'npx headrace up --models ./models --config table.yaml',
        note: "batching, priorities, timeouts; see the gateway's reference",
      },
    ],
    `Replicas: one inference process per 4 CPUs, at least two where there are two CPUs, so that one answers while another
  restarts. Each model gets one instance per CPU, spread over the replicas. A process that dies is started again.
  --config: a RoutingTable. Its models and defaults are kept; without backends in it, the replicas of this run serve.
  Ctrl-C lets requests in flight finish; a second Ctrl-C stops at once.`,
  )
    .option('--models <dir>', 'model repository: <dir>/<model>/<version>/model.onnx (default: the demo)')
    .option('--config <file>', 'RoutingTable (YAML) with settings of models')
    .option('--replicas <n>', 'inference processes (default: by the CPUs of this machine)', replicaCount)
    .option('--workers <n>', 'processes of the gateway, for more than one core', workerCount, 1)
    .option('--grpc-port <port>', 'port of the gateway; 0 takes any free one', port, 8001)
    .option('--metrics-port <port>', 'port for /metrics, /livez and /readyz; 0 takes any free one', port, 8002)
    .option('--host <address>', 'address to listen at; 0.0.0.0 for all', '127.0.0.1')
    .addOption(new Option('--log-level <level>', "least level of the processes' logs to show").choices(childLogLevels).default('warn'))
    .option('--verbose', 'the same as --log-level debug')
    .option('--json', 'print events as JSON lines instead of text')
    .action(async (flags: UpFlags) => {
      // Loaded here: it brings the gateway's table rules, which no client command needs at its start.
      const { runUp } = await import('../up/run.js');
      context.setExitCode(await runUp(flags, context.io));
    });
}

function replicaCount(text: string): number {
  const count = positiveInteger(text);
  if (count > 64) throw new InvalidArgumentError('Expected at most 64.');
  return count;
}

function workerCount(text: string): number {
  const count = positiveInteger(text);
  if (count > 64) throw new InvalidArgumentError('Expected at most 64.');
  return count;
}

function port(text: string): number {
  const value = nonNegativeInteger(text);
  if (value > 65_535) throw new InvalidArgumentError('Expected a port, 0 to 65535.');
  return value;
}
