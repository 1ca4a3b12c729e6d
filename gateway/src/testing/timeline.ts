import { createCostBook } from '@headrace/batching';
import type { CostBook } from '@headrace/batching';
import { scanInferRequest } from '@headrace/proto';
import type { ParameterValue } from '@headrace/proto';
import { MetricsRegistry, silentLogger } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import type { BackendModel, BackendView } from '../domain/backend-view.js';
import type { GatewayTable } from '../domain/gateway-table.js';
import type { Incoming, Outcome, Ticket } from '../domain/infer.js';
import { defineGatewayMetrics } from '../metrics.js';
import { Pipeline } from '../pipeline/pipeline.js';
import type { PipelineOptions } from '../pipeline/pipeline.js';
import { MemoryChannel } from '../simulation/memory-channel.js';
import { buildRequest } from './requests.js';
import type { RequestToBuild } from './requests.js';
import { StandInEngine } from './stand-in-engine.js';
import type { StandInModel } from './stand-in-engine.js';

export interface Sent extends Ticket {
  /** Undefined while it is under way. */
  outcome: Outcome | undefined;
  doneAtMs: number;
}

/** What a transport knows of a request beside its bytes. */
export type SentWith = Partial<Pick<Incoming, 'requestId' | 'caller' | 'returning' | 'wantsStageTimes'>>;

interface Backend {
  readonly engine: StandInEngine;
  readonly channel: MemoryChannel;
  view: BackendView;
}

/** A pipeline on a fake clock with stand-ins behind memory channels: whole timelines without a network or a wait. */
export class Timeline {
  readonly clock = new FakeClock();
  readonly registry = new MetricsRegistry({ processMetrics: false });
  readonly costs: CostBook = createCostBook({});
  readonly pipeline: Pipeline;
  readonly suspected: string[] = [];
  readonly #backends = new Map<string, Backend>();
  #lives = 0;

  constructor(
    table: GatewayTable,
    models: Readonly<Record<string, readonly StandInModel[]>>,
    more: Pick<PipelineOptions, 'openQuotas'> = {},
  ) {
    const metrics = defineGatewayMetrics(this.registry, {
      heldRequests: () => 0,
      heldBytes: () => 0,
      queuedRows: () => 0,
      oldestKeysSeconds: () => 0,
      heldLeases: () => 0,
    });
    for (const spec of table.backends) {
      const engine = new StandInEngine(this.clock, models[spec.name] ?? []);
      const view: BackendView = {
        name: spec.name,
        podClass: spec.podClass,
        state: 'ready',
        life: ++this.#lives,
        // Long ago: past its slow start.
        readySinceMs: -1e9,
        instances: spec.instances,
        models: new Map((models[spec.name] ?? []).map((model) => [model.name, described(model)])),
      };
      this.#backends.set(spec.name, { engine, channel: new MemoryChannel(engine, this.clock), view });
    }
    this.pipeline = new Pipeline({
      clock: this.clock,
      logger: silentLogger,
      metrics,
      costs: this.costs,
      backends: { channel: (name) => this.#backends.get(name)?.channel, suspect: (name) => void this.suspected.push(name) },
      table,
      ...more,
    });
    this.publish();
  }

  engine(backend: string): StandInEngine {
    return this.#backend(backend).engine;
  }

  send(
    request: RequestToBuild & { readonly parameters?: Readonly<Record<string, ParameterValue>> },
    deadlineInMs = Infinity,
    more: SentWith = {},
  ): Sent {
    return this.sendBytes(buildRequest(request), deadlineInMs, more);
  }

  /** The bytes are overwritten as soon as the pipeline returns, as a transport may do. */
  sendBytes(message: Buffer, deadlineInMs = Infinity, more: SentWith = {}): Sent {
    const scanned = scanInferRequest(message);
    if (!scanned.ok) throw new Error(scanned.message);
    const nowMs = this.clock.nowMs();
    const incoming = {
      view: scanned.view,
      requestId: 'test',
      traceparent: undefined,
      tracestate: undefined,
      arrivedMs: nowMs,
      callDeadlineMs: nowMs + deadlineInMs,
      ...more,
    };
    const sent: Sent = { outcome: undefined, doneAtMs: 0, cancel: () => false };
    const ticket = this.pipeline.submit(incoming, (outcome) => {
      if (sent.outcome !== undefined) throw new Error('a request was answered twice');
      sent.outcome = outcome;
      sent.doneAtMs = this.clock.nowMs();
    });
    sent.cancel = () => ticket.cancel();
    message.fill(0xdb);
    return sent;
  }

  /** The connection breaks, and discovery hears of it when `heard`. */
  cut(backend: string, heard = true): void {
    const entry = this.#backend(backend);
    if (heard) entry.view = { ...entry.view, state: 'lost' };
    entry.channel.cut();
    if (heard) this.publish();
  }

  /** It is back, as a new process. */
  restore(backend: string): void {
    const entry = this.#backend(backend);
    entry.channel.connect();
    entry.view = { ...entry.view, state: 'ready', life: ++this.#lives, readySinceMs: this.clock.nowMs() };
    this.publish();
  }

  changeModel(backend: string, model: string, change: Partial<BackendModel>): void {
    const entry = this.#backend(backend);
    const before = entry.view.models.get(model);
    if (before === undefined) throw new Error(`${backend} has no ${model}`);
    entry.view = { ...entry.view, models: new Map([...entry.view.models, [model, { ...before, ...change }]]) };
    this.publish();
  }

  publish(): void {
    this.pipeline.setBackends([...this.#backends.values()].map(({ view }) => view));
  }

  #backend(name: string): Backend {
    const entry = this.#backends.get(name);
    if (entry === undefined) throw new Error(`no backend ${name}`);
    return entry;
  }
}

function described(model: StandInModel): BackendModel {
  const inputs = model.inputs ?? [{ name: 'x', datatype: 'INT64', shape: [-1, 1] }];
  return {
    name: model.name,
    readyVersions: model.versions ?? ['1'],
    unready: new Map(),
    signature: { inputs: inputs.map((input) => ({ ...input, optional: false })), outputs: inputs.map(({ name }) => `${name}_out`) },
    maxBatchRows: model.maxBatchRows ?? 32,
    instances: model.instances ?? 1,
  };
}
