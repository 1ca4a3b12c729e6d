import { initialTableBytes } from './dynamic-table.js';
import { EncodedBlocks } from './encoded-blocks.js';
import { EncoderTable } from './encoder-table.js';
import type { NamedEntries } from './encoder-table.js';
import { knownNames, policyOf } from './field-policy.js';
import type { FieldPolicy, KnownName } from './field-policy.js';
import { fieldBytes } from './header-fields.js';
import type { HeaderFields } from './header-fields.js';
import { maxIntegerBytes, writeInteger } from './integer.js';
import { RecentFields } from './recent-fields.js';
import { Scratch } from './scratch.js';
import { writePlainText, writeText } from './text.js';

export interface HpackEncoderOptions {
  /** Of our own choice, in octets, default 4,096; the peer's setting may allow less. */
  readonly maxTableBytes?: number;
}

/** First octets and prefixes of RFC 7541 6.1 to 6.3. */
const indexed = { flags: 0x80, mask: 0x7f } as const;
const sizeUpdate = { flags: 0x20, mask: 0x1f } as const;
const literal = {
  index: { flags: 0x40, mask: 0x3f },
  plain: { flags: 0x00, mask: 0x0f },
  never: { flags: 0x10, mask: 0x0f },
} as const;

/** Longer ones would push out too much: e.g. one of 512 octets takes an eighth of the table. */
const maxIndexedValueBytes = 256;
/**
 * Values that are written anew in each call are not worth the Huffman code while they are short. Measured: a traceparent of 55 characters
 * takes 320 ns in it and 240 ns to be read, against 160 and 80 ns plain, for 16 octets less; a grpc-timeout of 6 takes 43 ns against 27.
 */
const longestPlainValue = 64;
/** A name of our users' that has this many live values varies by call: more of them would only push out what repeats. */
const maxValuesOfCustomName = 8;

const none: HeaderFields = [];

/**
 * Writes header blocks. The order of `encode` must be the order on the wire (RFC 7541 3). Allocates nothing for a steady block; an inserted
 * field costs its entry in the reverse map.
 */
export class HpackEncoder {
  readonly #maxTableBytes: number;
  readonly #table = new EncoderTable();
  readonly #recent = new EncodedBlocks();
  readonly #recentFields = new RecentFields();
  readonly #scratch = new Scratch();
  /** Sizes to announce with the next block: the smallest since the last one, and the last (RFC 7541 4.2). */
  #smallestBytes: number;
  #lastBytes: number;
  #announces: boolean;

  constructor(options: HpackEncoderOptions = {}) {
    this.#maxTableBytes = options.maxTableBytes ?? initialTableBytes;
    this.#lastBytes = Math.min(initialTableBytes, this.#maxTableBytes);
    this.#smallestBytes = this.#lastBytes;
    this.#announces = this.#lastBytes !== initialTableBytes;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE; may be called several times between blocks. */
  setPeerTableBytes(bytes: number): void {
    this.#lastBytes = Math.min(bytes, this.#maxTableBytes);
    this.#smallestBytes = Math.min(this.#smallestBytes, this.#lastBytes);
    this.#announces ||= this.#lastBytes !== this.#table.maxBytes;
  }

  /**
   * One header block, in a view of a buffer that is valid until the next call. `more` continues it: what is the same for many
   * calls goes into `fields`, which are remembered, and what differs by call into `more`, which are not. Throws TypeError for texts that are not latin1 or an odd
   * number of them; the block is then not to be written, and the next one starts from an empty table.
   */
  encode(fields: HeaderFields, more: HeaderFields = none): Buffer {
    this.#scratch.reset();
    const length = this.#encodeSteady(fields);
    return this.#scratch.view(more.length === 0 ? length : this.#writeFields(more, length, fields.length >>> 1));
  }

  /** Answers the length. */
  #encodeSteady(fields: HeaderFields): number {
    const scratch = this.#scratch;
    const updates = this.#announces;
    const { generation } = this.#table;
    if (!updates) {
      const length = this.#recent.copyTo(scratch.bytes, fields, generation);
      if (length >= 0) return length;
    }
    const length = this.#writeFields(fields, updates ? this.#writeSizeUpdates() : 0, 0);
    if (!updates && this.#table.generation === generation) this.#recent.store(fields, scratch.bytes, length, generation);
    return length;
  }

  /** From `from` on in the block, of which `place` fields are written. */
  #writeFields(fields: HeaderFields, from: number, place: number): number {
    let at = from;
    try {
      if (fields.length % 2 !== 0) throw new TypeError(`a header list has ${fields.length} texts: expected names and values in turn`);
      for (let each = 0; each < fields.length; each += 2)
        at = this.#writeField(at, place + (each >>> 1), fields[each] as string, fields[each + 1] as string);
    } catch (error) {
      // Entries inserted on the way will not reach the peer: both sides start over, by a size update to nothing and back in the next block.
      this.#smallestBytes = 0;
      this.#announces = true;
      throw error;
    }
    return at;
  }

