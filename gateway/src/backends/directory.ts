import type { Clock, Logger, Result } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';
import type { Channel, ChannelOptions } from '@headrace/wire';
import type { BackendView } from '../domain/backend-view.js';
import type { BackendSpec } from '../domain/gateway-table.js';
import type { MethodCodec } from './caller.js';
import { BackendMonitor, defaultPace } from './monitor.js';
import type { MonitorPace } from './monitor.js';

/** The part of the wire's Transport that discovery needs. */
export interface ChannelOpener {
  openChannel(address: string, options: ChannelOptions): Channel;
}

export interface DirectoryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transport: ChannelOpener;
  readonly maxMessageBytes: number;
  readonly pace?: MonitorPace;
  /** The views changed; never called during the constructor or setSpecs. */
  readonly onChange: () => void;
}

/** All backends of the table: opens and closes connections as the table changes, and publishes their views. */
export class BackendDirectory {
  readonly #options: DirectoryOptions;
  #monitors = new Map<string, BackendMonitor>();
  #named: readonly string[] = [];
  #quiet = false;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** In table order. A backend whose address, class, instances or TLS changed is a new backend. */
  setSpecs(specs: readonly BackendSpec[], namedModels: readonly string[]): void {
    this.#named = namedModels;
    this.#quiet = true;
    const next = new Map<string, BackendMonitor>();
    for (const spec of specs) {
      const present = this.#monitors.get(spec.name);
      if (present !== undefined && JSON.stringify(present.spec) === JSON.stringify(spec)) next.set(spec.name, present);
      else next.set(spec.name, this.#open(spec));
    }
    for (const [name, monitor] of this.#monitors) if (next.get(name) !== monitor) monitor.close();
    this.#monitors = next;
    this.#quiet = false;
    for (const monitor of next.values()) monitor.look();
  }

  views(): readonly BackendView[] {
    return [...this.#monitors.values()].map(({ view }) => view);
  }

  names(): readonly string[] {
    return [...this.#monitors.keys()];
  }

  channel(backend: string): Channel | undefined {
    return this.#monitors.get(backend)?.channel;
  }

  call<Request, Response>(backend: string, method: MethodCodec<Request, Response>, request: Request, timeoutMs: number): Promise<Result<Response>> {
    const monitor = this.#monitors.get(backend);
    if (monitor === undefined) return Promise.resolve({ ok: false, refusal: refuse('NO_BACKEND', `backend ${backend} left the table`) });
    return monitor.call(method, request, timeoutMs);
  }

  /** After a load or unload. */
  modelChanged(model: string): void {
    for (const monitor of this.#monitors.values()) monitor.forgetDetails(model);
  }

  close(): void {
    for (const monitor of this.#monitors.values()) monitor.close();
    this.#monitors.clear();
  }

  #open(spec: BackendSpec): BackendMonitor {
    const { clock, logger, transport, maxMessageBytes, pace = defaultPace } = this.#options;
    const channel = transport.openChannel(spec.address, { maxMessageBytes, ...(spec.tls === undefined ? {} : { tls: spec.tls }) });
    return new BackendMonitor(spec, channel, {
      clock,
      logger,
      pace,
      namedModels: () => this.#named,
      onChange: () => {
        if (!this.#quiet) this.#options.onChange();
      },
    });
  }
}
