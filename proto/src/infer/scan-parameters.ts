import { wireType } from '../wire-format/reader.js';
import type { Scope, WireReader } from '../wire-format/reader.js';
import type { ParameterValue } from './request.js';

export const noParameters: ReadonlyMap<string, ParameterValue> = new Map();

const entryScope: Scope = { path: 'parameters', fields: ['', 'key', 'value'] };
const valueScope: Scope = {
  path: 'parameters',
  fields: ['', 'bool_param', 'int64_param', 'string_param', 'double_param', 'uint64_param'],
};

/**
 * Reads one map entry (string to InferParameter) whose length comes next, into `parameters`, which is made when needed.
 *
 * The last entry of a key wins. An InferParameter with no member set is no parameter: it removes the key.
 *
 * @param depth of the message that has the map
 */
export function scanParameter(
  reader: WireReader,
  parameters: Map<string, ParameterValue> | undefined,
  depth: number,
): Map<string, ParameterValue> {
  reader.spendEntry();
  const { scope, index, end, field } = reader;
  reader.scope = entryScope;
  reader.index = -1;
  const length = reader.length();
  reader.end = reader.position + length;
  let key = '';
  let value: ParameterValue | undefined;
  while (reader.position < reader.end) {
    const tag = reader.tag();
    if (tag === 0x0a) key = reader.string();
    // A value that comes twice is merged, which for a single oneof means that the last member set wins.
    else if (tag === 0x12) value = scanValue(reader, value, depth + 1);
    else reader.skip(tag, depth);
  }
  reader.end = end;
  reader.scope = scope;
  reader.index = index;
  reader.field = field;
  const known = parameters ?? new Map<string, ParameterValue>();
  if (value === undefined) known.delete(key);
  else known.set(key, value);
  return known;
}

function scanValue(reader: WireReader, before: ParameterValue | undefined, depth: number): ParameterValue | undefined {
  const { end } = reader;
  const length = reader.length();
  reader.end = reader.position + length;
  reader.scope = valueScope;
  let value = before;
  while (reader.position < reader.end) {
    const tag = reader.tag();
    switch (tag) {
      case (1 << 3) | wireType.varint:
        value = reader.bool();
        break;
      case (2 << 3) | wireType.varint:
        value = reader.int64();
        break;
      case (3 << 3) | wireType.bytes:
        value = reader.string();
        break;
      case (4 << 3) | wireType.fixed64:
        value = reader.double();
        break;
      case (5 << 3) | wireType.varint:
        value = reader.uint64();
        break;
      default:
        reader.skip(tag, depth);
    }
  }
  reader.scope = entryScope;
  reader.end = end;
  return value;
}
