import type { Clock } from '@headrace/runtime';
import type { ServerState, ModelAnnouncement, ReadyAnnouncement } from './supervised-process.js';
import { SupervisedProcess } from './supervised-process.js';
import type { Hang, Probe } from './liveness-watch.js';
import type { ProcessSpec, StartProcess } from './process-port.js';
import type { TableTemplate } from './routing-table.js';
import { renderTable } from './routing-table.js';

export interface PlatformOptions {
  /** One entry per inference process: the instances of each model in it. Empty: the gateway fronts other backends alone. */
  readonly instances: readonly number[];
  readonly template: TableTemplate;
  /** Command lines of the two programs. */
  readonly inference: (instances: number) => ProcessSpec;
  readonly gateway: (tableFile: string) => ProcessSpec;
  /** Writes the table so that a reader never sees a part of it; returns where. */
  readonly writeTable: (text: string) => string;
  readonly start: StartProcess;
  readonly probe: Probe;
  /** Where the gateway's metrics server is reached from here, as a URL names a host. */
  readonly gatewayHost: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly listener: PlatformListener;
}

export interface PlatformListener {
  onState(process: string, state: ServerState, before: ServerState): void;
  /** It runs and does not answer; it is killed, and onState tells the rest. */
  onHung(process: string, hang: Hang): void;
  onModel(process: string, model: ModelAnnouncement): void;
  onLogLine(process: string, line: string): void;
}

/** What came of the start. */
export type StartOutcome =
  | { readonly ok: true; readonly gateway: ReadyAnnouncement }
  /** `process` gave up; its last lines say why. */
  | { readonly ok: false; readonly process: SupervisedProcess };

export const gatewayName = 'gateway';

const replicaHost = '127.0.0.1';

/** Longer than the servers' own grace for draining, so that only what hangs is killed. */
const killAfterMs = 40_000;

/**
 * The platform on one machine: inference processes on ports that the kernel picks, and a gateway in front.
 *
 *     start:  replicas --all ready or given up--> table --> gateway --ready-->
 *     crash:  replica (or a hung one, killed) restarts, announces a new port --> table rewritten --> the gateway reloads it
 *     stop:   gateway drains, then the replicas
 */
export class LocalPlatform {
  readonly #options: PlatformOptions;
  readonly #replicas: readonly SupervisedProcess[];
  readonly #gateway: SupervisedProcess;
  /** Last port of each replica; kept while it restarts, so that the gateway's counters keep their backend. */
  readonly #ports = new Map<string, number>();
  #settled: (() => void) | undefined;
  #tableFile = '';
  #stopping = false;

  constructor(options: PlatformOptions) {
    this.#options = options;
    this.#replicas = options.instances.map((instances, index) =>
      this.#supervise(`replica-${index}`, replicaHost, () => options.inference(instances)),
    );
    this.#gateway = this.#supervise(gatewayName, options.gatewayHost, () => options.gateway(this.#tableFile));
  }

  get processes(): readonly SupervisedProcess[] {
    return [...this.#replicas, this.#gateway];
  }

  /** Ready when the gateway is. Replicas that gave up are left out as long as one came up. */
  async start(): Promise<StartOutcome> {
    for (const replica of this.#replicas) replica.start();
    await this.#until(() => this.#replicas.every((replica) => replica.state.kind === 'ready' || replica.state.kind === 'stopped'));
    const dead = this.#replicas.find((replica) => replica.state.kind === 'stopped');
    if (dead !== undefined && this.#ports.size === 0) return { ok: false, process: dead };
    if (this.#stopping) return { ok: false, process: this.#gateway };
    this.#publish();
    this.#gateway.start();
    await this.#until(() => this.#gateway.state.kind === 'ready' || this.#gateway.state.kind === 'stopped');
    const { state } = this.#gateway;
    return state.kind === 'ready' ? { ok: true, gateway: state.announced } : { ok: false, process: this.#gateway };
  }

  /** Gateway first: it takes nothing new and finishes what the replicas still answer. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#gateway.stop();
    await Promise.all(this.#replicas.map((replica) => replica.stop()));
  }

  kill(): void {
    this.#stopping = true;
    for (const child of this.processes) child.kill();
  }

  #supervise(name: string, host: string, spec: () => ProcessSpec): SupervisedProcess {
    const { start, probe, clock, random, listener } = this.#options;
    return new SupervisedProcess({
      name,
      host,
      spec,
      start,
      probe,
      clock,
      random,
      killAfterMs,
      onState: (state, before) => this.#onState(name, state, before),
      onHung: (hang) => listener.onHung(name, hang),
      onModel: (model) => listener.onModel(name, model),
      onLogLine: (line) => listener.onLogLine(name, line),
    });
  }

  #onState(name: string, state: ServerState, before: ServerState): void {
    if (state.kind === 'ready' && name !== gatewayName) {
      this.#ports.set(name, state.announced.grpcPort);
      if (this.#gateway.state.kind !== 'idle') this.#publish();
    }
    this.#options.listener.onState(name, state, before);
    this.#settled?.();
  }

  #publish(): void {
    const replicas = this.#replicas.flatMap((replica, index) => {
      const port = this.#ports.get(replica.name);
      return port === undefined
        ? []
        : [{ name: replica.name, address: `${replicaHost}:${port}`, instances: this.#options.instances[index] ?? 1 }];
    });
    this.#tableFile = this.#options.writeTable(renderTable(this.#options.template, replicas));
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!reached()) await new Promise<void>((resolve) => (this.#settled = resolve));
    this.#settled = undefined;
  }
}
