import { BlockReader } from './block-reader.js';
import { DecodedBlocks } from './decoded-blocks.js';
import type { DecodedBlock } from './decoded-blocks.js';
import { DynamicTable } from './dynamic-table.js';
import { HpackError } from './errors.js';
import { fieldBytes } from './header-fields.js';
import { lastStaticIndex, staticNames, staticValues } from './static-table.js';

export interface HpackDecoderOptions {
  /** What our SETTINGS_HEADER_TABLE_SIZE announced, in octets. The table starts with 4,096 even if this is less: the peer may not know yet. */
  readonly maxTableBytes: number;
  /** Our SETTINGS_MAX_HEADER_LIST_SIZE: sum of name + value + 32 per field (RFC 9113 6.5.2). */
  readonly maxListBytes: number;
  /** Bounds lists of tiny fields. */
  readonly maxFields: number;
}

/** RFC 7541 4.2: a reduction and the size that holds from then on. */
const maxSizeUpdates = 2;

/**
 * Reads header blocks in the order in which they came (RFC 7541 3). Allocates, per block that is not one of the recent ones, its result and
 * its list; per literal its texts. Texts of indexed fields are shared with the table.
 */
export class HpackDecoder {
  readonly #options: HpackDecoderOptions;
  readonly #table = new DynamicTable();
  readonly #recent = new DecodedBlocks();
  readonly #reader = new BlockReader();

  constructor(options: HpackDecoderOptions) {
    this.#options = options;
  }

  /**
   * Decodes bytes[start, end), one whole header block. A list over maxListBytes or maxFields comes back with tooLarge and without further
   * fields, but the block is read to its end, or the table would be lost. Throws HpackError on any violation of RFC 7541; the decoder is of
   * no use after that.
   */
  decode(bytes: Buffer, start: number, end: number): DecodedBlock {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new RangeError(`a header block at [${start}, ${end}): expected a range within ${bytes.length} octets`);
    }
    const recent = this.#recent.find(bytes, start, end, this.#table.generation);
    if (recent !== undefined) return recent;
    this.#reader.open(bytes, start, end);
    try {
      return this.#read(bytes, start, end);
    } finally {
      this.#reader.close();
    }
  }

  /** By the first bits (RFC 7541 6): 1 indexed, 01 literal that is inserted, 001 size update, 0001 never indexed, 0000 not indexed. */
  #read(bytes: Buffer, start: number, end: number): DecodedBlock {
    const { maxListBytes, maxFields } = this.#options;
    const reader = this.#reader;
    const table = this.#table;
    const fields: string[] = [];
    let listBytes = 0;
    let tooLarge = false;
    let repeatable = true;
    let begun = false;
    let updates = 0;
    while (reader.position < end) {
      const first = reader.octet();
      let name: string;
      let value: string;
      if (first >= 0x80) {
        const index = reader.integer(first, 0x7f);
        name = this.#nameOf(index);
        value = index <= lastStaticIndex ? (staticValues[index] as string) : table.valueAt(index - lastStaticIndex - 1);
      } else if ((first & 0xe0) === 0x20) {
        if (begun) throw new HpackError('a table size update comes after a field: expected before the first');
        updates += 1;
        this.#resize(reader.integer(first, 0x1f), updates);
        repeatable = false;
        continue;
      } else {
        const inserted = first >= 0x40;
        const index = reader.integer(first, inserted ? 0x3f : 0x0f);
        name = index === 0 ? reader.text() : this.#nameOf(index);
        value = reader.text();
        if (inserted) table.insert(name, value);
        // What was inserted must be inserted again; what is never indexed (0001) is secret, and not ours to keep.
        if (inserted || (first & 0x10) !== 0) repeatable = false;
      }
      begun = true;
      // Neither sum ever shrinks: after the first field too many there is no other.
      listBytes += fieldBytes(name, value);
      tooLarge = listBytes > maxListBytes || fields.length >= 2 * maxFields;
      if (!tooLarge) fields.push(name, value);
    }
    const block = { fields, tooLarge, listBytes: Math.min(listBytes, maxListBytes) };
    if (repeatable) this.#recent.store(bytes, start, end, table.generation, block);
    return block;
  }

  #nameOf(index: number): string {
    if (index <= lastStaticIndex && index > 0) return staticNames[index] as string;
    const age = index - lastStaticIndex - 1;
    if (index === 0 || age >= this.#table.count) {
      throw new HpackError(`an index is ${index}: expected 1 to ${lastStaticIndex + this.#table.count}`);
    }
    return this.#table.nameAt(age);
  }

  #resize(bytes: number, updates: number): void {
    if (updates > maxSizeUpdates) throw new HpackError(`a block begins with more than ${maxSizeUpdates} table size updates`);
    const { maxTableBytes } = this.#options;
    if (bytes > maxTableBytes) throw new HpackError(`a table size update to ${bytes}: expected at most ${maxTableBytes}, as announced`);
    this.#table.resize(bytes);
  }
}
