import { Command, InvalidArgumentError, Option } from 'commander';
import { logFormats, logLevels } from '@headrace/runtime';
import type { LogFormat, LogLevel } from '@headrace/runtime';
import { defaultWire, wireNames, wireVariable } from '@headrace/wire';
import type { WireName } from '@headrace/wire';
import { providerNames } from './instance/protocol.js';
import type { ProviderName } from './instance/protocol.js';
import { controlModes } from './repository/control.js';
import type { ControlMode } from './repository/control.js';
import { packageVersion } from './version.js';

/** The flags as commander gives them. */
export interface CommandLine {
  readonly modelRepository: string;
  readonly host: string;
  readonly grpcPort: number;
  readonly metricsPort?: number;
  readonly modelControlMode: ControlMode;
  readonly loadModel?: readonly string[];
  readonly repositoryPollMs: number;
  readonly allowRemoteControl: boolean;
  readonly executionProvider: ProviderName;
  readonly deviceId: number;
  readonly fallback?: 'cpu';
  readonly cpuQuota?: number;
  readonly maxOwnThreads?: number;
  readonly maxMessageBytes: number;
  readonly graceMs: number;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly tlsClientAuthority?: string;
  readonly wire: WireName;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly announce: boolean;
}

export function commandLine(): Command {
  const flag = (flags: string, description: string): Option => new Option(flags, description);
  return new Command('headrace-inference')
    .description("Serves ONNX models over gRPC (Open Inference Protocol v2) from a model repository in Triton's layout.")
    .version(packageVersion)
    .addOption(flag('--model-repository <dir>', 'folder that holds <model>/<version>/model.onnx').makeOptionMandatory())
    .addOption(flag('--host <address>', 'address to listen on').default('127.0.0.1'))
    .addOption(flag('--grpc-port <port>', 'gRPC port; 0 = picked by the kernel').default(8001).argParser(port))
    .addOption(flag('--metrics-port <port>', 'port for /metrics, /livez and /readyz; absent = none').argParser(port))
    .addOption(
      flag('--model-control-mode <mode>', 'none: what is there at start; poll: follow the folder; explicit: load and unload requests')
        .choices(controlModes)
        .default('explicit'),
    )
    .addOption(flag('--load-model <name...>', "explicit mode: models to load at start (default: all; '' for none)"))
    .addOption(flag('--repository-poll-ms <ms>', 'poll mode: time between looks').default(5000).argParser(whole(100)))
    .addOption(flag('--allow-remote-control', 'take load and unload from other machines too').default(false))
    .addOption(flag('--execution-provider <name>', 'for models that state none').choices(providerNames).default('cpu'))
    .addOption(flag('--device-id <n>', 'GPU of the execution provider').default(0).argParser(whole(0)))
    .addOption(
      flag('--fallback <name>', 'what to use where the execution provider does not load; absent = the load fails').choices(['cpu']),
    )
    .addOption(
      flag('--cpu-quota <cores>', "instances of a model that states no count (default: the cgroup's CPU quota, rounded down)").argParser(
        whole(1),
      ),
    )
    .addOption(
      flag('--max-own-threads <n>', 'instances with a thread of their own before models share (default: 16 or 8 x quota)').argParser(
        whole(0),
      ),
    )
    .addOption(
      flag('--max-message-bytes <n>', 'largest message, both ways')
        .default(64 * 1024 * 1024)
        .argParser(whole(1024)),
    )
    .addOption(flag('--grace-ms <ms>', 'how long a drain may take').default(25_000).argParser(whole(0)))
    .addOption(flag('--tls-certificate <file>', 'PEM; turns TLS on together with --tls-key'))
    .addOption(flag('--tls-key <file>', 'PEM'))
    .addOption(flag('--tls-client-authority <file>', 'PEM; clients must present a certificate that it signed'))
    .addOption(flag('--wire <name>', 'what carries gRPC').choices(wireNames).default(defaultWire).env(wireVariable))
    .addOption(flag('--log-level <level>', 'least level that is written').choices(logLevels).default('info'))
    .addOption(flag('--log-format <format>', 'to standard error').choices(logFormats).default('json'))
    .addOption(
      flag('--announce', 'JSON lines on standard output: "listening" with the ports, each model state, and "ready"').default(false),
    )
    .addHelpText(
      'after',
      `
Examples:
  headrace-inference --model-repository ./models
  headrace-inference --model-repository ./models --model-control-mode poll --metrics-port 8002
  headrace-inference --model-repository ./models --execution-provider cuda --fallback cpu

Environment:
  OTEL_EXPORTER_OTLP_ENDPOINT   where traces go (OTLP over HTTP); absent = no tracing

Exit codes:
  0  drained after SIGTERM or SIGINT          1  could not start, or a drain step failed
  137  a model run hung beyond --grace-ms     130, 143  a second signal`,
    );
}

function port(text: string): number {
  const value = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || value > 65535)
    throw new InvalidArgumentError(`expected a port from 0 to 65535, got ${JSON.stringify(text)}`);
  return value;
}

function whole(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]{1,15}$/.test(text) || value < minimum)
      throw new InvalidArgumentError(`expected a whole number of at least ${minimum}, got ${JSON.stringify(text)}`);
    return value;
  };
}
