import type { Random } from './random.js';
import { parseTree, unpack, varintBytes, writeTree } from './wire-tree.js';
import type { WireRecord, WireShape } from './wire-tree.js';

/** One message level: its records and which of its fields may be packed. */
interface Level {
  readonly records: WireRecord[];
  readonly shape: WireShape;
}

const plain = { tagPadding: 0, lengthPadding: 0 } as const;

/** Values at which decoders part ways. */
const oddVarints = [
  0n,
  1n,
  127n,
  128n,
  300n,
  -1n,
  -128n,
  -129n,
  32_768n,
  65_536n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 64n - 1n,
];
const oddStrings = [
  Buffer.from([0xff]),
  Buffer.from([0xc3]), // cut two-byte sequence
  Buffer.from([0xc0, 0x80]), // over-long NUL
  Buffer.from([0xed, 0xa0, 0x80]), // surrogate
  Buffer.from([0xf4, 0x90, 0x80, 0x80]), // beyond U+10FFFF
  Buffer.concat([Buffer.alloc(40, 0x61), Buffer.from([0x80])]), // a long text, wrong at its end
  Buffer.from('Grüße, 世界 🙂'),
  Buffer.from([0xef, 0xbb, 0xbf, 0x61]), // a byte-order mark is text
  Buffer.from([0x61, 0x00, 0x62]),
  Buffer.from('priority'),
  Buffer.from('INT8'),
  Buffer.from('INT32'),
  Buffer.from('BYTES'),
  Buffer.from('__proto__'),
  Buffer.from('shared_memory_region'),
  Buffer.alloc(0),
];

type Mutation = (level: Level, random: Random) => void;

/** Every way of changing one level of a message. What results may be valid or not: both sides of a comparison must agree. */
const mutations: Readonly<Record<string, Mutation>> = {
  'fields in another order': ({ records }, random) => random.shuffle(records),
  'an unknown field': ({ records }, random) => records.splice(random.below(records.length + 1), 0, unknownRecord(random, 3)),
  'a scalar twice, with another value': ({ records }, random) => {
    const scalars = records.filter((record) => record.kind !== 'message' && record.kind !== 'group');
    if (scalars.length === 0) return;
    const again = { ...random.pick(scalars) };
    if (again.kind === 'varint') again.value = random.pick(oddVarints);
    else if (again.kind === 'bytes') again.bytes = random.pick(oddStrings);
    records.splice(random.below(records.length + 1), 0, again);
  },
  'a submessage in two pieces': ({ records }, random) => {
    const whole = pickMessage(records, random);
    if (!whole) return;
    const second = whole.records.filter(() => random.chance(0.5));
    const first = whole.records.filter((record) => !second.includes(record));
    records.splice(records.indexOf(whole), 1, { ...whole, records: first }, { ...whole, records: second });
  },
  'a submessage twice': ({ records }, random) => {
    const whole = pickMessage(records, random);
    if (whole) records.splice(random.below(records.length + 1), 0, structuredCloneRecord(whole));
  },
  'an empty submessage': ({ records }, random) => {
    const whole = pickMessage(records, random);
    if (whole) records.splice(random.below(records.length + 1), 0, { ...whole, records: [] });
  },
  'a repeated field packed, in pieces or one by one': ({ records, shape }, random) => {
    for (const record of [...records]) {
      const wire = shape.packable?.[record.field];
      if (wire === undefined || record.kind !== 'bytes') continue;
      const pieces = unpack(record.bytes, wire).map((element): WireRecord => {
        if (random.chance(0.4)) return { ...plain, field: record.field, kind: 'bytes', bytes: element };
        if (wire !== 0) return { ...plain, field: record.field, kind: 'fixed', bytes: element };
        return { ...plain, field: record.field, kind: 'varint', value: elementValue(element), padding: 0 };
      });
      if (pieces.length > 0) records.splice(records.indexOf(record), 1, ...pieces);
    }
  },
  'an odd varint': ({ records, shape }, random) => {
    const varints = records.filter((record) => record.kind === 'varint');
    if (varints.length > 0 && random.chance(0.5)) {
      random.pick(varints).value = random.pick(oddVarints);
      return;
    }
    const packed = records.filter((record) => record.kind === 'bytes' && shape.packable?.[record.field] === 0);
    if (packed.length === 0) return;
    const target = random.pick(packed);
    if (target.kind === 'bytes') {
      target.bytes = Buffer.concat([target.bytes, varintBytes(random.pick(oddVarints), random.chance(0.3) ? random.below(11) : 0)]);
    }
  },
  'over-long varints': ({ records }, random) => {
    if (records.length === 0) return;
    const record = random.pick(records);
    if (random.chance(0.4)) record.tagPadding = random.below(6);
    else if (record.kind === 'varint') record.padding = random.below(11);
    else record.lengthPadding = random.below(11);
  },
  'an odd string': ({ records }, random) => {
    const strings = records.filter((record) => record.kind === 'bytes');
    if (strings.length === 0) return;
    const record = random.pick(strings);
    if (record.kind === 'bytes') record.bytes = random.pick(oddStrings);
  },
  'another field number': ({ records }, random) => {
    if (records.length > 0) random.pick(records).field = 1 + random.below(9);
  },
  'a known field with another wire type': ({ records }, random) => {
    records.splice(random.below(records.length + 1), 0, { ...unknownRecord(random, 2), field: 1 + random.below(8) });
  },
  'a field left out': ({ records }, random) => {
    if (records.length > 0) records.splice(random.below(records.length), 1);
  },
};

