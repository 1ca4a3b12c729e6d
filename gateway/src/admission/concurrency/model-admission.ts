import { RetryLine } from '@headrace/batching';
import { refuse } from '@headrace/runtime';
import type { Refusal } from '@headrace/runtime';
import type { AdaptiveLimit } from './adaptive-limit.js';
import type { AdmissionClass } from './classes.js';
import { Floors } from './floors.js';
import { Shedder, aimedShare } from './shedder.js';

/** Of what a class gets, the share that is promised to clients who were refused. */
const promisedShare = 0.5;
/** Room is kept for those who come back from so long before their time. */
const leadMs = 20;
/** Or by so many places of its line. */
const leadPlaces = 4;
/** A model under the highest pressure keeps this share of its limit. */
const pressedShare = 0.1;
/** Of a class that is let in to less than this share the latency says nothing of the limit. */
const tellingShare = 0.1;
/** The mean latency is over about so many requests. */
const latencySamples = 32;

/**
 * Whether one more request of a model is let in: at most `limit` under way; while more comes than is answered the lowest
 * ranks are shed first; each tier keeps its floor; who was told to come back now finds room. State: some numbers per class.
 */
export class ModelAdmission {
  readonly #limit: AdaptiveLimit;
  readonly #shedder: Shedder;
  readonly #floors: Floors;
  readonly #lines: (RetryLine | undefined)[] = [];
  #underWay = 0;
  #pressure = 0;
  #latencyMs = 0;

  constructor(limit: AdaptiveLimit, ranks: number, tiers: number) {
    this.#limit = limit;
    this.#shedder = new Shedder(ranks);
    this.#floors = new Floors(tiers);
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** What holds now: the latency's limit, less what the machine's pressure takes. */
  get limit(): number {
    return Math.max(1, this.#limit.limit * (1 - (1 - pressedShare) * this.#pressure));
  }

  /** Requests under way that it aims at under overload. */
  get aimed(): number {
    return aimedShare * this.limit;
  }

  /** Of all that comes, the share that is let in. */
  get keep(): number {
    return this.#shedder.keep;
  }

  /** 0..1, see pressureOf. */
  setPressure(pressure: number): void {
    this.#pressure = pressure >= 0 ? Math.min(pressure, 1) : 0;
  }

  /**
   * Undefined: it is let in, and ended() or left() must follow. `returning`: it says it was refused before; counts only if
   * one of its class was told to come now. `modest`: its tenant has no more under way than its share of `aimed`, and is the
   * last of its class to be shed.
   */
  admit(of: AdmissionClass, returning: boolean, nowMs: number, modest = false): Refusal | undefined {
    const { rank, tier } = of;
    const limit = this.limit;
    const line = this.#lines[rank];
    const expected = returning && line !== undefined && line.take(nowMs, 1, leadOf(line, nowMs));
    this.#shedder.arrived(rank, expected, modest, this.#underWay, limit, nowMs);
    if (this.#fits(rank, expected, modest, line, limit, nowMs)) {
      this.#underWay += 1;
      return undefined;
    }
    if (this.#floors.take(tier)) {
      this.#underWay += 1;
      return undefined;
    }
    return this.#refusal(rank, limit, nowMs);
  }

  /** It was answered, or expired (`latencyMs` Infinity). `serviceMs`: its run alone, undefined when unknown. */
  ended({ rank }: AdmissionClass, latencyMs: number, serviceMs: number | undefined, nowMs: number): void {
    this.#shedder.ended(latencyMs, this.#underWay, this.limit, nowMs);
    // A class of which hardly any is let in waits for those before it: that tells of the order, and no limit would mend it.
    if (this.#shedder.shareOf(rank) >= tellingShare) this.#limit.ended(nowMs, latencyMs, serviceMs, this.#underWay);
    this.#floors.answered();
    if (latencyMs >= 0 && latencyMs < Infinity) this.#latencyMs += (latencyMs - this.#latencyMs) / latencySamples;
    this.left();
  }

  /** It is gone without an answer that says anything of latency: cancelled, refused by a later step, or failed. */
  left(): void {
    this.#underWay = Math.max(0, this.#underWay - 1);
  }

  #fits(rank: number, expected: boolean, modest: boolean, line: RetryLine | undefined, limit: number, nowMs: number): boolean {
    const stop = limit * this.#shedder.stopOf(rank, expected || modest);
    if (expected) return this.#underWay < stop;
    // Room is kept in the upper half only, so that targets are busy even if nobody comes back.
    const held = line === undefined || this.#underWay * 2 < limit ? 0 : Math.min(line.heldRows(nowMs, leadMs), limit / 4);
    return this.#underWay + held < stop && this.#shedder.passes(rank, modest, this.#underWay, limit);
  }

  #refusal(rank: number, limit: number, nowMs: number): Refusal {
    const rate = Math.max(this.#shedder.rateOf(rank), this.#floors.share * this.#shedder.answersPerMs);
    const line = (this.#lines[rank] ??= new RetryLine());
    const retryAfterMs = line.book(nowMs, Math.max(this.#latencyMs, 1), 1, promisedShare * rate);
    const message = `requests under way: expected at most ${Math.floor(limit)} for the model, ${this.#underWay} are`;
    return refuse('OVERLOADED', message, retryAfterMs === undefined ? undefined : { retryAfterMs });
  }
}

/**
 * A line flows evenly, clients come whole and were told times at the rates of then: where it is slow, one at its time may find
 * too little of its place come. No more get in for it than were told.
 */
function leadOf(line: RetryLine, nowMs: number): number {
  const perMs = line.rowsPerMs(nowMs);
  return perMs > 0 ? Math.max(leadMs, leadPlaces / perMs) : leadMs;
}
