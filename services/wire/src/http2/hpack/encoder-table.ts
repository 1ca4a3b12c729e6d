import { DynamicTable } from './dynamic-table.js';
import { lastStaticIndex } from './static-table.js';

/** The live entries of one name, by value. Sequences rather than indexes, which move with each insertion. */
export interface NamedEntries {
  /** Most names have one live value; it is compared before any hash is looked up. */
  newestValue: string;
  newestSequence: number;
  readonly sequences: Map<string, number>;
}

/**
 * The encoder's dynamic table with its reverse: from a field to its index.
 *
 *     ':path'      -> newest '/b', { '/a' -> 3, '/b' -> 7 }         inserted = 9: '/b' has index 62 + 9 - 7 = 64
 *     'user-agent' -> newest 'x',  { 'x' -> 5 }
 *
 * Two maps instead of one keyed by name and value together: no key is concatenated on the way. Both hold what the table holds and nothing
 * else, thus are bounded by its octets.
 */
export class EncoderTable {
  readonly #names = new Map<string, NamedEntries>();
  readonly #table = new DynamicTable((name, value, sequence) => this.#forget(name, value, sequence));

  get maxBytes(): number {
    return this.#table.maxBytes;
  }

  get generation(): number {
    return this.#table.generation;
  }

  entriesOf(name: string): NamedEntries | undefined {
    return this.#names.get(name);
  }

  indexOf(sequence: number): number {
    return lastStaticIndex + 1 + this.#table.inserted - sequence;
  }

  /** The caller has looked: no live entry has this name and value. */
  insert(name: string, value: string): void {
    const before = this.#table.inserted;
    this.#table.insert(name, value);
    const sequence = this.#table.inserted;
    if (sequence === before) return;
    const entries = this.#names.get(name);
    if (entries === undefined) {
      this.#names.set(name, { newestValue: value, newestSequence: sequence, sequences: new Map([[value, sequence]]) });
      return;
    }
    entries.newestValue = value;
    entries.newestSequence = sequence;
    entries.sequences.set(value, sequence);
  }

  resize(maxBytes: number): void {
    this.#table.resize(maxBytes);
  }

  /** The oldest goes first, so a name's newest entry is the last of it to go. */
  #forget(name: string, value: string, sequence: number): void {
    const entries = this.#names.get(name);
    if (entries === undefined) return;
    if (entries.newestSequence === sequence) this.#names.delete(name);
    else entries.sequences.delete(value);
  }
}
