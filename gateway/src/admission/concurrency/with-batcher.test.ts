import type { Refusal } from '@headrace/runtime';
import { Simulation, exponentialMs } from '@headrace/batching/testing';
import type { SimRequest } from '@headrace/batching/testing';
import { expect, test } from 'vitest';
import { AdmissionClasses } from './classes.js';
import type { AdmissionClass } from './classes.js';
import { GoalGradient, leastUnderWay } from './goal-gradient.js';
import { ModelAdmission } from './model-admission.js';

const gpu = { id: 'gpu', podClass: 'gpu', overheadMs: 10, perRowMs: 0.5, noise: 0.05 };
const capacity = 32 / 26;
const goal = { percentile: 99, latencyMs: 200 };
const budgetMs = 150;

/** As the pipeline does it: admission, then the batcher, whose refusals give back what admission took. */
class Gateway extends Simulation {
  readonly classes = new AdmissionClasses(3, [{ name: 'all', weight: 1 }]);
  readonly admission: ModelAdmission;

  constructor() {
    super({ targets: [gpu] });
    const limit = new GoalGradient({ goal });
    limit.setLeast(leastUnderWay([gpu], 32, goal));
    this.admission = new ModelAdmission(limit, this.classes.ranks, this.classes.tiers);
    this.onDone = (request) => this.admission.ended(this.#classOf(request), this.latencyMs(request), undefined, this.clock.nowMs());
  }

  override drop(request: SimRequest, refusal: Refusal): void {
    super.drop(request, refusal);
    this.admission.ended(this.#classOf(request), Infinity, undefined, this.clock.nowMs());
  }

  #classOf({ band }: SimRequest): AdmissionClass {
    return this.classes.of(band, 'all');
  }

  ask(band: number, returning: boolean): { readonly refusal: Refusal | undefined; readonly request: SimRequest | undefined } {
    const nowMs = this.clock.nowMs();
    const refusal = this.admission.admit(this.classes.of(band, 'all'), returning, nowMs);
    if (refusal !== undefined) return { refusal, request: undefined };
    const request = this.submit({ band, returning, deadlineMs: nowMs + budgetMs });
    const { refused } = this.outcome(request);
    if (refused !== undefined) this.admission.left();
    return { refusal: refused, request };
  }
}

test.each([1.2, 2, 3])('%dx before the batcher: high priority is answered in time, and who comes back at the time told gets in', (load) => {
  const gateway = new Gateway().learn();
  const { clock, random } = gateway;
  const reasons = new Map<string, number>();
  const high: SimRequest[] = [];
  const answered: SimRequest[] = [];
  let highCame = 0;
  let returned = 0;
  let taken = 0;
  const come = (band: number, returning: boolean): void => {
    const { refusal, request } = gateway.ask(band, returning);
    if (returning) returned += 1;
    if (returning && refusal === undefined) taken += 1;
    if (refusal === undefined && request !== undefined) (band === 1 ? high : answered).push(request);
    if (refusal === undefined) return;
    reasons.set(refusal.reason, (reasons.get(refusal.reason) ?? 0) + 1);
    if (refusal.retryAfterMs !== undefined) clock.setTimer(() => come(band, true), refusal.retryAfterMs + random());
  };
  const next = (): void => {
    const band = random() < 0.25 ? 1 : random() < 0.5 ? 2 : 3;
    if (band === 1) highCame += 1;
    come(band, false);
    if (clock.nowMs() < 5_000) clock.setTimer(next, exponentialMs(random, load * capacity));
  };
  clock.setTimer(next, 0);
  clock.advance(5_500);
  const inTime = (requests: readonly SimRequest[]): number => requests.filter((request) => gateway.latencyMs(request) <= budgetMs).length;
  expect([...reasons.keys()].filter((reason) => reason !== 'OVERLOADED' && reason !== 'DEADLINE_UNREACHABLE')).toEqual([]);
  expect(inTime(high) / highCame).toBeGreaterThan(0.97);
  expect((inTime(high) + inTime(answered)) / (5_000 * capacity)).toBeGreaterThan(0.88);
  expect(returned).toBeGreaterThan(20);
  expect(taken / returned).toBeGreaterThanOrEqual(0.95);
  expect(gateway.admission.underWay).toBeGreaterThanOrEqual(0);
});
