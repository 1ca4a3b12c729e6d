import type { HeaderFields } from './header-fields.js';

export interface DecodedBlock {
  readonly fields: HeaderFields;
  /** The list was larger than allowed: `fields` is its beginning, and the request is answered with an error. */
  readonly tooLarge: boolean;
  /** Of `fields`, as SETTINGS_MAX_HEADER_LIST_SIZE counts: each with 32 bytes more (RFC 9113, section 6.5.2). */
  readonly listBytes: number;
}

const slots = 8;
const slotBytes = 64;

/**
 * Blocks read lately that leave the table as it is, by their bytes: indexes, and literals without indexing. A steady caller's block is
 * the same 8-20 octets call after call; it then costs a hash and a comparison, and the same `fields` again.
 *
 *     bytes of the block -> hash -> slot: | 64 octets | length | generation | block |        8 slots: half a KiB of octets
 *
 * An index means the same field only as long as the table is the same, hence the generation. What a slot holds besides is at most 64
 * references to texts that were in the table, so that stale slots hold at most 8 tables' worth.
 */
export class DecodedBlocks {
  /** Allocated with the first block: many connections never repeat one. */
  #bytes: Uint8Array | undefined;
  readonly #lengths = new Uint8Array(slots);
  readonly #generations: number[] = [];
  readonly #blocks: DecodedBlock[] = [];

  find(bytes: Uint8Array, start: number, end: number, generation: number): DecodedBlock | undefined {
    const stored = this.#bytes;
    const length = end - start;
    if (stored === undefined || length > slotBytes) return undefined;
    const slot = slotOf(bytes, start, end);
    if (this.#lengths[slot] !== length || this.#generations[slot] !== generation) return undefined;
    const base = slot * slotBytes - start;
    for (let at = start; at < end; at += 1) if (stored[base + at] !== bytes[at]) return undefined;
    return this.#blocks[slot];
  }

  store(bytes: Uint8Array, start: number, end: number, generation: number, block: DecodedBlock): void {
    const length = end - start;
    if (length === 0 || length > slotBytes) return;
    this.#bytes ??= new Uint8Array(slots * slotBytes);
    const slot = slotOf(bytes, start, end);
    const base = slot * slotBytes - start;
    for (let at = start; at < end; at += 1) this.#bytes[base + at] = bytes[at] as number;
    this.#lengths[slot] = length;
    this.#generations[slot] = generation;
    this.#blocks[slot] = block;
  }
}

/** FNV-1a over the octets, folded to a slot's number: a peer that makes them collide only slows itself down. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (slots - 1);
}
