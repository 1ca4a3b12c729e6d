import { refuse } from '@headrace/runtime';
import type { Clock, Refusal, Result } from '@headrace/runtime';
import type { BackendView } from '../domain/backend-view.js';
import type { ModelPolicy, RoutingPolicy } from '../domain/gateway-table.js';
import type { RunWatch } from '../domain/slot-turns.js';
import type { Target } from '../domain/target.js';
import { BackendBreaker } from './breaker.js';
import type { BreakerState } from './breaker.js';
import { CallOverhead } from './call-overhead.js';
import { Ledger } from './ledger.js';
import type { Run } from './ledger.js';
import { OutlierDetector } from './outlier-ejection.js';
import { pickTarget } from './pick.js';
import { backendOfTarget } from './slot-ids.js';
import { exclusionOf, targetsFor } from './targets.js';
import type { Exclusion, RoutingView } from './targets.js';

/** What of a run the router learns from. */
export type RunResult = 'ok' | 'requestFault' | 'backendFault' | 'abandoned';

export interface RouterEvents {
  onStanding(backend: string, standing: 'steady' | 'ejected' | 'probing'): void;
  onBreaker(backend: string, state: BreakerState): void;
  readonly runs?: RunWatch | undefined;
}

/** Holds the snapshot and what was learnt about the backends; the decisions themselves are pure functions beside it. */
export class Router implements RoutingView {
  readonly ledger: Ledger;
  readonly #clock: Clock;
  readonly #events: RouterEvents;
  readonly #outliers: OutlierDetector;
  readonly #breakers = new Map<string, BackendBreaker>();
  readonly #overhead = new CallOverhead();
  readonly #standings = new Map<string, string>();
  #policy: RoutingPolicy;
  #backends: readonly BackendView[] = [];
  #readySince: ReadonlyMap<string, number> = new Map();

  constructor(clock: Clock, policy: RoutingPolicy, events: RouterEvents) {
    this.#clock = clock;
    this.#policy = policy;
    this.#events = events;
    this.ledger = new Ledger(events.runs);
    this.#outliers = new OutlierDetector(policy.outlier);
  }

  get backends(): readonly BackendView[] {
    return this.#backends;
  }

  get slowStartMs(): number {
    return this.#policy.slowStartMs;
  }

