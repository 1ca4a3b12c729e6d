import { fieldBytes } from './header-fields.js';

/** Both sides start with it, whatever SETTINGS will say (RFC 9113 6.5.2, RFC 7541 4.2). */
export const initialTableBytes = 4096;

const initialSlots = 16;

/** Told of each entry that leaves; `sequence` is what `insert` made `inserted`. */
export type OnEvict = (name: string, value: string, sequence: number) => void;

/**
 * The dynamic table of RFC 7541 2.3.2: first in, first out, bounded by octets. A ring over two arrays, whose length is a power of two
 * (at first they fill up in turn, without holes):
 *
 *     slot     0    1    2    3    4    5    6    7
 *            +----+----+----+----+----+----+----+----+
 *     names  | 8  |    |    |    | 4  | 5  | 6  | 7  |     inserted = 8, count = 5; numbers are sequences
 *            +----+----+----+----+----+----+----+----+
 *              ^ newest (age 0)    ^ oldest (age 4)         slot of a sequence = (sequence - 1) & (length - 1)
 *
 * Eviction moves the oldest end on and empties the slot, so that no text outlives its entry; a full ring doubles, up to
 * maxBytes / 32 entries (128 for 4,096 octets). Nothing is ever shifted, and an insertion allocates nothing.
 */
export class DynamicTable {
  readonly #onEvict: OnEvict | undefined;
  #names: string[] = [];
  #values: string[] = [];
  #mask = initialSlots - 1;
  #maxBytes = initialTableBytes;
  #bytes = 0;
  #count = 0;
  #inserted = 0;
  #generation = 0;

  constructor(onEvict?: OnEvict) {
    this.#onEvict = onEvict;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#count;
  }

  /** How many entries were ever inserted: the newest one's sequence. */
  get inserted(): number {
    return this.#inserted;
  }

  /** Changes whenever an index may mean another field than before. */
  get generation(): number {
    return this.#generation;
  }

  /** Age 0 is the newest; the caller has checked that age < count. */
  nameAt(age: number): string {
    return this.#names[(this.#inserted - 1 - age) & this.#mask] as string;
  }

  valueAt(age: number): string {
    return this.#values[(this.#inserted - 1 - age) & this.#mask] as string;
  }

  /** Makes room, then inserts; a field larger than the whole table empties it and is not kept (RFC 7541 4.4). */
  insert(name: string, value: string): void {
    const bytes = fieldBytes(name, value);
    this.#generation += 1;
    this.#evictTo(this.#maxBytes - bytes);
    if (bytes > this.#maxBytes) return;
    if (this.#count > this.#mask) this.#grow();
    const slot = this.#inserted & this.#mask;
    this.#names[slot] = name;
    this.#values[slot] = value;
    this.#inserted += 1;
    this.#count += 1;
    this.#bytes += bytes;
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    if (this.#bytes <= maxBytes) return;
    this.#generation += 1;
    this.#evictTo(maxBytes);
  }

  #evictTo(bytes: number): void {
    while (this.#bytes > bytes && this.#count > 0) {
      const sequence = this.#inserted - this.#count + 1;
      const slot = (sequence - 1) & this.#mask;
      const name = this.#names[slot] as string;
      const value = this.#values[slot] as string;
      this.#names[slot] = '';
      this.#values[slot] = '';
      this.#bytes -= fieldBytes(name, value);
      this.#count -= 1;
      this.#onEvict?.(name, value, sequence);
    }
  }

  #grow(): void {
    const length = 2 * (this.#mask + 1);
    const names = Array.from({ length }, () => '');
    const values = Array.from({ length }, () => '');
    for (let age = 0; age < this.#count; age += 1) {
      const slot = (this.#inserted - 1 - age) & (length - 1);
      names[slot] = this.nameAt(age);
      values[slot] = this.valueAt(age);
    }
    this.#names = names;
    this.#values = values;
    this.#mask = length - 1;
  }
}
