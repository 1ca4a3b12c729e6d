import type { Clock, Logger, Result, Timer } from '@headrace/runtime';
import type { Channel, ChannelState } from '@headrace/wire';
import type { BackendModel, BackendState, BackendView } from '../domain/backend-view.js';
import type { BackendSpec } from '../domain/gateway-table.js';
import { callMethod } from './caller.js';
import type { MethodCodec } from './caller.js';
import { probe } from './probe.js';

export interface MonitorPace {
  /** Between looks at a ready backend. */
  readonly readyMs: number;
  /** Between looks at one that is not. */
  readonly unreadyMs: number;
  /** Of one call of a look. */
  readonly callTimeoutMs: number;
  /** Details of a model are asked for again at this age. */
  readonly detailsMs: number;
}

export const defaultPace: MonitorPace = { readyMs: 1000, unreadyMs: 250, callTimeoutMs: 2000, detailsMs: 30_000 };

/** Looks that may fail in a row, the connection standing, before the backend counts as not ready. */
const failuresAllowed = 2;

/**
 * Keeps the view of one backend true: polls it, and hears of a broken connection at once.
 *
 *   connecting --look: ready--> ready --look: not ready, 2 failed looks--> notReady --look: ready--> ready
 *                                 '----connection broke----> lost ----------look: ready----------------^
 */
export class BackendMonitor {
  #spec: BackendSpec;
  readonly channel: Channel;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pace: MonitorPace;
  readonly #named: () => readonly string[];
  readonly #onChange: () => void;
  readonly #nextLife: () => number;
  readonly #askedMs = new Map<string, number>();
  #view: BackendView;
  #timer: Timer | undefined;
  #looking = false;
  #lookAgain = false;
  #failures = 0;
  #closed = false;

  constructor(
    spec: BackendSpec,
    channel: Channel,
    deps: {
      clock: Clock;
      logger: Logger;
      pace: MonitorPace;
      namedModels: () => readonly string[];
      nextLife: () => number;
      onChange: () => void;
    },
  ) {
    this.#spec = spec;
    this.#nextLife = deps.nextLife;
    this.channel = channel;
    this.#clock = deps.clock;
    this.#logger = deps.logger.child({ backend: spec.name });
    this.#pace = deps.pace;
    this.#named = deps.namedModels;
    this.#onChange = deps.onChange;
    this.#view = {
      name: spec.name,
      podClass: spec.podClass,
      state: 'connecting',
      life: 0,
      readySinceMs: 0,
      instances: spec.instances,
      models: new Map(),
    };
    channel.onState((state) => this.#onChannel(state));
    channel.connect();
    this.look();
  }

  get spec(): BackendSpec {
    return this.#spec;
  }

  /** Settings that need no new connection. */
  adopt(spec: BackendSpec): void {
    this.#spec = spec;
    this.#view = { ...this.#view, podClass: spec.podClass, instances: spec.instances };
  }

  get view(): BackendView {
    return this.#view;
  }

  call<Request, Response>(method: MethodCodec<Request, Response>, request: Request, timeoutMs: number): Promise<Result<Response>> {
    return callMethod(this.channel, this.#clock, method, request, { timeoutMs });
  }

  /** Looks now; while a look is under way, once more after it. */
  look(): void {
    if (this.#closed) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#timer?.cancel();
    void this.#look();
  }

  /** A run failed as if the backend were lost: if the connection says so too it is out at once, else it is looked at now. */
  suspect(): void {
    if (this.#closed) return;
    const state = this.channel.state();
    if (state !== 'ready' && this.#view.state === 'ready') this.#set('lost', this.#view.models, `connection ${state}`);
    this.look();
  }

  /** A model was loaded or unloaded: its details are not to be trusted any more. */
  forgetDetails(model: string): void {
    this.#askedMs.delete(model);
    this.look();
  }

  /** No more looks; calls under way go on until close(). */
  retire(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  close(): void {
    this.retire();
    this.channel.close();
  }

  async #look(): Promise<void> {
    this.#looking = true;
    this.#lookAgain = false;
    const nowMs = this.#clock.nowMs();
    const caller = {
      call: <Request, Response>(method: MethodCodec<Request, Response>, request: Request) =>
        this.call(method, request, this.#pace.callTimeoutMs),
    };
    const result = await probe(caller, this.#named(), this.#view.models, (model) => this.#isStale(model, nowMs));
    this.#looking = false;
    if (this.#closed) return;
    if (result.ok) {
      this.#failures = 0;
      this.#noteAsked(result.value.models, nowMs);
      this.#set(result.value.ready ? 'ready' : 'notReady', result.value.models);
    } else if (this.channel.state() === 'ready') {
      this.#failures += 1;
      if (this.#failures >= failuresAllowed) this.#set('notReady', this.#view.models, result.refusal.message);
    } else if (this.#view.state === 'ready') this.#set('lost', this.#view.models, result.refusal.message);
    const waitMs = this.#view.state === 'ready' ? this.#pace.readyMs : this.#pace.unreadyMs;
    this.#timer = this.#clock.setTimer(() => this.look(), this.#lookAgain ? 0 : waitMs);
  }

  #onChannel(state: ChannelState): void {
    if (this.#closed) return;
    if (state === 'ready') return this.look();
    if (state === 'idle') this.channel.connect();
    if (this.#view.state === 'ready') this.#set('lost', this.#view.models, `connection ${state}`);
  }

  #isStale(model: string, nowMs: number): boolean {
    return nowMs - (this.#askedMs.get(model) ?? -Infinity) >= this.#pace.detailsMs;
  }

  #noteAsked(models: ReadonlyMap<string, BackendModel>, nowMs: number): void {
    for (const model of this.#askedMs.keys()) if (!models.has(model)) this.#askedMs.delete(model);
    for (const [name, model] of models) {
      if (model.readyVersions.length > 0 && this.#isStale(name, nowMs)) this.#askedMs.set(name, nowMs);
    }
  }

  #set(state: BackendState, models: ReadonlyMap<string, BackendModel>, reason?: string): void {
    const before = this.#view;
    if (before.state === state && sameModels(before.models, models)) return;
    const rejoined = state === 'ready' && before.state !== 'ready';
    this.#view = {
      ...before,
      state,
      models,
      ...(rejoined ? { life: this.#nextLife(), readySinceMs: this.#clock.nowMs() } : {}),
    };
    if (before.state !== state) {
      const ready = [...models.values()].filter(({ readyVersions }) => readyVersions.length > 0).length;
      const fields = { from: before.state, to: state, readyModels: ready, ...(reason === undefined ? {} : { reason }) };
      if (state === 'ready') this.#logger.info(fields, 'backend is ready');
      else this.#logger.warn(fields, 'backend is not ready');
    }
    this.#onChange();
  }
}

function sameModels(a: ReadonlyMap<string, BackendModel>, b: ReadonlyMap<string, BackendModel>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [name, model] of a) {
    const other = b.get(name);
    if (other === undefined || !sameModel(model, other)) return false;
  }
  return true;
}

function sameModel(a: BackendModel, b: BackendModel): boolean {
  const text = (model: BackendModel): string =>
    JSON.stringify([model.readyVersions, [...model.unready], model.signature, model.maxBatchRows, model.instances]);
  return a === b || text(a) === text(b);
}
