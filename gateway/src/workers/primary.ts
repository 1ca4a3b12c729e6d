import { MetricsRegistry, startMetricsServer } from '@headrace/runtime';
import type { Clock, Lifecycle, Logger, MetricsServer } from '@headrace/runtime';
import { defineWorkersMetrics } from '../metrics.js';
import { FleetMetrics } from './fleet-metrics.js';
import { WorkerFleet } from './fleet.js';
import type { WorkerProcess } from './fleet.js';
import { beatMs } from './messages.js';
import { TurnHub } from './turn-hub.js';

export interface PrimaryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly workers: number;
  readonly fork: (grpcPort: number | undefined) => WorkerProcess;
  readonly host: string;
  readonly metricsPort: number | undefined;
}

export interface Primary {
  readonly grpcPort: number;
  readonly metricsPort: number | undefined;
  /** False when a drain began before. */
  untilReady(): Promise<boolean>;
  readyModels(): readonly string[];
}

/** A worker did not start; the message is what it said itself. */
export class WorkerProblem extends Error {}

/**
 * The process that forks the workers. It serves no requests: it hands out turns, sums up the metrics, replaces workers that
 * end and passes the drain on. Rejects with Node's error for a taken metrics port, or with a WorkerProblem.
 */
export async function startPrimary(options: PrimaryOptions): Promise<Primary> {
  const { clock, logger, lifecycle, workers, host, metricsPort, fork } = options;
  const registry = new MetricsRegistry();
  const hub = new TurnHub({ clock, defer: (flush) => void setImmediate(flush), send: (worker, message) => fleet.send(worker, message) });
  const metrics = defineWorkersMetrics(registry, { listening: () => fleet.listening });
  const merged = new FleetMetrics({
    clock,
    own: registry,
    workers: () => fleet.ids(),
    ask: (worker, scrape) => fleet.send(worker, { kind: 'scrape', scrape }),
  });
  const fleet: WorkerFleet = new WorkerFleet({
    clock,
    logger,
    count: workers,
    fork,
    hub,
    onRestart: () => metrics.restarts.inc({}),
    onMetrics: (worker, scrape, snapshot) => merged.answered(worker, scrape, snapshot),
    onGone: (worker) => merged.gone(worker),
  });
  // Ports first, as a gateway alone does.
  let server: MetricsServer | undefined;
  if (metricsPort !== undefined) {
    const ready = (): boolean => lifecycle.state === 'running' && fleet.ready > 0;
    server = await startMetricsServer({ registry: merged, host, port: metricsPort, ready, live: () => fleet.alive });
  }
  const beat = (): void => {
    hub.beat();
    timer = clock.setTimer(beat, beatMs);
  };
  let timer = clock.setTimer(beat, beatMs);
  lifecycle.onDrain('workers', (graceMs) => fleet.drain(graceMs));
  lifecycle.onDrain('metrics', async () => {
    timer.cancel();
    await server?.close();
  });
  const started = await fleet.start();
  if (!started.ok) {
    fleet.kill();
    throw new WorkerProblem(started.problem);
  }
  logger.info({ grpcPort: started.grpcPort, metricsPort: server?.port, workers }, 'gateway listens');
  return {
    grpcPort: started.grpcPort,
    metricsPort: server?.port,
    untilReady: () => fleet.untilAllReady(),
    readyModels: () => fleet.models(),
  };
}
