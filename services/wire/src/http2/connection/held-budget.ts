/** One connection, as the budget sees it. */
export interface Holder {
  /** What the process holds for this peer now. */
  readonly heldBytes: number;
  /** It holds the most and the budget is used up: the connection ends, and with it all that is held for it. */
  shed(message: string): void;
}

/**
 * What a server holds for its peers over all their connections: replies that they do not read, and header lists of the calls that run.
 * ConnectionLimits bound one connection; a thousand peers have a thousand of them.
 *
 *     1. a handler that streams is held up by its own stream: write() answers false with the first byte that has to wait
 *     2. above ConnectionLimits.maxUnsentBytes a connection ends
 *     3. above this budget the connection that holds the most ends (ENHANCE_YOUR_CALM), then the next, until the rest fits
 *
 * The sum may exceed the budget by what one event of the event loop adds.
 */
export class HeldBudget {
  readonly #maxBytes: number;
  readonly #holders = new Set<Holder>();
  #usedBytes = 0;
  #shedding = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  add(holder: Holder): void {
    this.#holders.add(holder);
  }

  remove(holder: Holder): void {
    this.#holders.delete(holder);
  }

  charge(bytes: number): void {
    this.#usedBytes += bytes;
    if (this.#usedBytes <= this.#maxBytes || this.#shedding) return;
    this.#shedding = true;
    // Not under the hands of whoever is writing to the connection that must go.
    queueMicrotask(() => this.#shed());
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  /** Reads all connections for each one that ends: rare, and never twice for one connection. */
  #shed(): void {
    while (this.#usedBytes > this.#maxBytes) {
      let most: Holder | undefined;
      for (const holder of this.#holders) if (holder.heldBytes > (most?.heldBytes ?? 0)) most = holder;
      if (most === undefined) break;
      this.#holders.delete(most);
      most.shed(`more than ${this.#maxBytes} bytes are held for all peers, and most of them for this one`);
    }
    this.#shedding = false;
  }
}