  #writeSizeUpdates(): number {
    this.#scratch.reserve(0, 2 * maxIntegerBytes);
    let at = 0;
    const dips = this.#smallestBytes < Math.min(this.#lastBytes, this.#table.maxBytes);
    for (const bytes of dips ? [this.#smallestBytes, this.#lastBytes] : [this.#lastBytes]) {
      at = writeInteger(this.#scratch.bytes, at, sizeUpdate.flags, sizeUpdate.mask, bytes);
      this.#table.resize(bytes);
    }
    this.#smallestBytes = this.#lastBytes;
    this.#announces = false;
    return at;
  }

  #writeField(at: number, place: number, name: string, value: string): number {
    // Three integers at most, and two texts that are no longer than plain.
    this.#scratch.reserve(at, 3 * maxIntegerBytes + name.length + value.length);
    const { generation } = this.#table;
    const recent = this.#recentFields.find(place, name, value, generation);
    if (recent > 0) return writeInteger(this.#scratch.bytes, at, indexed.flags, indexed.mask, recent);
    const known = knownNames.get(name);
    const entries = this.#table.entriesOf(name);
    const index = this.#indexOf(value, known, entries);
    if (index === 0) return this.#writeLiteral(at, name, value, known, entries);
    this.#recentFields.store(place, name, value, generation, index);
    return writeInteger(this.#scratch.bytes, at, indexed.flags, indexed.mask, index);
  }

  /** Of the whole field, or 0. */
  #indexOf(value: string, known: KnownName | undefined, entries: NamedEntries | undefined): number {
    const staticIndex = known?.staticValues?.get(value);
    if (staticIndex !== undefined) return staticIndex;
    if (entries === undefined) return 0;
    if (entries.newestValue === value) return this.#table.indexOf(entries.newestSequence);
    // No hash of a text that is sent once: an id of a request, a deadline.
    if (entries.sequences.size === 1) return 0;
    const sequence = entries.sequences.get(value);
    return sequence === undefined ? 0 : this.#table.indexOf(sequence);
  }

  #writeLiteral(at: number, name: string, value: string, known: KnownName | undefined, entries: NamedEntries | undefined): number {
    const target = this.#scratch.bytes;
    // Of the name, which must be found before the insertion moves it. Static ones are shorter and stay.
    let index = known?.staticIndex ?? 0;
    if (index === 0 && entries !== undefined) index = this.#table.indexOf(entries.newestSequence);
    const policy = this.#policyOf(name, value, known, entries);
    // Not literal[policy]: a look-up by a name that varies is a megamorphic load.
    const { flags, mask } = policy === 'plain' ? literal.plain : policy === 'index' ? literal.index : literal.never;
    let after = writeInteger(target, at, flags, mask, index);
    if (index === 0) after = writeText(target, after, name);
    const plain = policy !== 'index' && value.length <= longestPlainValue;
    after = plain ? writePlainText(target, after, value) : writeText(target, after, value);
    if (policy === 'index') this.#table.insert(name, value);
    return after;
  }

  #policyOf(name: string, value: string, known: KnownName | undefined, entries: NamedEntries | undefined): FieldPolicy {
    const policy = policyOf(name, known);
    // A field larger than the table would empty it (RFC 7541 4.4).
    const fits = value.length <= maxIndexedValueBytes && fieldBytes(name, value) <= this.#table.maxBytes;
    if (policy === 'never' || !fits) return policy === 'never' ? policy : 'plain';
    if (policy === 'index') return known !== undefined || (entries?.sequences.size ?? 0) < maxValuesOfCustomName ? 'index' : 'plain';
    // Its first value is inserted for the sake of the name: `grpc-timeout` takes two octets from then on, not ten (30 ns less here, 70 there).
    return (known?.staticIndex ?? 0) === 0 && entries === undefined ? 'index' : 'plain';
  }
}
