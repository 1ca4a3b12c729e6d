import { fileURLToPath } from 'node:url';
import type { ProcessSpec } from '../supervise/process-port.js';
import type { ChildLogLevel } from '../supervise/log-line.js';
import type { UpFlags } from '../commands/up.js';
import type { Io } from '../io.js';

/** Command lines of the two servers. Replicas listen on loopback alone, on ports that the kernel picks. */
export function inferenceSpec(models: string, instances: number, logLevel: ChildLogLevel, io: Io): ProcessSpec {
  return {
    program: fileURLToPath(import.meta.resolve('@headrace/inference/main')),
    args: [
      ...['--model-repository', models, '--host', '127.0.0.1', '--grpc-port', '0', '--metrics-port', '0'],
      ...['--cpu-quota', String(instances), '--log-level', logLevel, '--announce'],
    ],
    env: io.env,
  };
}

export function gatewaySpec(tableFile: string, flags: UpFlags, logLevel: ChildLogLevel, io: Io): ProcessSpec {
  return {
    program: fileURLToPath(import.meta.resolve('@headrace/gateway/main')),
    args: [
      ...['--config', tableFile, '--host', flags.host, '--grpc-port', String(flags.grpcPort), '--metrics-port', String(flags.metricsPort)],
      ...(flags.workers === 1 ? [] : ['--workers', String(flags.workers)]),
      // Nobody balances over gateways here, so there is nobody to warn before the drain.
      ...['--pre-stop-seconds', '0', '--log-level', logLevel, '--announce'],
    ],
    env: io.env,
  };
}
