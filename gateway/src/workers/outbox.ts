import type { Defer } from '@headrace/batching';

/** Collects what one turn of the event loop wants told, so that it becomes one message: writing to another process is what costs. */
export class Outbox<T> {
  readonly #defer: Defer;
  readonly #send: (items: readonly T[]) => void;
  #items: T[] = [];
  #scheduled = false;

  constructor(defer: Defer, send: (items: readonly T[]) => void) {
    this.#defer = defer;
    this.#send = send;
  }

  push(item: T): void {
    this.#items.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#defer(() => {
      this.#scheduled = false;
      const items = this.#items;
      this.#items = [];
      if (items.length > 0) this.#send(items);
    });
  }

  clear(): void {
    this.#items = [];
  }
}