/** Changes that need no structure. */
const damages: Readonly<Record<string, (bytes: Buffer, random: Random) => Buffer>> = {
  'cut off': (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  'a flipped bit': (bytes, random) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) {
      const at = random.below(changed.length);
      changed[at] = (changed[at] as number) ^ (1 << random.below(8));
    }
    return changed;
  },
  'a random byte': (bytes, random) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[random.below(changed.length)] = random.below(256);
    return changed;
  },
  'a byte too few': (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
  },
  'a byte too many': (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from([random.below(256)]), bytes.subarray(at)]);
  },
};

/** A changed copy of a valid message, and what was done to it. */
export function mutateMessage(bytes: Buffer, shape: WireShape, random: Random): { bytes: Buffer; done: string[] } {
  const records = parseTree(bytes, shape);
  const done: string[] = [];
  for (let count = random.below(5); count >= 0; count--) {
    const name = random.pick(Object.keys(mutations));
    const levels: Level[] = [{ records, shape }];
    collectLevels(records, levels);
    mutations[name]?.(random.pick(levels), random);
    done.push(name);
  }
  let changed = writeTree(records);
  if (random.chance(0.25)) {
    const name = random.pick(Object.keys(damages));
    changed = damages[name]?.(changed, random) ?? changed;
    done.push(name);
  }
  return { bytes: changed, done };
}

function collectLevels(records: readonly WireRecord[], levels: Level[]): void {
  for (const record of records) {
    if (record.kind !== 'message') continue;
    levels.push({ records: record.records, shape: record.shape });
    collectLevels(record.records, levels);
  }
}

function pickMessage(records: readonly WireRecord[], random: Random): Extract<WireRecord, { kind: 'message' }> | undefined {
  const messages = records.filter((record) => record.kind === 'message');
  return messages.length === 0 ? undefined : random.pick(messages);
}

function structuredCloneRecord(record: WireRecord): WireRecord {
  if (record.kind === 'message' || record.kind === 'group') return { ...record, records: record.records.map(structuredCloneRecord) };
  return { ...record };
}

function elementValue(element: Buffer): bigint {
  return element.reduceRight((value, byte) => (value << 7n) | BigInt(byte & 0x7f), 0n);
}

function unknownRecord(random: Random, groupDepth: number): WireRecord {
  const field = random.pick([9, 15, 16, 2047, 2048, 19_000, 2 ** 29 - 1]);
  switch (random.below(groupDepth > 0 ? 5 : 4)) {
    case 0:
      return { ...plain, field, kind: 'varint', value: random.pick(oddVarints), padding: random.below(4) };
    case 1:
      return { ...plain, field, kind: 'fixed', bytes: Buffer.alloc(8, random.below(256)) };
    case 2:
      return { ...plain, field, kind: 'fixed', bytes: Buffer.alloc(4, random.below(256)) };
    case 3:
      return { ...plain, field, kind: 'bytes', bytes: random.pick(oddStrings) };
    default:
      return {
        ...plain,
        field,
        kind: 'group',
        records: Array.from({ length: random.below(3) }, () => unknownRecord(random, groupDepth - 1)),
      };
  }
}
