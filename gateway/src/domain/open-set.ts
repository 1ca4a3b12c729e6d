/** What an OpenSet holds knows its place in it: -1 outside. */
export interface OpenItem {
  openAt: number;
}

/**
 * What is open now, and when it is no more: a drain waits for that.
 *
 *     items: [ a | b | c | d ]     b leaves:  [ a | d | c ]      the last takes its place
 *
 * An array and not a Set, whose table would be made anew every few dozen requests and keep the answered ones alive (see
 * StreamTable of services/wire).
 */
export class OpenSet<T extends OpenItem> {
  readonly #items: T[] = [];
  readonly #waiting: (() => void)[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    item.openAt = this.#items.length;
    this.#items.push(item);
  }

  delete(item: T): void {
    const at = item.openAt;
    if (this.#items[at] !== item) return;
    item.openAt = -1;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#items[at] = last;
      last.openAt = at;
    }
    if (this.#items.length === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** A copy: what is done with the items may close them. */
  all(): T[] {
    return [...this.#items];
  }

  whenEmpty(): Promise<void> {
    return this.#items.length === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
