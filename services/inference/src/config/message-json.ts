import type { Field, Type } from 'protobufjs';
import protobuf from 'protobufjs';
import type { MessageObject, MessageValue } from './pbtxt.js';

/**
 * Proto3 JSON of a configuration (the "config" parameter of a load request) => the same plain object that the text
 * format gives. Names may be snake_case as in the schema or camelCase as proto3 JSON prints them.
 *
 * @throws Error naming the path, what was expected and what came.
 */
export function parseMessageJson(text: string, type: Type): MessageObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`expected JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return readMessage(value, type, '');
}

function readMessage(value: unknown, type: Type, path: string): MessageObject {
  if (!isRecord(value)) throw new Error(`${path || 'config'}: expected an object (${type.name}), got ${describe(value)}`);
  const message: MessageObject = Object.create(null) as MessageObject;
  for (const [key, given] of Object.entries(value)) {
    const name = Object.hasOwn(type.fields, key) ? key : key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const field = Object.hasOwn(type.fields, name) ? type.fields[name]?.resolve() : undefined;
    const here = path === '' ? key : `${path}.${key}`;
    if (field === undefined) throw new Error(`${here}: ${type.name} has no such field`);
    if (given === null) continue;
    message[field.name] = readField(given, field, here);
  }
  return message;
}

function readField(value: unknown, field: Field, path: string): MessageValue {
  if (field.map) {
    if (!isRecord(value)) throw new Error(`${path}: expected an object, got ${describe(value)}`);
    const entries: MessageObject = Object.create(null) as MessageObject;
    for (const [key, entry] of Object.entries(value)) entries[key] = readValue(entry, field, `${path}.${key}`);
    return entries;
  }
  if (field.repeated) {
    if (!Array.isArray(value)) throw new Error(`${path}: expected a list, got ${describe(value)}`);
    return value.map((entry, index) => readValue(entry, field, `${path}[${index}]`));
  }
  return readValue(value, field, path);
}

function readValue(value: unknown, field: Field, path: string): MessageValue {
  const type = field.resolvedType;
  if (type instanceof protobuf.Type) return readMessage(value, type, path);
  const wrong = (expected: string): never => {
    throw new Error(`${path}: expected ${expected}, got ${describe(value)}`);
  };
  if (type instanceof protobuf.Enum) {
    if (typeof value === 'string' && Object.hasOwn(type.values, value)) return value;
    const name = typeof value === 'number' ? type.valuesById[value] : undefined;
    return name ?? wrong(`one of ${Object.keys(type.values).join(', ')}`);
  }
  switch (field.type) {
    case 'string':
      return typeof value === 'string' ? value : wrong('a string');
    case 'bytes':
      return typeof value === 'string' ? Buffer.from(value, 'base64') : wrong('a base64 string');
    case 'bool':
      return typeof value === 'boolean' ? value : wrong('true or false');
    case 'float':
    case 'double':
      return typeof value === 'number' ? value : wrong('a number');
    default:
      // Proto3 JSON writes 64-bit integers as strings; both forms are read.
      if (typeof value === 'number' ? !Number.isSafeInteger(value) : typeof value !== 'string' || !/^-?[0-9]{1,20}$/.test(value)) {
        return wrong(`a whole number (${field.type})`);
      }
      return field.type.endsWith('64') ? String(value) : Number(value);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  return Array.isArray(value) ? 'a list' : isRecord(value) ? 'an object' : (JSON.stringify(value) ?? 'nothing').slice(0, 60);
}
