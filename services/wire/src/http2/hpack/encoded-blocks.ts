import type { HeaderFields } from './header-fields.js';

const slots = 16;
const slotBytes = 64;

/**
 * Blocks written lately, by the identity of their list: the constant headers of a method or a reply are encoded once per state of the table.
 * A ring that is searched front to back, 16 comparisons of references at most; the oldest slot is overwritten, so lists that never come
 * again cost a copy of a few octets and no allocation.
 *
 *     fields -> slot: | 64 octets | length | generation |        one KiB of octets, and at most 16 lists kept alive
 *
 * The octets hold as long as the table is the same, hence the generation.
 */
export class EncodedBlocks {
  readonly #fields: HeaderFields[] = [];
  readonly #lengths = new Uint8Array(slots);
  readonly #generations: number[] = [];
  #bytes: Uint8Array | undefined;
  #next = 0;

  /** Copies the block to the target's beginning and returns its length, or -1. */
  copyTo(target: Uint8Array, fields: HeaderFields, generation: number): number {
    const stored = this.#bytes;
    const slot = this.#fields.indexOf(fields);
    if (slot < 0 || stored === undefined || this.#generations[slot] !== generation) return -1;
    const length = this.#lengths[slot] as number;
    const base = slot * slotBytes;
    for (let at = 0; at < length; at += 1) target[at] = stored[base + at] as number;
    return length;
  }

  store(fields: HeaderFields, source: Uint8Array, length: number, generation: number): void {
    if (length > slotBytes) return;
    this.#bytes ??= new Uint8Array(slots * slotBytes);
    // A list has one slot, or the older one would be found first.
    const present = this.#fields.indexOf(fields);
    const slot = present >= 0 ? present : this.#next;
    if (present < 0) this.#next = (this.#next + 1) % slots;
    const base = slot * slotBytes;
    for (let at = 0; at < length; at += 1) this.#bytes[base + at] = source[at] as number;
    this.#fields[slot] = fields;
    this.#lengths[slot] = length;
    this.#generations[slot] = generation;
  }
}
