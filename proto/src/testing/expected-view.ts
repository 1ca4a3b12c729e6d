/** What a scan should say of a message that the independent decoder has read, by the scan's documented rules. */
import { datatypeBytes, isDatatype } from '../infer/datatype.js';
import type { Datatype } from '../infer/datatype.js';
import type { ParameterValue } from '../infer/request.js';
import type { DecodedMessage } from './full-decoder.js';

/** A tensor with its elements, whichever way they travelled. */
export interface ExpectedTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  /** Bytes in hex of the raw entry. */
  readonly raw: string | undefined;
  /** Elements of the typed contents. */
  readonly typed: readonly (number | bigint | boolean | string)[] | undefined;
}

export interface ExpectedMessage {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  readonly tensors: readonly ExpectedTensor[];
  readonly outputs: readonly { readonly name: string; readonly parameters: ReadonlyMap<string, ParameterValue> }[];
  readonly rawCount: number;
}

const contentsFields: Readonly<Partial<Record<Datatype, string>>> = {
  BOOL: 'boolContents',
  INT8: 'intContents',
  INT16: 'intContents',
  INT32: 'intContents',
  INT64: 'int64Contents',
  UINT8: 'uintContents',
  UINT16: 'uintContents',
  UINT32: 'uintContents',
  UINT64: 'uint64Contents',
  FP32: 'fp32Contents',
  FP64: 'fp64Contents',
  BYTES: 'bytesContents',
};

/** Undefined where the scan, or decoding the typed contents, has to refuse a message that protobuf itself accepts. */
export function expectedView(message: DecodedMessage, kind: 'request' | 'response'): ExpectedMessage | undefined {
  const tensors = message[kind === 'request' ? 'inputs' : 'outputs'] as readonly DecodedMessage[];
  const raws = message[kind === 'request' ? 'rawInputContents' : 'rawOutputContents'] as readonly Uint8Array[];
  let nextRaw = 0;
  const expected: ExpectedTensor[] = [];
  for (const tensor of tensors) {
    const shape = tensor['shape'] as readonly bigint[];
    if (shape.some((dim) => dim < 0n || dim > BigInt(Number.MAX_SAFE_INTEGER))) return undefined;
    const parameters = expectedParameters(tensor);
    const inSharedMemory = kind === 'request' && parameters.has('shared_memory_region');
    const raw = inSharedMemory ? undefined : raws[nextRaw++];
    const datatype = tensor['datatype'] as string;
    const contents = tensor['contents'] as DecodedMessage | undefined;
    const typed = contents === undefined ? undefined : expectedElements(contents, datatype);
    if (contents !== undefined && typed === undefined) return undefined;
    expected.push({
      name: tensor['name'] as string,
      datatype,
      shape: shape.map(Number),
      parameters,
      raw: raw === undefined ? undefined : Buffer.from(raw).toString('hex'),
      typed,
    });
  }
  const outputs = kind === 'request' ? (message['outputs'] as readonly DecodedMessage[]) : [];
  return {
    modelName: message['modelName'] as string,
    modelVersion: message['modelVersion'] as string,
    id: message['id'] as string,
    parameters: expectedParameters(message),
    tensors: expected,
    outputs: outputs.map((output) => ({ name: output['name'] as string, parameters: expectedParameters(output) })),
    rawCount: raws.length,
  };
}

function expectedParameters(holder: DecodedMessage): ReadonlyMap<string, ParameterValue> {
  const parameters = new Map<string, ParameterValue>();
  for (const [name, parameter] of Object.entries(holder['parameters'] as Record<string, DecodedMessage>)) {
    const choice = parameter['parameterChoice'] as { readonly case?: string; readonly value?: ParameterValue };
    if (choice.value !== undefined) parameters.set(name, choice.value);
  }
  return parameters;
}

/** Elements, or undefined where they are not what the datatype can hold or stand in another datatype's field. */
function expectedElements(contents: DecodedMessage, datatype: string): ExpectedTensor['typed'] {
  const own = isDatatype(datatype) ? contentsFields[datatype] : undefined;
  if (own === undefined) return undefined;
  for (const field of Object.values(contentsFields)) {
    if (field !== own && (contents[field] as readonly unknown[]).length > 0) return undefined;
  }
  const elements = contents[own] as readonly (number | bigint | boolean | Uint8Array)[];
  if (own === 'intContents' || own === 'uintContents') {
    const bits = 8 * datatypeBytes[datatype as Datatype];
    const [min, max] = own === 'intContents' ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
    if (elements.some((element) => Number(element) < min || Number(element) > max)) return undefined;
  }
  return elements.map((element) => (element instanceof Uint8Array ? Buffer.from(element).toString('hex') : element));
}

/** Elements in raw bytes, for comparing with what an independent decoder gave. */
export function rawElements(raw: Buffer, datatype: Datatype): ExpectedTensor['typed'] {
  const elements: (number | bigint | boolean | string)[] = [];
  for (let offset = 0; offset < raw.length;) {
    if (datatype === 'BYTES') {
      const length = raw.readUInt32LE(offset);
      elements.push(raw.toString('hex', offset + 4, offset + 4 + length));
      offset += 4 + length;
    } else {
      elements.push(readElement(raw, offset, datatype));
      offset += datatypeBytes[datatype];
    }
  }
  return elements;
}

function readElement(raw: Buffer, offset: number, datatype: Exclude<Datatype, 'BYTES'>): number | bigint | boolean {
  switch (datatype) {
    case 'BOOL':
      return raw.readUInt8(offset) === 1;
    case 'INT8':
      return raw.readInt8(offset);
    case 'INT16':
      return raw.readInt16LE(offset);
    case 'INT32':
      return raw.readInt32LE(offset);
    case 'INT64':
      return raw.readBigInt64LE(offset);
    case 'UINT8':
      return raw.readUInt8(offset);
    case 'UINT16':
    case 'FP16':
    case 'BF16':
      return raw.readUInt16LE(offset);
    case 'UINT32':
      return raw.readUInt32LE(offset);
    case 'UINT64':
      return raw.readBigUInt64LE(offset);
    case 'FP32':
      return raw.readFloatLE(offset);
    case 'FP64':
      return raw.readDoubleLE(offset);
  }
}
