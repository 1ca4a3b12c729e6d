/** What is open now, and when it is no more: a drain waits for that. */
export class OpenSet<T> {
  readonly #open = new Set<T>();
  readonly #waiting: (() => void)[] = [];

  get size(): number {
    return this.#open.size;
  }

  add(item: T): void {
    this.#open.add(item);
  }

  delete(item: T): void {
    this.#open.delete(item);
    if (this.#open.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** A copy: what is done with the items may close them. */
  all(): T[] {
    return [...this.#open];
  }

  whenEmpty(): Promise<void> {
    return this.#open.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
