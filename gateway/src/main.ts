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
import type { LogFormat, LogLevel, Logger } from '@headrace/runtime';
import { defaultWire, transportOf, wireNames, wireVariable } from '@headrace/wire';
import type { TlsServerFiles, WireName } from '@headrace/wire';
import { startGateway } from './gateway.js';
import type { Gateway } from './gateway.js';
import { widenInlineBudget } from './inline-budget.js';
import type { PrimaryOptions } from './workers/primary.js';
import type { PrimaryChannel, WorkerLink } from './workers/worker-link.js';

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
  readonly workers: number;
  readonly workerSilenceSeconds: number;
  readonly announce: boolean;
  readonly wire: WireName;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Longer than what a drain step of a worker may take beyond its grace. */
const afterWorkersMs = 1_500;

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
  .option('--workers <n>', 'processes that share the port and the work, for more than one core', workerCount, 1)
  .option(
    '--worker-silence-seconds <seconds>',
    'with --workers: one that says nothing for so long (its event loop hangs) is killed, and another started; 0 for never',
    silence,
    10,
  )
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
widenInlineBudget();
await main(program.parse().opts<Flags>());

async function main(flags: Flags): Promise<void> {
  const logger = createLogger({ name: 'headrace-gateway', level: flags.logLevel, format: flags.logFormat });
  tlsFiles(flags);
  if (flags.workers === 1) return serve(flags, logger);
  const { clusterRole } = await import('./workers/cluster-role.js');
  const role = clusterRole(process.argv.slice(2));
  return role.kind === 'primary' ? lead(flags, logger, role.fork) : serve(flags, logger, role.channel);
}

/** The process in front of the workers. */
async function lead(flags: Flags, logger: Logger, fork: PrimaryOptions['fork']): Promise<void> {
  const { startPrimary, WorkerProblem } = await import('./workers/primary.js');
  const { LeaseBook } = await import('./admission/quota/lease/lease-book.js');
  // Workers keep the time that people gave; this process only waits for them.
  const lifecycle = new Lifecycle({ clock: systemClock, logger, graceMs: flags.drainSeconds * 1000 + afterWorkersMs });
  installSignals(lifecycle, { logger });
  const primary = await startPrimary({
    clock: systemClock,
    logger,
    lifecycle,
    workers: flags.workers,
    fork,
    host: flags.host,
    grpcPort: flags.grpcPort,
    metricsPort: metricsPortOf(flags),
    silenceMs: flags.workerSilenceSeconds === 0 ? Infinity : flags.workerSilenceSeconds * 1000,
    book: new LeaseBook(),
  }).catch((error: unknown) => fail(error instanceof WorkerProblem ? error.message : startProblem(error, flags)));
  if (!flags.announce) return;
  announceListening(primary);
  if (await primary.untilReady()) announceReady(primary);
}

/** A gateway; with a channel to the primary process it is one of several. */
async function serve(flags: Flags, logger: Logger, channel?: PrimaryChannel): Promise<void> {
  const tls = tlsFiles(flags);
  const tracing = startTracing({ serviceName: 'headrace-gateway', endpoint: process.env['OTEL_EXPORTER_OTLP_ENDPOINT'], logger });
  const lifecycle = new Lifecycle({ clock: systemClock, logger, graceMs: flags.drainSeconds * 1000 });
  const link = channel === undefined ? undefined : await linkTo(channel, lifecycle, logger);
  // The first request is traced too: requests are taken once tracing is loaded.
  const starting = tracing.ready
    .then(() =>
      startGateway({
        configFile: flags.config,
        host: flags.host,
        grpcPort: flags.grpcPort,
        // Several workers are scraped as one, in front of them.
        metricsPort: link === undefined ? metricsPortOf(flags) : undefined,
        ...(tls === undefined ? {} : { tls }),
        adminIdentities: flags.adminIdentity,
        preStopMs: flags.preStopSeconds * 1000,
        version,
        clock: systemClock,
        logger,
        tracing,
        transport: transportOf(flags.wire, systemClock, logger),
        ...(link === undefined
          ? {}
          : { siblings: { count: flags.workers, turns: link.turns, leases: link.leases, siblings: link.siblings } }),
      }),
    )
    .catch((error: unknown) => fail(startProblem(error, flags), link));
  // A signal that comes during the start waits for its end, and drains what was started.
  lifecycle.onDrain('gateway', async (graceMs) => (await starting).drain(graceMs));
  lifecycle.onDrain('tracing', () => tracing.shutdown());
  if (link !== undefined) lifecycle.onDrain('primary', () => Promise.resolve(link.close()));
  installSignals(lifecycle, { logger });
  const gateway = await starting;
  link?.serve(gateway);
  if (!flags.announce || link !== undefined) return;
  announceListening(gateway);
  while (!(await gateway.untilReady(60_000))) if (lifecycle.state !== 'running') return;
  announceReady(gateway);
}

async function linkTo(channel: PrimaryChannel, lifecycle: Lifecycle, logger: Logger): Promise<WorkerLink> {
  const { WorkerLink: Link } = await import('./workers/worker-link.js');
  return new Link({ clock: systemClock, logger, defer: (flush) => void setImmediate(flush), channel, lifecycle });
}

/** For whoever started this process: where it listens. */
function announceListening({ grpcPort, metricsPort }: Pick<Gateway, 'grpcPort' | 'metricsPort'>): void {
  process.stdout.write(`${JSON.stringify({ event: 'listening', grpcPort, metricsPort: metricsPort ?? null })}\n`);
}

/** And that requests can be served, of which models. */
function announceReady(gateway: Pick<Gateway, 'grpcPort' | 'metricsPort' | 'readyModels'>): void {
  const { grpcPort, metricsPort } = gateway;
  process.stdout.write(
    `${JSON.stringify({ event: 'ready', grpcPort, metricsPort: metricsPort ?? null, models: gateway.readyModels() })}\n`,
  );
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

function metricsPortOf({ metricsPort }: Flags): number | undefined {
  return metricsPort === 'off' ? undefined : metricsPort;
}

/** Nothing runs yet, so leaving at once is safe. A worker leaves the telling to the primary, which tells it once for all. */
function fail(problem: string, link?: WorkerLink): never {
  if (link !== undefined) {
    link.problem(problem);
    process.exit(2);
  }
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

function workerCount(text: string): number {
  const value = Number(text);
  if (!/^\d{1,3}$/.test(text) || value < 1 || value > 64) throw new InvalidArgumentError('expected workers from 1 to 64');
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value < 0 || value > 86_400)
    throw new InvalidArgumentError('expected seconds from 0 to 86400');
  return value;
}

/** Below a few beats every pause for garbage would be a death sentence. */
function silence(text: string): number {
  const value = seconds(text);
  if (value !== 0 && value < 2) throw new InvalidArgumentError('expected 0 or seconds from 2 to 86400');
  return value;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
