/** Beyond this nothing is promised: what the load is by then nobody knows. */
const horizonMs = 30_000;
/** At a rate lower than one client in this time nothing is promised either: it would hold up those after it when room is made. */
const mostGapMs = 1_000;
/** A client that is told a time comes a little after it; for so long (as a time constant) its place is kept... */
const holdMs = 50;
/** ...and for so long it is known again, though no place is kept. */
const creditMs = 2_000;
/** The share of clients that do come back is learnt over about so many rows. */
const showUpRows = 64;

/**
 * The line of clients that were refused and told when to come back. Each is given a time of its own, one after the other
 * at the rate at which room is made, so that they neither come all at once nor find what they were promised taken:
 *
 *     now      start                               tail
 *      |  due   |== booked, `booked / (tail - start)` rows a ms ==|
 *      '-- places kept for those whose time has come
 *
 * A fluid, not a list: a few numbers whatever number of clients waits. Times of different lines do not know each other.
 * Where clients give up instead, the share that shows up is learnt and places are kept only for that share, as airlines
 * overbook.
 */
export class RetryLine {
  #startMs = -Infinity;
  #tailMs = -Infinity;
  #booked = 0;
  /** Rows whose time has come, less what came: places kept, and credit. */
  #kept = 0;
  #credit = 0;
  #showUp = 1;
  #atMs = -Infinity;

  /**
   * Milliseconds after which a client of `rows` rows should come back: `earliestInMs` or more, and when those before it
   * had their turn at `rowsPerMs`. Undefined: the line is too long for a promise.
   */
  book(nowMs: number, earliestInMs: number, rows: number, rowsPerMs: number): number | undefined {
    if (!(rowsPerMs > 0) || !(earliestInMs >= 0)) return undefined;
    this.#advance(nowMs);
    const slotMs = Math.max(nowMs + earliestInMs, this.#tailMs);
    const size = Math.max(rows, 1);
    if (slotMs - nowMs > horizonMs || size / rowsPerMs > mostGapMs) return undefined;
    if (this.#booked === 0) {
      this.#startMs = slotMs;
      this.#credit = Math.max(0, this.#credit);
    }
    this.#booked += size;
    this.#tailMs = slotMs + size / rowsPerMs;
    return Math.max(1, Math.ceil(slotMs - nowMs));
  }

  /** Rows for which room should be left now: those whose time has come or comes within `leadMs`, as far as they do come. */
  heldRows(nowMs: number, leadMs: number): number {
    if (this.#booked === 0 && this.#kept === 0) return 0;
    this.#advance(nowMs);
    return this.#showUp * (this.#kept + this.#upcoming(nowMs, leadMs));
  }

  /** True when a client that says it was refused before has a time in the line, which is thereby used. */
  take(nowMs: number, rows: number, leadMs: number): boolean {
    if (this.#booked === 0 && this.#credit === 0) return false;
    this.#advance(nowMs);
    const size = Math.max(rows, 1);
    const upcoming = this.#upcoming(nowMs, leadMs);
    // A half, which is owed then: rows flow out of the line evenly, and clients come whole.
    if (this.#credit + upcoming < size / 2) return false;
    const early = Math.min(Math.max(size - this.#credit, 0), upcoming);
    this.#booked -= early;
    this.#credit += early - size;
    this.#kept = Math.max(0, this.#kept - size);
    this.#showUp += (1 - this.#showUp) * Math.min(1, size / showUpRows);
    return true;
  }

  /** Rows a millisecond that the line takes of what comes; 0 when nobody waits. */
  rowsPerMs(nowMs: number): number {
    this.#advance(nowMs);
    return this.#booked > 0 ? this.#booked / Math.max(this.#tailMs - this.#startMs, 1) : 0;
  }

  #upcoming(nowMs: number, leadMs: number): number {
    const spanMs = this.#tailMs - this.#startMs;
    if (this.#booked === 0 || spanMs <= 0) return this.#booked;
    return this.#booked * Math.min(1, Math.max(0, (nowMs + leadMs - this.#startMs) / spanMs));
  }

  #advance(nowMs: number): void {
    if (!(nowMs > this.#atMs)) return;
    const elapsedMs = nowMs - this.#atMs;
    this.#atMs = nowMs;
    if (this.#credit > 0) {
      const left = this.#credit * Math.exp(-elapsedMs / creditMs);
      const missed = this.#credit - left;
      this.#credit = left < 1e-3 ? 0 : left;
      this.#kept = this.#kept * Math.exp(-elapsedMs / holdMs);
      if (this.#kept < 1e-3) this.#kept = 0;
      this.#showUp *= 1 - Math.min(1, missed / showUpRows);
    }
    if (this.#booked > 0 && nowMs > this.#startMs) {
      const due = this.#upcoming(nowMs, 0);
      this.#booked = nowMs >= this.#tailMs ? 0 : this.#booked - due;
      this.#kept += due;
      this.#credit += due;
      this.#startMs = nowMs;
    }
  }
}
