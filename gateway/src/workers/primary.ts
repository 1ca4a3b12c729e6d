import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { MetricsRegistry, startMetricsServer } from '@headrace/runtime';
import type { Clock, Lifecycle, Logger, MetricsServer } from '@headrace/runtime';
import { defineWorkersMetrics } from '../metrics.js';
import { FleetMetrics } from './fleet-metrics.js';
import { WorkerFleet } from './fleet.js';
import type { WorkerProcess } from './fleet.js';
import { LeaseDesk } from './lease-desk.js';
import type { SharedBook } from './lease-desk.js';
import { beatMs } from './messages.js';
import type { ToWorker } from './messages.js';
import { QuestionHub } from './question-hub.js';
import { TurnHub } from './turn-hub.js';

export interface PrimaryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly workers: number;
  readonly fork: (grpcPort: number) => WorkerProcess;
  readonly host: string;
  /** 0: picked by the kernel, for as long as this process lives. */
  readonly grpcPort: number;
  readonly metricsPort: number | undefined;
  /** A worker that says nothing for so long is killed; Infinity: never. */
  readonly silenceMs: number;
  /** Of the quotas that the workers share among themselves. */
  readonly book: SharedBook;
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
 * The process that forks the workers. It serves no requests: it hands out turns and leases of quotas, carries questions from worker to
 * worker, sums up the metrics, replaces workers that end and passes the drain on. Rejects with Node's error for a taken port, or with a WorkerProblem.
 */
export async function startPrimary(options: PrimaryOptions): Promise<Primary> {
  const { clock, logger, lifecycle, workers, host, metricsPort, silenceMs, book } = options;
  const registry = new MetricsRegistry();
  const send = (worker: number, message: ToWorker): void => fleet.send(worker, message);
  const hub = new TurnHub({ clock, defer: (flush) => void setImmediate(flush), send });
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
    fork: () => options.fork(grpcPort),
    hub,
    leases: new LeaseDesk({ clock, book, send }),
    questions: new QuestionHub({ clock, workers: () => fleet.listeningIds(), send }),
    silenceMs,
    onRestart: () => metrics.restarts.inc({}),
    onKill: () => metrics.kills.inc({}),
    onMetrics: (worker, scrape, snapshot) => merged.answered(worker, scrape, snapshot),
    onGone: (worker) => merged.gone(worker),
  });
  // Ports first, as a gateway alone does.
  let server: MetricsServer | undefined;
  if (metricsPort !== undefined) {
    const ready = (): boolean => lifecycle.state === 'running' && fleet.ready > 0;
    server = await startMetricsServer({ registry: merged, host, port: metricsPort, ready, live: () => fleet.alive });
  }
  const grpcPort = await freePort(host, options.grpcPort);
  const beat = (): void => {
    fleet.beat();
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
  logger.info({ grpcPort, metricsPort: server?.port, workers }, 'gateway listens');
  return {
    grpcPort,
    metricsPort: server?.port,
    untilReady: () => fleet.untilAllReady(),
    readyModels: () => fleet.models(),
  };
}

/**
 * Workers that are started later must ask for the very port that the others have: the cluster shares a listening socket among
 * those who asked for the same. Asked for 0, one that comes after all others ended would get another.
 */
async function freePort(host: string, port: number): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(port, host, resolve));
  const { port: bound } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return bound;
}
