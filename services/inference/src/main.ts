import { MetricsRegistry, createLogger, describeError, installSignals, startTracing, systemClock } from '@headrace/runtime';
import { transportOf } from '@headrace/wire';
import type { CommandLine } from './command-line.js';
import { commandLine } from './command-line.js';
import type { InferenceServer } from './server.js';
import { startInferenceServer } from './server.js';

/**
 * The onnxruntime of npm reports its use to its makers unless this is set before the library is loaded (since 1.29; it
 * also leaves files in the temporary folder). Only the main thread can change the environment that the library reads.
 * Whoever wants it sets the variable to 0.
 */
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';

/** After a drain the process ends when its event loop is empty. What still holds it after this is a hung run. */
const emptyLoopMs = 2_000;

const command = commandLine().parse();
const flags = command.opts<CommandLine>();
if ((flags.tlsCertificate === undefined) !== (flags.tlsKey === undefined))
  command.error('error: --tls-certificate and --tls-key belong together');
if (flags.tlsClientAuthority !== undefined && flags.tlsCertificate === undefined)
  command.error('error: --tls-client-authority needs --tls-certificate');

const logger = createLogger({ name: 'headrace-inference', level: flags.logLevel, format: flags.logFormat });
// Whoever read the announcements may be gone; that is no reason to stop serving, and not one line of log per model.
process.stdout.on('error', () => undefined);
const announce = (event: object): void => {
  if (flags.announce) process.stdout.write(`${JSON.stringify(event)}\n`);
};

try {
  const tracing = startTracing({ serviceName: 'headrace-inference', endpoint: process.env['OTEL_EXPORTER_OTLP_ENDPOINT'], logger });
  // The first request is traced too.
  await tracing.ready;
  const server = await startInferenceServer({
    modelRepository: flags.modelRepository,
    host: flags.host,
    grpcPort: flags.grpcPort,
    metricsPort: flags.metricsPort,
    tls:
      flags.tlsCertificate === undefined || flags.tlsKey === undefined
        ? undefined
        : {
            certificateFile: flags.tlsCertificate,
            keyFile: flags.tlsKey,
            ...(flags.tlsClientAuthority === undefined ? {} : { clientAuthorityFile: flags.tlsClientAuthority }),
          },
    controlMode: flags.modelControlMode,
    initialModels: flags.loadModel?.filter((name) => name !== '') ?? ['*'],
    pollMs: flags.repositoryPollMs,
    remoteControl: flags.allowRemoteControl,
    provider: { name: flags.executionProvider, deviceId: flags.deviceId, fallback: flags.fallback },
    maxMessageBytes: flags.maxMessageBytes,
    transport: transportOf(flags.wire, systemClock, logger),
    graceMs: flags.graceMs,
    ...(flags.cpuQuota === undefined ? {} : { cpuQuota: flags.cpuQuota }),
    ...(flags.maxOwnThreads === undefined ? {} : { maxOwnThreads: flags.maxOwnThreads }),
    logger,
    registry: new MetricsRegistry(),
    tracing,
    onModelChange: ({ model, version, state }) =>
      announce({ event: 'model', name: model, version: String(version), state: state.kind, reason: 'reason' in state ? state.reason : '' }),
  });
  installSignals(server.lifecycle, { logger, onDrained: () => watchForHungRun() });
  await serve(server);
} catch (error) {
  const { code, flag } = error as { code?: unknown; flag?: string };
  const hint = code === 'EADDRINUSE' ? `; choose another port with ${flag ?? '--grpc-port'}` : '';
  process.stderr.write(`headrace-inference: ${describeError(error)}${hint}\n`);
  process.exitCode = 1;
}

async function serve(server: InferenceServer): Promise<void> {
  const ports = { grpcPort: server.grpcPort, metricsPort: server.metricsPort };
  logger.info({ host: server.host, ...ports }, 'listening');
  announce({ event: 'listening', grpcPort: ports.grpcPort, metricsPort: ports.metricsPort ?? null });
  try {
    await server.loaded;
  } catch (error) {
    await server.close('the model repository cannot be read');
    throw error;
  }
  if (server.lifecycle.state !== 'running') return;
  const models = server.models();
  logger.info({ models: models.length, ready: models.filter((model) => model.state === 'READY').length }, 'ready');
  announce({ event: 'ready', grpcPort: ports.grpcPort, metricsPort: ports.metricsPort ?? null, models });
}

/**
 * A run that outlives the grace cannot be stopped: ending its thread or calling process.exit would abort inside native
 * code (exit 134 and a core dump). SIGKILL ends the process without running any of it; a supervisor sees 137.
 */
function watchForHungRun(): void {
  const timer = setTimeout(() => {
    logger.error({ afterMs: emptyLoopMs }, 'a model run hangs: the process is killed');
    process.kill(process.pid, 'SIGKILL');
  }, emptyLoopMs);
  // Does not hold the event loop itself: with nothing else left the process ends before it fires.
  timer.unref();
}
