import { createCostBook } from '@headrace/batching';
import { fileDescriptorProtos } from '@headrace/proto';
import type { MetricsServer } from '@headrace/runtime';
import { Lifecycle, MetricsRegistry, silentLogger, startMetricsServer, startTracing, systemClock } from '@headrace/runtime';
import type { WireServer } from '@headrace/wire';
import { http2Transport, registerHealth, registerReflection } from '@headrace/wire';
import { InferenceHealth } from './health.js';
import { cpuQuota } from './instance/cpu-quota.js';
import { ThreadPool } from './instance/thread-pool.js';
import { defineInferenceMetrics } from './metrics.js';
import type { InferenceServerOptions } from './options.js';
import { RepositoryControl } from './repository/control.js';
import { ModelHost } from './repository/model-host.js';
import { createInferService } from './service/infer.js';
import { metadataMethods } from './service/metadata.js';
import { modelInfer } from './service/model-infer.js';
import { modelStreamInfer } from './service/model-stream-infer.js';
import { repositoryMethods } from './service/repository.js';
import { statisticsMethods } from './service/statistics.js';
import { unsupportedMethods } from './service/unsupported.js';
import { StatisticsBook } from './statistics/model-statistics.js';
import { BufferPool } from './tensors/buffer-pool.js';
import { packageVersion } from './version.js';

export interface InferenceServer {
  readonly host: string;
  readonly grpcPort: number;
  /** Undefined without a metrics server. */
  readonly metricsPort: number | undefined;
  /** Resolves when every model of the start is ready or has failed. */
  readonly loaded: Promise<void>;
  readonly lifecycle: Lifecycle;
  readonly models: () => readonly { readonly name: string; readonly version: string; readonly state: string; readonly reason: string }[];
  /** Finishes what was accepted, unloads all models and ends all threads. Never rejects. */
  close(reason?: string): Promise<void>;
}

/**
 * Starts a server in this process. Resolves once it listens; models load meanwhile and health says NOT_SERVING until
 * `loaded`. Rejects when the repository cannot be read or a port is taken (error with code EADDRINUSE and `flag`).
 */
export async function startInferenceServer(options: InferenceServerOptions): Promise<InferenceServer> {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const registry = options.registry ?? new MetricsRegistry({ processMetrics: false });
  const tracing = options.tracing ?? startTracing({ serviceName: 'headrace-inference' });
  const quota = options.cpuQuota ?? cpuQuota();

  // 1. What models lean on.
  const threads = new ThreadPool({ quota, maxOwnThreads: options.maxOwnThreads ?? Math.max(16, 8 * quota), logger });
  const pool = new BufferPool();
  const metrics = defineInferenceMetrics(registry, { threads: () => threads.threads, pooledBytes: () => pool.idleBytes });
  const statistics = new StatisticsBook();
  const provider = options.provider ?? { name: 'cpu', deviceId: 0, fallback: undefined };
  const host = new ModelHost({
    threads,
    pool,
    metrics,
    statistics,
    provider,
    clock,
    logger,
    costs: createCostBook({ maxShapeClasses: 4096 }),
    defer: (decide) => void setImmediate(decide),
    maxConcurrentLoads: quota,
    onChange: (change) => {
      health.changed();
      options.onModelChange?.(change);
    },
  });
  const control = new RepositoryControl({
    directory: options.modelRepository,
    mode: options.controlMode ?? 'explicit',
    initialModels: options.initialModels ?? ['*'],
    pollMs: options.pollMs ?? 5_000,
    host,
    clock,
    logger,
  });

  // 2. The service.
  let started = false;
  const lifecycle = new Lifecycle({ clock, logger, graceMs: options.graceMs ?? 25_000 });
  const ready = (): boolean => started && lifecycle.state === 'running';
  const health = new InferenceHealth(host, ready);
  const parts = { host, control, serverVersion: packageVersion, ready };
  const server = (options.transport ?? http2Transport(clock, logger)).createServer({
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.maxMessageBytes === undefined ? {} : { maxMessageBytes: options.maxMessageBytes }),
  });
  const infer = createInferService(host, clock, metrics);
  for (const method of [
    modelInfer(infer, tracing),
    modelStreamInfer(infer, tracing, (listener) => server.onDrain(listener)),
    ...metadataMethods(parts),
    ...repositoryMethods(parts, { remoteControl: options.remoteControl ?? false }),
    ...statisticsMethods(parts, statistics),
    ...unsupportedMethods(),
  ]) {
    server.register(method);
  }
  registerHealth(server, health);
  registerReflection(server, fileDescriptorProtos());

  // 3. Listen, before anything is loaded: a taken port shows at once, and probes get an answer.
  const hostName = options.host ?? '127.0.0.1';
  const { port: grpcPort } = await naming('--grpc-port', server.listen(hostName, options.grpcPort ?? 0));
  const metricsServer = await listenForMetrics(options, registry, ready, server);

  // 4. Load.
  const loaded = control.start().then(() => {
    started = true;
    health.changed();
  });
  loaded.catch(() => {});

  // 5. The way down: no new calls, then what was accepted, then the models, then their threads.
  lifecycle.onDrain('health', async () => health.changed());
  lifecycle.onDrain('calls', (graceMs) => server.drain(graceMs));
  lifecycle.onDrain('models', async () => {
    control.close();
    await loaded.catch(() => {});
    await host.close();
  });
  lifecycle.onDrain('threads', () => threads.stop());
  lifecycle.onDrain('tracing', () => tracing.shutdown());
  lifecycle.onDrain('metrics', async () => metricsServer?.close());

  return {
    host: hostName,
    grpcPort,
    metricsPort: metricsServer?.port,
    loaded,
    lifecycle,
    models: () => host.models.flatMap((model) => model.index().map((entry) => ({ name: model.name, ...entry }))),
    close: (reason = 'closed') => lifecycle.drain(reason),
  };
}

async function listenForMetrics(
  options: InferenceServerOptions,
  registry: MetricsRegistry,
  ready: () => boolean,
  server: WireServer,
): Promise<MetricsServer | undefined> {
  if (options.metricsPort === undefined) return undefined;
  try {
    return await naming(
      '--metrics-port',
      startMetricsServer({ registry, ready, host: options.host ?? '127.0.0.1', port: options.metricsPort }),
    );
  } catch (error) {
    await server.drain(0);
    throw error;
  }
}

/** The flag that would move a taken port belongs into the message. */
async function naming<T>(flag: string, listening: Promise<T>): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw Object.assign(error as Error, { flag });
    throw error;
  }
}
