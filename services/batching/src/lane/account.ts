import type { DueRing } from '../arrival/due-ring.js';
import type { RetryLine } from '../arrival/retry-line.js';
import type { Tenant } from '../types.js';
import type { Share } from './demand.js';
import type { HeapItem } from './heap.js';

/**
 * Service that a tenant of weight 1 gets in each round, ms. Small, as a round is nobody's work (see below): it is what
 * others wait while a tenant has its turn. Cheap requests of one tenant still go together.
 */
export const quantumMs = 0.1;
/** A weight outside is taken for the nearest: every tenant's turn comes. */
const leastWeight = 1e-3;
const mostWeight = 1e3;

/** What stands somewhere by its tenant's turn and has to move when that changes. */
export interface Seat {
  moved(): void;
}

/** What one tenant has waiting, and brings, in one band. */
export interface BandWork {
  readonly share: Share;
  /** Only while something waits. */
  ring: DueRing | undefined;
}

/**
 * What one tenant has waiting and has had of one model, for deficit round-robin (Shreedhar & Varghese 1996). A tenant may
 * overdraw its deficit by the request that it is served with, and sits out the rounds until that is paid (as RFC 8290,
 * 4.2): what a request costs need not be known before, and may be corrected after.
 *
 * Kept as the round in which it is served next and what is left to it there, so that no one has to go through the
 * rounds in between. E.g. weight 2, 0.05 ms left in round 7, charged 0.6 ms: -0.55 ms, served again in round 10 with 0.05 ms.
 */
export class Account<S extends Seat> implements HeapItem {
  readonly at = [-1];
  readonly tenant: Tenant;
  /** Of the tenant when it last came to wait; in force until it leaves. */
  weight: number;
  round = 0;
  /** More than 0, at most quantumMs x weight. */
  leftMs: number;
  /** Order within a round. */
  turn = 0;
  requests = 0;
  /** Rows that wait; a request without rows takes one place. */
  places = 0;
  /** One for each lane in which something of it waits. */
  readonly seats: S[] = [];
  /** By band, the highest first; see TenantWork. */
  readonly bands: (BandWork | undefined)[] = [];
  /** By band: clients that were refused. */
  readonly retryLines: (RetryLine | undefined)[] = [];
  /** Neighbours in the list of those with nothing waiting. */
  older: Account<S> | undefined;
  newer: Account<S> | undefined;

  constructor(tenant: Tenant) {
    this.tenant = tenant;
    this.weight = soundWeight(tenant);
    this.leftMs = quantumMs * this.weight;
  }

  /** Comes to wait. Of what was left of earlier rounds `creditMs` is; what is owed, or left of this very round, is too. */
  join(currentRound: number, turn: number, creditMs = 0): void {
    this.weight = soundWeight(this.tenant);
    this.catchUp(currentRound - Math.floor(creditMs / (quantumMs * this.weight)));
    this.leftMs = Math.min(this.leftMs, quantumMs * this.weight);
    this.turn = turn;
  }

  /** What it has had and sits out rounds for from `nextRound` on, ms; 0 when its turn comes in that. */
  debtMs(nextRound: number): number {
    return Math.max(0, this.round - nextRound) * quantumMs * this.weight;
  }

  /** Takes `ms` of service out; negative gives back. */
  charge(ms: number): void {
    const perRoundMs = quantumMs * this.weight;
    const leftMs = this.leftMs - ms;
    // Whole rounds to go on (or, with a refund, back) until what is left is above 0 and no more than one round gives.
    const rounds = 1 - Math.ceil(leftMs / perRoundMs);
    this.round += rounds;
    this.leftMs = leftMs + rounds * perRoundMs;
  }

  /** What it was not served with before this round is forgiven. */
  catchUp(leastRound: number): void {
    if (this.round < leastRound) this.#renew(leastRound);
  }

  #renew(round: number): void {
    this.round = round;
    this.leftMs = quantumMs * this.weight;
  }
}

function soundWeight({ weight }: Tenant): number {
  return weight > 0 ? Math.min(Math.max(weight, leastWeight), mostWeight) : leastWeight;
}
