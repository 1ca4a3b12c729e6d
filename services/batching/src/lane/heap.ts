/** Where an item sits in each heap that holds it, by the heap's slot; -1 = not in it. */
export interface HeapItem {
  readonly at: number[];
}

/**
 * A binary heap that knows where its items are, so that any of them leaves or moves in O(log n).
 *
 *            0            at[slot] of each item is its index;
 *          1   2          parent of i: (i - 1) >> 1
 *         3 4 5 6
 *
 * One item may sit in several heaps at once, each writing its own slot.
 */
export class IndexedHeap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #slot: number;
  readonly #before: (left: T, right: T) => boolean;

  constructor(slot: number, before: (left: T, right: T) => boolean) {
    this.#slot = slot;
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  /** Any order but this: index 0 is the first; the far end holds items that none of the others waits for. */
  itemAt(index: number): T | undefined {
    return this.#items[index];
  }

  has(item: T): boolean {
    return (item.at[this.#slot] ?? -1) >= 0;
  }

  push(item: T): void {
    this.#rise(this.#items.length, item);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  remove(item: T): boolean {
    const index = item.at[this.#slot] ?? -1;
    if (index < 0) return false;
    item.at[this.#slot] = -1;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) this.#settle(index, last);
    return true;
  }

  /** After the item's key changed. */
  update(item: T): void {
    // Mostly the only tenant.
    if (this.#items.length < 2) return;
    const index = item.at[this.#slot] ?? -1;
    if (index >= 0) this.#settle(index, item);
  }

  #settle(index: number, item: T): void {
    const parent = this.#items[(index - 1) >> 1];
    if (index > 0 && parent !== undefined && this.#before(item, parent)) this.#rise(index, item);
    else this.#sink(index, item);
  }

  #rise(from: number, item: T): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#items[above];
      if (parent === undefined || !this.#before(item, parent)) break;
      this.#put(index, parent);
      index = above;
    }
    this.#put(index, item);
  }

  #sink(from: number, item: T): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      let child = this.#items[left];
      if (child === undefined) break;
      let below = left;
      const right = this.#items[left + 1];
      if (right !== undefined && this.#before(right, child)) {
        child = right;
        below = left + 1;
      }
      if (!this.#before(child, item)) break;
      this.#put(index, child);
      index = below;
    }
    this.#put(index, item);
  }

  #put(index: number, item: T): void {
    this.#items[index] = item;
    item.at[this.#slot] = index;
  }
}
