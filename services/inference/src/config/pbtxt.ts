import type { Enum, Field, Type } from 'protobufjs';
import protobuf from 'protobufjs';
import type { Position, Token } from './pbtxt-tokens.js';
import { TextFormatError, tokenize } from './pbtxt-tokens.js';

/**
 * protobuf text format => plain object, driven by a message type: field names and values are checked against it as they
 * are read. 64-bit integers become strings, enums their names, bytes Buffers, maps objects; absent fields stay absent.
 */
export type MessageObject = { [field: string]: MessageValue };
export type MessageValue = string | number | boolean | Buffer | MessageObject | MessageValue[];

/** Deeper nesting than any real configuration has; bounds the recursion on hostile input. */
const maxDepth = 32;

/** @throws TextFormatError naming line, column and what was expected. */
export function parseTextFormat(text: string, type: Type): MessageObject {
  const reader = new Reader(tokenize(text));
  const message = readMessage(reader, type, undefined, 0);
  return message;
}

class Reader {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }
  get peek(): Token {
    // The list ends with an `end` token that is never consumed.
    return this.#tokens[this.#next] as Token;
  }
  take(): Token {
    const token = this.peek;
    if (token.kind !== 'end') this.#next++;
    return token;
  }
  takeSign(...texts: string[]): string | undefined {
    const token = this.peek;
    if (token.kind !== 'sign' || !texts.includes(token.text)) return undefined;
    this.#next++;
    return token.text;
  }
}

function readMessage(reader: Reader, type: Type, closing: string | undefined, depth: number): MessageObject {
  if (depth > maxDepth) throw new TextFormatError(reader.peek.at, `messages are nested deeper than ${maxDepth}`);
  const message: MessageObject = Object.create(null) as MessageObject;
  for (;;) {
    if (closing !== undefined && reader.takeSign(closing) !== undefined) return message;
    const token = reader.take();
    if (token.kind === 'end') {
      if (closing === undefined) return message;
      throw new TextFormatError(token.at, `the file ends where ${closing} was expected`);
    }
    if (token.kind !== 'word') throw new TextFormatError(token.at, `expected a field name of ${type.name}, got ${describe(token)}`);
    const field = type.fields[token.text]?.resolve();
    if (field === undefined) throw new TextFormatError(token.at, `${type.name} has no field ${JSON.stringify(token.text)}`);
    readField(reader, field, message, token.at, depth);
    reader.takeSign(',', ';');
  }
}

function readField(reader: Reader, field: Field, message: MessageObject, at: Position, depth: number): void {
  const colon = reader.takeSign(':') !== undefined;
  const values: MessageValue[] = [];
  if (reader.takeSign('[') !== undefined) {
    if (!field.repeated && !field.map) throw new TextFormatError(at, `field ${field.name} takes one value, got a list`);
    if (reader.takeSign(']') === undefined) {
      do values.push(readValue(reader, field, true, depth));
      while (reader.takeSign(',') !== undefined);
      if (reader.takeSign(']') === undefined)
        throw new TextFormatError(reader.peek.at, `expected , or ] in the list of ${field.name}, got ${describe(reader.peek)}`);
    }
  } else {
    values.push(readValue(reader, field, colon, depth));
  }
  if (field.map) {
    const entries = (message[field.name] ??= Object.create(null) as MessageObject) as MessageObject;
    for (const value of values as MessageObject[])
      entries[keyText(value['key'])] = value['value'] ?? (Object.create(null) as MessageObject);
  } else if (field.repeated) {
    const present = message[field.name] as MessageValue[] | undefined;
    if (present === undefined) message[field.name] = values;
    else present.push(...values);
  } else {
    if (field.name in message) throw new TextFormatError(at, `field ${field.name} is given twice`);
    const group = field.partOf;
    const other = group?.oneof.find((name) => name in message);
    if (group && other !== undefined)
      throw new TextFormatError(at, `field ${field.name} excludes ${other}: one of ${group.oneof.join(', ')}`);
    message[field.name] = values[0] as MessageValue;
  }
}

/** Map keys are strings, numbers or booleans. */
function keyText(key: MessageValue | undefined): string {
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean' ? `${key}` : '';
}