  setPolicy(policy: RoutingPolicy): void {
    if (JSON.stringify(policy.breaker) !== JSON.stringify(this.#policy.breaker)) this.#closeBreakers(() => true);
    this.#policy = policy;
    this.#outliers.setPolicy(policy.outlier);
  }

  setBackends(backends: readonly BackendView[]): void {
    const lives = new Map(this.#backends.map(({ name, life }) => [name, life]));
    this.#backends = backends;
    this.#readySince = new Map(backends.map(({ name, readySinceMs }) => [name, readySinceMs]));
    this.#outliers.setMembers(backends.filter(({ state }) => state === 'ready'));
    // A backend that came back is judged anew.
    const present = new Map(backends.map(({ name, life }) => [name, life]));
    this.#closeBreakers((name) => present.get(name) === undefined || present.get(name) !== lives.get(name));
    const names = new Set(present.keys());
    this.#overhead.keep(names);
    this.ledger.keep(names);
    for (const [name, life] of present) if (life !== lives.get(name)) this.#overhead.forget(name);
    this.#publishStandings();
  }

  standing(backend: string): 'steady' | 'ejected' | 'probing' {
    return this.#outliers.standing(backend);
  }

  breaker(backend: string): BreakerState {
    return this.#breakers.get(backend)?.state ?? 'closed';
  }

  targets(model: string, version: string, policy: ModelPolicy): Target[] {
    return targetsFor(this, model, version, policy, this.#clock.nowMs());
  }

  /** Why no backend takes this request; undefined when one does. */
  refusal(model: string, version: string, policy: ModelPolicy): Refusal | undefined {
    let found: Set<Exclusion> | undefined;
    for (const backend of this.#backends) {
      const exclusion = exclusionOf(this, backend, model, version, policy);
      if (exclusion === undefined) return undefined;
      found = (found ?? new Set()).add(exclusion);
    }
    return explain(found ?? new Set(), model, version, () => this.#readyVersions(model));
  }

  /** Those that may answer for it, the one to ask first in front. */
  backendsFor(model: string, version: string, policy: ModelPolicy): Result<readonly string[]> {
    const targets = this.targets(model, version, policy);
    const best = pickTarget(targets, () => 0);
    if (best !== undefined) return { ok: true, value: [...new Set([best, ...targets].map(({ id }) => backendOfTarget(id)))] };
    const busy = `model ${JSON.stringify(model)}: no backend is free to answer`;
    return { ok: false, refusal: this.refusal(model, version, policy) ?? refuse('NO_BACKEND', busy) };
  }

  overheadMs(backend: string): number {
    return this.#overhead.of(backend, this.#clock.nowMs());
  }

  /** `reportedMs`: the run itself and its wait in the backend, where it told them. */
  finish(run: Run, result: RunResult, nowMs: number, reportedMs?: number): void {
    if (reportedMs !== undefined && run.beganMs === run.startedMs)
      this.#overhead.observe(run.backend, nowMs - run.startedMs - reportedMs, nowMs);
    this.ledger.finish(run, nowMs);
    if (result !== 'abandoned') this.#breakerOf(run.backend).record(result !== 'backendFault');
    // A process that just started is slow for good reasons: cold caches, code not compiled yet.
    const warm = nowMs - (this.#readySince.get(run.backend) ?? nowMs) >= this.#policy.slowStartMs;
    // Who gave up waiting tells at least how long it took until then.
    const elapsedMs = nowMs - run.startedMs;
    const telling = result === 'ok' || (result === 'abandoned' && elapsedMs > run.expectedMs);
    if (telling && warm && this.#outliers.observe(run.backend, run.expectedMs, elapsedMs, nowMs)) {
      this.#publishStandings();
    }
  }

  /** To be called a few times a second; true when targets came or went. */
  sweep(): boolean {
    const nowMs = this.#clock.nowMs();
    const inFlight = this.#backends.flatMap(({ name }) =>
      this.ledger.runsOf(name).map(({ expectedMs, startedMs }) => ({ backend: name, expectedMs, elapsedMs: nowMs - startedMs })),
    );
    const changed = this.#outliers.sweep(inFlight, nowMs);
    if (changed) this.#publishStandings();
    return changed;
  }

  close(): void {
    this.#closeBreakers(() => true);
  }

  #readyVersions(model: string): string {
    const versions = new Set(this.#backends.flatMap(({ models }) => models.get(model)?.readyVersions ?? []));
    return [...versions].slice(0, 16).join(', ');
  }

  #breakerOf(backend: string): BackendBreaker {
    const known = this.#breakers.get(backend);
    if (known !== undefined) return known;
    const breaker = new BackendBreaker(backend, this.#policy.breaker, (state) => this.#events.onBreaker(backend, state));
    this.#breakers.set(backend, breaker);
    return breaker;
  }

  #closeBreakers(which: (backend: string) => boolean): void {
    for (const [name, breaker] of this.#breakers) {
      if (!which(name)) continue;
      breaker.shutdown();
      this.#breakers.delete(name);
    }
  }

  #publishStandings(): void {
    const names = new Set(this.#backends.map(({ name }) => name));
    for (const name of this.#standings.keys()) if (!names.has(name)) this.#standings.delete(name);
    for (const name of names) {
      const standing = this.standing(name);
      if ((this.#standings.get(name) ?? 'steady') !== standing) {
        // What it cost to call while it was slow says nothing of how it is after.
        this.#overhead.forget(name);
        this.#events.onStanding(name, standing);
      }
      this.#standings.set(name, standing);
    }
  }
}

/** The most telling reason, from "it may work in a moment" to "it never will". */
function explain(found: ReadonlySet<Exclusion>, model: string, version: string, ready: () => string): Refusal {
  const name = JSON.stringify(model);
  if (found.has('circuitOpen'))
    return refuse('CIRCUIT_OPEN', `model ${name}: the circuit breaker of each backend that has it is open`, { retryAfterMs: 1000 });
  if (found.has('ejected'))
    return refuse('NO_BACKEND', `model ${name}: each backend that has it is set aside for being slow`, { retryAfterMs: 1000 });
  if (found.has('noVersion'))
    return refuse('VERSION_NOT_FOUND', `model ${name} has no ready version ${JSON.stringify(version.slice(0, 40))}; ready: ${ready()}`, {
      field: 'model_version',
    });
  if (found.has('modelNotReady')) return refuse('MODEL_NOT_READY', `model ${name} is not ready on any backend`, { retryAfterMs: 1000 });
  if (found.has('notReady')) return refuse('NO_BACKEND', `model ${name}: no backend that may serve it is ready`, { retryAfterMs: 1000 });
  return refuse('MODEL_NOT_FOUND', `model ${name} is not served by any backend`, { field: 'model_name' });
}
