import { createCostBook } from '@headrace/batching';
import { MetricsRegistry, silentLogger, statusCode } from '@headrace/runtime';
import type { Refusal } from '@headrace/runtime';
import type { GatewayTable } from '../domain/gateway-table.js';
import type { Outcome } from '../domain/infer.js';
import type { Caller } from '../domain/traffic.js';
import { defineGatewayMetrics } from '../metrics.js';
import { Pipeline } from '../pipeline/pipeline.js';
import type { Arrival } from './arrival.js';
import { SimulatedFleet } from './fleet.js';
import type { SimulatedBackend, SimulatedModel } from './fleet.js';
import { SimulationRecord } from './record.js';
import type { Groups } from './record.js';
import type { SimulationReport } from './report.js';
import { RequestViews } from './request-views.js';
import { VirtualClock } from './virtual-clock.js';

export interface SimulationOptions {
  readonly table: GatewayTable;
  readonly backends: readonly SimulatedBackend[];
  /** The first is that of requests that name none. */
  readonly models: readonly [SimulatedModel, ...SimulatedModel[]];
  readonly seed: number;
  /** A request without a deadline is in time within this; Infinity: whenever it is answered. */
  readonly sloMs: number;
  /** Attempts of a client: 1 gives up at once; more come again when the refusal says so, and only then. */
  readonly maxAttempts: number;
}

/** A request until its client has an answer, or has given up. */
interface Asked {
  readonly arrival: Arrival;
  readonly caller: Caller;
  readonly model: string;
  readonly groups: Groups;
  readonly deadlineAtMs: number;
  attempts: number;
}

/** Clients who wait to come again; beyond it they give up, so that memory is bounded under any overload. */
const maxWaitingClients = 100_000;
/** Longest time that is simulated after the trace's end for what is still under way. */
const maxDrainMs = 600_000;

