import type { ArrivalGap } from '../decide/snapshot.js';

/** Weight of a new gap in the mean: about the last five arrivals count. */
const gain = 0.2;

/** Mean time between arrivals per lane. Outlives the lane itself, which is gone between bursts; bounded, the one known for longest goes. */
export class ArrivalGaps {
  readonly #gaps = new Map<string, { meanMs: number; lastMs: number }>();

  note(lane: string, nowMs: number, maxLanes: number): void {
    const known = this.#gaps.get(lane);
    if (known !== undefined) {
      const gapMs = nowMs - known.lastMs;
      known.meanMs = known.meanMs === Infinity ? gapMs : known.meanMs + (gapMs - known.meanMs) * gain;
      known.lastMs = nowMs;
      return;
    }
    // A first arrival promises no second one.
    this.#gaps.set(lane, { meanMs: Infinity, lastMs: nowMs });
    while (this.#gaps.size > maxLanes) {
      const oldest = this.#gaps.keys().next();
      if (oldest.done) break;
      this.#gaps.delete(oldest.value);
    }
  }

  of(lane: string): ArrivalGap | undefined {
    return this.#gaps.get(lane);
  }
}
