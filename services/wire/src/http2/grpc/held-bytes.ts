/** Where memory for received bytes is accounted for; one for the whole process. */
export interface ReceiveBudget {
  /** False: not granted, and nothing was charged. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/**
 * While a message is put together its memory grows by this factor: a peer that announces 64 MiB and sends 16 KiB has
 * made us take 64 KiB, and of a message that does come at most a third is copied again (1/4 + 1/16 + ... = 1/3).
 */
const messageGrowth = 4;
/** Behind the first message nothing is announced. */
const backlogGrowth = 2;

/**
 * Bytes of one stream that wait for the rest of their message, or for a sink that pauses. Memory is charged before it is
 * allotted, while it grows both old and new, and given back with the last byte.
 *
 *   view:  | consumed |  waiting   |   free   |
 *          0        start         end     view.length (charged)
 */
export class HeldBytes {
  readonly #budget: ReceiveBudget;
  #view: Buffer | undefined;
  #start = 0;
  #end = 0;

  constructor(budget: ReceiveBudget) {
    this.#budget = budget;
  }

  get view(): Buffer | undefined {
    return this.#view;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  get chargedBytes(): number {
    return this.#view === undefined ? 0 : this.#view.length;
  }

  /**
   * Copies bytes to the end. `expectedBytes`: how long all this will become as far as is announced, 0 when unknown.
   * False when the budget refused; nothing changed then. Invalidates views, so never while one is lent.
   */
  append(bytes: Buffer, from: number, to: number, expectedBytes: number): boolean {
    const added = to - from;
    const needed = this.length + added;
    const view = this.#view;
    if (view === undefined || needed > view.length) {
      if (!this.#grow(needed, expectedBytes)) return false;
    } else if (this.#end + added > view.length) {
      view.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    this.#view?.set(bytes.subarray(from, to), this.#end);
    this.#end += added;
    return true;
  }

  /** Everything before `at`, a place in the view, was used. */
  consumeTo(at: number): void {
    if (this.#view === undefined) return;
    this.#start = at;
    if (at >= this.#end) this.release();
  }

  release(): void {
    if (this.#view === undefined) return;
    this.#budget.give(this.#view.length);
    this.#view = undefined;
    this.#start = 0;
    this.#end = 0;
  }

  #grow(needed: number, expectedBytes: number): boolean {
    const capacity =
      needed <= expectedBytes ? Math.min(expectedBytes, needed * messageGrowth) : Math.max(needed, this.chargedBytes * backlogGrowth);
    if (!this.#budget.take(capacity)) return false;
    // Of its own, not a slice of Node's pool: what is charged is then what is kept alive.
    const grown = Buffer.allocUnsafeSlow(capacity);
    const old = this.#view;
    const { length } = this;
    if (old !== undefined) {
      grown.set(old.subarray(this.#start, this.#end));
      this.#budget.give(old.length);
    }
    this.#view = grown;
    this.#start = 0;
    this.#end = length;
    return true;
  }
}