/**
 * The gateway's pipeline, as it runs in production, on a clock that jumps from event to event, with backends that take the
 * time they are told to. The same arrivals, options and seed give the same report, to the byte.
 *
 * Two things differ from a gateway of its own: the circuit breakers stay closed (they run on the machine's own timers), and
 * a loss is heard of at once.
 */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #clock = new VirtualClock();
  readonly #pipeline: Pipeline;
  readonly #fleet: SimulatedFleet;
  readonly #views = new RequestViews();
  readonly #record: SimulationRecord;
  #open = 0;
  #waiting = 0;
  #finished = false;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#fleet = new SimulatedFleet(this.#clock, options.seed, options.backends, options.models);
    this.#record = new SimulationRecord(options.sloMs);
    const zero = (): number => 0;
    const registry = new MetricsRegistry({ processMetrics: false });
    const metrics = defineGatewayMetrics(registry, {
      heldRequests: zero,
      heldBytes: zero,
      queuedRows: zero,
      oldestKeysSeconds: zero,
      heldLeases: zero,
    });
    this.#pipeline = new Pipeline({
      clock: this.#clock,
      logger: silentLogger,
      metrics: {
        ...metrics,
        // What shadow mode lets through is told nowhere else.
        shadowRefusals: { ...metrics.shadowRefusals, inc: ({ reason }, by) => this.#record.shadowed(String(reason), by) },
      },
      costs: createCostBook({}),
      // As the gateway does with setImmediate: what comes at one moment is decided on together.
      defer: (decide) => void this.#clock.setTimer(decide, 0),
      backends: { channel: (name) => this.#fleet.channel(name), suspect: () => undefined },
      table: withoutBreakers(options.table),
    });
    this.#fleet.start((views) => this.#pipeline.setBackends(views));
    this.#sample();
  }

  /** A request of the trace: time moves on to it. Never earlier than the one before. */
  arrive(arrival: Arrival): void {
    this.#clock.moveTo(arrival.atMs);
    const caller: Caller = { tenant: arrival.tenant, tier: arrival.tier, proven: true };
    const model = arrival.model ?? this.#options.models[0].name;
    const tenant = this.#pipeline.admission.tenantOf(caller, arrival.atMs);
    const tier = tenant?.policy.name ?? arrival.tier ?? 'default';
    const groups = this.#record.groupsOf({ tenant: arrival.tenant, weight: tenant?.weight ?? 1, tier, priority: arrival.priority, model });
    this.#record.offered(groups, arrival.rows, arrival.atMs);
    this.#open += 1;
    this.#submit({ arrival, caller, model, groups, deadlineAtMs: arrival.atMs + arrival.deadlineMs, attempts: 0 });
  }

  /** The trace goes on without a request until then. */
  moveTo(atMs: number): void {
    this.#clock.moveTo(atMs);
  }

  /** The trace has ended: time moves on until all is answered. */
  finish(): void {
    const untilMs = this.#clock.nowMs() + maxDrainMs;
    while (this.#open > 0 && this.#clock.step(untilMs));
    this.#finished = true;
  }

  get nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Requests so far. */
  get offered(): number {
    return this.#record.requests;
  }

  /** Of what has happened so far. */
  report(): SimulationReport {
    const { backends, models, table } = this.#options;
    const [model] = models;
    const maxBatchRows = (table.models.get(model.name) ?? table.defaults).batching.maxBatchRows ?? model.maxBatchRows;
    return this.#record.report({
      elapsedMs: this.#clock.nowMs(),
      complete: this.#finished,
      backends: this.#fleet.summaries(),
      specs: backends,
      model: { ...model, maxBatchRows: Math.min(maxBatchRows, model.maxBatchRows) },
    });
  }

  close(): void {
    this.#finished = true;
    void this.#pipeline.close();
  }

  #submit(asked: Asked): void {
    const { arrival, model, deadlineAtMs } = asked;
    const nowMs = this.#clock.nowMs();
    asked.attempts += 1;
    this.#pipeline.submit(
      {
        view: this.#views.of(model, arrival.rows, arrival.priority),
        requestId: 'simulated',
        traceparent: undefined,
        tracestate: undefined,
        arrivedMs: nowMs,
        callDeadlineMs: deadlineAtMs,
        caller: asked.caller,
        returning: asked.attempts > 1,
      },
      (outcome) => this.#answered(asked, outcome),
    );
  }

  #answered(asked: Asked, outcome: Outcome): void {
    if (this.#finished) return;
    const { arrival, groups, deadlineAtMs, attempts } = asked;
    const nowMs = this.#clock.nowMs();
    if (attempts > 1) this.#record.cameAgain(outcome.ok || !isNoRoom(outcome.refusal));
    if (outcome.ok) {
      this.#open -= 1;
      this.#record.answered(groups, arrival.rows, nowMs, nowMs - arrival.atMs, arrival.deadlineMs);
      return;
    }
    const { retryAfterMs } = outcome.refusal;
    if (retryAfterMs !== undefined) this.#record.toldToWait();
    const again = retryAfterMs !== undefined && attempts < this.#options.maxAttempts && nowMs + retryAfterMs < deadlineAtMs;
    if (!again || this.#waiting >= maxWaitingClients) {
      this.#open -= 1;
      this.#record.refused(groups, outcome.refusal.reason, nowMs);
      return;
    }
    this.#waiting += 1;
    this.#clock.setTimer(() => {
      this.#waiting -= 1;
      this.#submit(asked);
    }, retryAfterMs);
  }

  #sample(): void {
    this.#record.queue(this.#clock.nowMs(), this.#pipeline.queuedRows);
    this.#clock.setTimer(() => this.#sample(), this.#record.sampleMs);
  }
}

function isNoRoom({ code }: Refusal): boolean {
  return code === statusCode.RESOURCE_EXHAUSTED || code === statusCode.UNAVAILABLE;
}

/** Their windows and trials run on the machine's own time, which no simulation may depend on. */
function withoutBreakers(table: GatewayTable): GatewayTable {
  return { ...table, routing: { ...table.routing, breaker: { ...table.routing.breaker, minRuns: Number.MAX_SAFE_INTEGER } } };
}
