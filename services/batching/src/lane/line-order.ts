import type { BatchRequest } from '../types.js';
import { IndexedHeap } from './heap.js';
import type { Lifts } from './lifts.js';
import { lowestBand } from './lifts.js';
import type { Line } from './line.js';

/**
 * The lines of a lane, by band and in each by their tenants' turns. Bands that aging has made one (Lifts) are looked at
 * together, so that nothing moves when it does.
 */
export class LineOrder<R extends BatchRequest> {
  readonly #lifts: Lifts;
  readonly #heaps: (IndexedHeap<Line<R>> | undefined)[] = [];
  #size = 0;
  /** The highest band in which there is a line; not less than any while there is none. */
  #first = lowestBand;

  constructor(lifts: Lifts) {
    this.#lifts = lifts;
  }

  get size(): number {
    return this.#size;
  }

  /** Whose turn it is. */
  peek(): Line<R> | undefined {
    let found = this.#heaps[this.#first]?.peek();
    if (!this.#lifts.any || found === undefined) return found;
    const standing = this.#lifts.of(this.#first);
    for (let band = this.#first + 1; band <= lowestBand && this.#lifts.of(band) === standing; band++) {
      const line = this.#heaps[band]?.peek();
      if (line !== undefined && turnBefore(line, found)) found = line;
    }
    return found;
  }

  /** The band in which the line takes its turns. */
  standingOf({ placed }: Line<R>): number {
    return this.#lifts.of(placed);
  }

  /** By band, the highest first, and in a band in any order. */
  itemAt(index: number): Line<R> | undefined {
    let left = index;
    for (let band = this.#first; band <= lowestBand; band++) {
      const size = this.#heaps[band]?.size ?? 0;
      if (left < size) return this.#heaps[band]?.itemAt(left);
      left -= size;
    }
    return undefined;
  }

  /** After what the line holds, or its tenant's turn, changed. One that is empty has no place. */
  place(line: Line<R>): void {
    const { placed, highestBand } = line;
    if (placed === highestBand) {
      if (placed > 0) this.#heaps[placed]?.update(line);
      return;
    }
    this.remove(line);
    if (highestBand === 0) return;
    line.placed = highestBand;
    (this.#heaps[highestBand] ??= new IndexedHeap<Line<R>>(0, turnBefore)).push(line);
    this.#size += 1;
    if (highestBand < this.#first) this.#first = highestBand;
  }

  remove(line: Line<R>): void {
    if (line.placed === 0) return;
    this.#heaps[line.placed]?.remove(line);
    line.placed = 0;
    this.#size -= 1;
    while (this.#first < lowestBand && (this.#heaps[this.#first]?.size ?? 0) === 0) this.#first += 1;
  }
}

function turnBefore<R extends BatchRequest>(left: Line<R>, right: Line<R>): boolean {
  if (left.account.round !== right.account.round) return left.account.round < right.account.round;
  return left.account.turn < right.account.turn;
}
