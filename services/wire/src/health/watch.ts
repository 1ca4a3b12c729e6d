import { healthService } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { StreamCall } from '../port.js';
import { refusalToStatus } from '../status.js';
import { malformedRequest, requestedService } from './request.js';
import type { HealthSource } from './source.js';

type WatchState = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

interface Watch {
  readonly call: StreamCall;
  service: string | undefined;
  sent: WatchState | undefined;
  /** The client does not read: only the newest state is kept for it. */
  blocked: boolean;
}

/** The open Watch streams of one server. */
export class WatchBook {
  readonly #source: HealthSource;
  readonly #max: number;
  readonly #watches = new Set<Watch>();
  #unsubscribe: (() => void) | undefined;

  constructor(source: HealthSource, max: number) {
    this.#source = source;
    this.#max = max;
  }

  get size(): number {
    return this.#watches.size;
  }

  open(call: StreamCall): void {
    if (this.#watches.size >= this.#max) {
      call.fail(refusalToStatus(refuse('QUEUE_FULL', `this server has ${this.#max} health watchers, and takes no more`)));
      return;
    }
    const watch: Watch = { call, service: undefined, sent: undefined, blocked: false };
    this.#add(watch);
    call.onCancel(() => this.#remove(watch));
    call.onMessage((message) => this.#start(watch, message));
    call.onEnd(() => {
      if (watch.service === undefined) this.#refuse(watch);
    });
    call.onDrain(() => {
      watch.blocked = false;
      this.#send(watch);
    });
  }

  endAll(): void {
    for (const watch of [...this.#watches]) {
      this.#remove(watch);
      watch.call.fail(refusalToStatus(refuse('DRAINING', 'the server is shutting down')));
    }
  }

  #start(watch: Watch, message: Buffer): void {
    const service = requestedService(message);
    if (watch.service !== undefined || service === undefined) return this.#refuse(watch);
    watch.service = service;
    this.#send(watch);
  }

  #send(watch: Watch): void {
    if (watch.service === undefined || watch.blocked || !this.#watches.has(watch)) return;
    const status: WatchState = this.#source.check(watch.service) ?? 'SERVICE_UNKNOWN';
    if (status === watch.sent) return;
    watch.sent = status;
    watch.blocked = !watch.call.write(healthService.methods.Watch.response.encode({ status }));
  }

  #refuse(watch: Watch): void {
    this.#remove(watch);
    watch.call.fail(malformedRequest());
  }

  #add(watch: Watch): void {
    this.#watches.add(watch);
    this.#unsubscribe ??= this.#source.onChange(() => {
      for (const each of this.#watches) this.#send(each);
    });
  }

  #remove(watch: Watch): void {
    this.#watches.delete(watch);
    if (this.#watches.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }
}
