import type { Clock, Logger, Result, Timer } from '@headrace/runtime';
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

/** Longer than most requests may take, short enough that a table edited often holds few of them. */
const retireMs = 60_000;

/** All backends of the table: opens and closes connections as the table changes, and publishes their views. */
export class BackendDirectory {
  readonly #options: DirectoryOptions;
  #monitors = new Map<string, BackendMonitor>();
  /** Left the table; their connections are kept for a while for the calls under way. */
  readonly #retired = new Map<BackendMonitor, Timer>();
  #named: readonly string[] = [];
  #lives = 0;
  #quiet = false;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** Throws when a connection cannot be prepared (TLS files); nothing has changed then. In table order. A backend whose address or TLS changed is a new backend; the old one's calls run on. */
  setSpecs(specs: readonly BackendSpec[], namedModels: readonly string[]): void {
    this.#named = namedModels;
    this.#quiet = true;
    const next = new Map<string, BackendMonitor>();
    try {
      for (const spec of specs) {
        const present = this.#monitors.get(spec.name);
        next.set(spec.name, present !== undefined && sameConnection(present.spec, spec) ? present : this.#open(spec));
      }
    } catch (error) {
      // All or nothing: a TLS file that cannot be read leaves the old backends in place.
      for (const [name, monitor] of next) if (this.#monitors.get(name) !== monitor) monitor.close();
      this.#quiet = false;
      throw error;
    }
    for (const [name, monitor] of this.#monitors) if (next.get(name) !== monitor) this.#retire(monitor);
    this.#monitors = next;
    for (const spec of specs) next.get(spec.name)?.adopt(spec);
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

  call<Request, Response>(
    backend: string,
    method: MethodCodec<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Result<Response>> {
    const monitor = this.#monitors.get(backend);
    if (monitor === undefined) return Promise.resolve({ ok: false, refusal: refuse('NO_BACKEND', `backend ${backend} left the table`) });
    return monitor.call(method, request, timeoutMs);
  }

  /** A run on it failed in a way that speaks against it. */
  suspect(backend: string): void {
    this.#monitors.get(backend)?.suspect();
  }

  /** After a load or unload. */
  modelChanged(model: string): void {
    for (const monitor of this.#monitors.values()) monitor.forgetDetails(model);
  }

  close(): void {
    for (const monitor of this.#monitors.values()) monitor.close();
    for (const [monitor, timer] of this.#retired) {
      timer.cancel();
      monitor.close();
    }
    this.#monitors.clear();
    this.#retired.clear();
  }

  #retire(monitor: BackendMonitor): void {
    monitor.retire();
    const timer = this.#options.clock.setTimer(() => {
      this.#retired.delete(monitor);
      monitor.close();
    }, retireMs);
    this.#retired.set(monitor, timer);
  }

  #open(spec: BackendSpec): BackendMonitor {
    const { clock, logger, transport, maxMessageBytes, pace = defaultPace } = this.#options;
    const channel = transport.openChannel(spec.address, { maxMessageBytes, ...(spec.tls === undefined ? {} : { tls: spec.tls }) });
    return new BackendMonitor(spec, channel, {
      clock,
      logger,
      pace,
      namedModels: () => this.#named,
      nextLife: () => ++this.#lives,
      onChange: () => {
        if (!this.#quiet) this.#options.onChange();
      },
    });
  }
}

function sameConnection(a: BackendSpec, b: BackendSpec): boolean {
  return a.address === b.address && JSON.stringify(a.tls) === JSON.stringify(b.tls);
}