function readValue(reader: Reader, field: Field, colon: boolean, depth: number): MessageValue {
  const at = reader.peek.at;
  const type = field.map ? mapEntry(field) : field.resolvedType;
  if (type instanceof protobuf.Type) {
    const opening = reader.takeSign('{', '<');
    if (opening === undefined) throw new TextFormatError(at, `field ${field.name} is a message: expected {, got ${describe(reader.peek)}`);
    return readMessage(reader, type, opening === '{' ? '}' : '>', depth + 1);
  }
  if (!colon) throw new TextFormatError(at, `expected : after ${field.name}, got ${describe(reader.peek)}`);
  return readScalar(reader, field, type);
}

/** A map field is written as a repeated message of key and value. */
function mapEntry(field: Field): Type {
  const map = field as unknown as { readonly keyType: string };
  const entry = new protobuf.Type(`${field.name} entry`).add(new protobuf.Field('key', 1, map.keyType));
  const value = new protobuf.Field('value', 2, field.type);
  entry.add(value);
  // The entry has no place in the schema's tree to look names up from, so that the value's type is handed over resolved.
  value.resolvedType = field.resolvedType;
  value.resolved = true;
  return entry;
}

const integerRanges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  sfixed32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sint64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
};

function readScalar(reader: Reader, field: Field, enumType: Enum | Type | null): MessageValue {
  const negative = reader.takeSign('-') !== undefined;
  const token = reader.take();
  const fail = (expected: string): never => {
    throw new TextFormatError(token.at, `field ${field.name}: expected ${expected}, got ${negative ? '-' : ''}${describe(token)}`);
  };
  if (enumType instanceof protobuf.Enum) {
    if (token.kind === 'word' && !negative && Object.hasOwn(enumType.values, token.text)) return token.text;
    const name = token.kind === 'number' && !negative ? enumType.valuesById[Number(token.text)] : undefined;
    return name ?? fail(`one of ${Object.keys(enumType.values).join(', ')}`);
  }
  if (field.type === 'string' || field.type === 'bytes') {
    if (token.kind !== 'string' || negative) return fail('a quoted string');
    const pieces = [token.bytes];
    for (let next = reader.peek; next.kind === 'string'; next = reader.peek) {
      pieces.push(next.bytes);
      reader.take();
    }
    const bytes = Buffer.concat(pieces);
    return field.type === 'bytes' ? bytes : bytes.toString('utf8');
  }
  if (field.type === 'bool') {
    if (!negative && token.kind !== 'string' && token.kind !== 'end') {
      if (['true', 'True', 't', '1'].includes(token.text)) return true;
      if (['false', 'False', 'f', '0'].includes(token.text)) return false;
    }
    return fail('true or false');
  }
  if (field.type === 'float' || field.type === 'double') return readFloat(token, negative) ?? fail('a number');
  const range = integerRanges[field.type];
  const value = token.kind === 'number' ? readInteger(token.text, negative) : undefined;
  if (range === undefined || value === undefined || value < range[0] || value > range[1]) return fail(`a whole number (${field.type})`);
  return field.type.endsWith('64') ? value.toString() : Number(value);
}

function readInteger(text: string, negative: boolean): bigint | undefined {
  if (!/^(?:0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) return undefined;
  const value = /^0[0-7]+$/.test(text) ? BigInt(`0o${text.slice(1)}`) : BigInt(text);
  return negative ? -value : value;
}

function readFloat(token: Token, negative: boolean): number | undefined {
  const sign = negative ? -1 : 1;
  if (token.kind === 'number') return sign * Number(token.text.replace(/(?<=^[^xX]*)[fF]$/, ''));
  if (token.kind !== 'word') return undefined;
  const word = token.text.toLowerCase();
  if (word === 'inf' || word === 'infinity') return sign * Infinity;
  return word === 'nan' ? NaN : undefined;
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'word':
    case 'number':
    case 'sign':
      return JSON.stringify(token.text);
    case 'string':
      return `the string ${JSON.stringify(token.bytes.toString('utf8').slice(0, 40))}`;
    case 'end':
      return 'the end of the file';
  }
}
