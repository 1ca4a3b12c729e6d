import { wireType } from '../wire-format/reader.js';
import type { Scope, WireReader } from '../wire-format/reader.js';
import { quoteName } from '../wire-format/text.js';
import type { ByteRange, ParameterValue } from './request.js';
import { noParameters, scanParameter } from './scan-parameters.js';

/** InferInputTensor and InferOutputTensor, which have the same fields. */
export interface ScannedTensor {
  name: string;
  datatype: string;
  shape: number[];
  raw: ByteRange | undefined;
  contents: readonly ByteRange[];
  parameters: ReadonlyMap<string, ParameterValue>;
}

export const tensorFields = ['', 'name', 'datatype', 'shape', 'parameters', 'contents'] as const;

const noContents: readonly ByteRange[] = [];
/** A tensor stands directly in the message. */
const tensorDepth = 2;

/** Reads one tensor, whose length comes next, as element `index` of `scope`. */
export function scanTensor(reader: WireReader, scope: Scope, index: number): ScannedTensor {
  reader.spendEntry();
  const length = reader.length();
  const { scope: outerScope, end } = reader;
  reader.end = reader.position + length;
  reader.scope = scope;
  reader.index = index;
  reader.wideDim = undefined;

  let name = '';
  let datatype = '';
  const shape: number[] = [];
  let contents: ByteRange[] | undefined;
  let parameters: Map<string, ParameterValue> | undefined;
  while (reader.position < reader.end) {
    const tag = reader.tag();
    switch (tag) {
      case (1 << 3) | wireType.bytes:
        name = reader.string();
        break;
      case (2 << 3) | wireType.bytes:
        datatype = reader.string();
        break;
      case (3 << 3) | wireType.bytes:
        scanPackedShape(reader, shape);
        break;
      case (3 << 3) | wireType.varint:
        scanDim(reader, shape);
        break;
      case (4 << 3) | wireType.bytes:
        parameters = scanParameter(reader, parameters, tensorDepth);
        break;
      case (5 << 3) | wireType.bytes: {
        reader.spendEntry();
        const range = byteRange(reader);
        if (contents === undefined) contents = [range];
        else contents.push(range);
        break;
      }
      default:
        reader.skip(tag, tensorDepth);
    }
  }
  checkShape(reader, name, shape);
  reader.end = end;
  reader.scope = outerScope;
  reader.index = -1;
  return { name, datatype, shape, raw: undefined, contents: contents ?? noContents, parameters: parameters ?? noParameters };
}

function scanPackedShape(reader: WireReader, shape: number[]): void {
  const { end } = reader;
  const length = reader.length();
  reader.end = reader.position + length;
  while (reader.position < reader.end) {
    scanDim(reader, shape);
  }
  reader.end = end;
}

function scanDim(reader: WireReader, shape: number[]): void {
  reader.spendEntry();
  const dim = reader.int64AsNumber();
  if (!Number.isSafeInteger(dim)) reader.wideDim ??= reader.lastInt64();
  shape.push(dim);
}

/** Checked at the end, when the name is known: fields come in any order. */
function checkShape(reader: WireReader, name: string, shape: readonly number[]): void {
  for (let axis = 0; axis < shape.length; axis++) {
    const dim = shape[axis] as number;
    if (dim >= 0 && dim <= Number.MAX_SAFE_INTEGER) continue;
    reader.field = 3;
    reader.fail(
      `dimension ${axis} of ${quoteName(name)}: expected 0 to 2^53 - 1, got ${Number.isSafeInteger(dim) ? dim : (reader.wideDim ?? dim)}`,
    );
  }
}

/** Takes the length-delimited payload that comes next as a range, unread. */
export function byteRange(reader: WireReader): ByteRange {
  const length = reader.length();
  const start = reader.position;
  reader.position = start + length;
  return { start, end: start + length };
}
