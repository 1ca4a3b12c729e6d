import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  HeadraceError,
  Lifecycle,
  createLogger,
  describeError,
  installSignals,
  logFormats,
  logLevels,
  startTracing,
  systemClock,
} from '@headrace/runtime';
import type { LogFormat, LogLevel } from '@headrace/runtime';
import { defaultWire, transportOf, wireNames, wireVariable } from '@headrace/wire';
import type { TlsServerFiles, WireName } from '@headrace/wire';
import { startGateway } from './gateway.js';
import type { Gateway } from './gateway.js';

interface Flags {
  readonly config: string;
  readonly host: string;
  readonly grpcPort: number;
  readonly metricsPort: number | 'off';
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly adminIdentity: readonly string[];
  readonly drainSeconds: number;
  readonly preStopSeconds: number;
  readonly announce: boolean;
  readonly wire: WireName;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** The only reader of the environment and of the command line. */
const packageFile = new URL('../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };

const program = new Command('headrace-gateway')
  .description('Open Inference Protocol v2 gateway: batches, routes and retries over several inference servers.')
  .version(version)
  .requiredOption('--config <file>', 'RoutingTable YAML; watched, a change is applied without a restart')
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--grpc-port <port>', 'port for clients; 0 lets the system pick', port, 8001)
  .option('--metrics-port <port>', 'port of /metrics, /livez and /readyz; 0 lets the system pick, "off" for none', portOrOff, 8002)
  .option('--tls-cert <file>', 'PEM certificate: serve TLS (with --tls-key)')
  .option('--tls-key <file>', 'PEM key of --tls-cert')
  .option('--tls-client-ca <file>', 'PEM authority: clients must present a certificate that it signed')
  .option(
    '--admin-identity <identity>',
    'client identity (uri:..., dns:..., cn:...) that may load and unload models; repeatable',
    collect,
    [],
  )
  .option('--drain-seconds <seconds>', 'longest time from SIGTERM to exit', seconds, 30)
  .option('--pre-stop-seconds <seconds>', 'requests are still taken for this long after SIGTERM, while health says NOT_SERVING', seconds, 1)
  .option('--announce', 'JSON lines on standard output: "listening" with the ports, and "ready" once a backend is', false)
  .addOption(
    new Option('--wire <name>', 'what carries gRPC')
      .choices([...wireNames])
      .default(defaultWire)
      .env(wireVariable),
  )
  .addOption(new Option('--log-level <level>', 'what to log').choices([...logLevels]).default('info'))
  .addOption(new Option('--log-format <format>', 'for machines or for people').choices([...logFormats]).default('json'))
  .showHelpAfterError('(--help lists the flags)');

// Whoever read the announcements may be gone; that is no reason to stop serving.
process.stdout.on('error', () => undefined);
await main(program.parse().opts<Flags>());

async function main(flags: Flags): Promise<void> {
  const logger = createLogger({ name: 'headrace-gateway', level: flags.logLevel, format: flags.logFormat });
  const tls = tlsFiles(flags);
  const tracing = startTracing({ serviceName: 'headrace-gateway', endpoint: process.env['OTEL_EXPORTER_OTLP_ENDPOINT'], logger });
  const lifecycle = new Lifecycle({ clock: systemClock, logger, graceMs: flags.drainSeconds * 1000 });
  // The first request is traced too: requests are taken once tracing is loaded.
  const starting = tracing.ready
    .then(() =>
      startGateway({
        configFile: flags.config,
        host: flags.host,
        grpcPort: flags.grpcPort,
        metricsPort: flags.metricsPort === 'off' ? undefined : flags.metricsPort,
        ...(tls === undefined ? {} : { tls }),
        adminIdentities: flags.adminIdentity,
        preStopMs: flags.preStopSeconds * 1000,
        version,
        clock: systemClock,
        logger,
        tracing,
        transport: transportOf(flags.wire, systemClock, logger),
      }),
    )
    .catch((error: unknown) => fail(startProblem(error, flags)));
  // A signal that comes during the start waits for its end, and drains what was started.
  lifecycle.onDrain('gateway', async (graceMs) => (await starting).drain(graceMs));
  lifecycle.onDrain('tracing', () => tracing.shutdown());
  installSignals(lifecycle, { logger });
  const gateway = await starting;
  if (flags.announce) await announce(gateway, lifecycle);
}

/** For whoever started this process: says where it listens, and when requests can be served. */
async function announce(gateway: Gateway, lifecycle: Lifecycle): Promise<void> {
  const ports = { grpcPort: gateway.grpcPort, metricsPort: gateway.metricsPort ?? null };
  process.stdout.write(`${JSON.stringify({ event: 'listening', ...ports })}\n`);
  while (!(await gateway.untilReady(60_000))) if (lifecycle.state !== 'running') return;
  process.stdout.write(`${JSON.stringify({ event: 'ready', ...ports, models: gateway.readyModels() })}\n`);
}

function tlsFiles({ tlsCert, tlsKey, tlsClientCa }: Flags): TlsServerFiles | undefined {
  if (tlsCert === undefined && tlsKey === undefined && tlsClientCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) fail('--tls-cert and --tls-key belong together (and --tls-client-ca needs both)');
  return { certificateFile: tlsCert, keyFile: tlsKey, ...(tlsClientCa === undefined ? {} : { clientAuthorityFile: tlsClientCa }) };
}

/** A taken port names the flag to change. */
function startProblem(error: unknown, flags: Flags): string {
  const { code, port: taken } = error instanceof Error ? (error as { code?: unknown; port?: unknown }) : {};
  if (code === 'EADDRINUSE' || code === 'EACCES') {
    const flag =
      taken === flags.grpcPort ? '--grpc-port' : taken === flags.metricsPort ? '--metrics-port' : '--grpc-port or --metrics-port';
    const why = code === 'EADDRINUSE' ? 'is taken by another process' : 'may not be used by this user';
    return `port ${String(taken)} ${why}; choose another with ${flag}`;
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${flags.host} is no address of this machine; choose another with --host`;
  return error instanceof HeadraceError ? error.refusal.message : describeError(error);
}

/** Nothing runs yet, so leaving at once is safe. */
function fail(problem: string): never {
  process.stderr.write(`headrace-gateway: ${problem}\n`);
  process.exit(2);
}

function port(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535) throw new InvalidArgumentError('expected a port from 0 to 65535');
  return value;
}

/** Commander turns a parser's `undefined` into an empty text, so "off" stays a word until it is used. */
function portOrOff(text: string): number | 'off' {
  return text === 'off' ? text : port(text);
}

function seconds(text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value < 0 || value > 86_400)
    throw new InvalidArgumentError('expected seconds from 0 to 86400');
  return value;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
