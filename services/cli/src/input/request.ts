import type { InferRequestToWrite, ParameterValue, RequestedOutputView, TensorToWrite } from '@headrace/proto';
import { isDatatype } from '@headrace/proto';
import { usageFailure } from '../failure.js';
import { encodeLeaves } from './encode.js';
import type { FlatTensor, JsonValue } from './nested.js';
import { describe, flatten } from './nested.js';
import type { ModelSpec, TensorSpec } from './tensor-spec.js';
import { describeTensor } from './tensor-spec.js';

type JsonObject = { readonly [key: string]: JsonValue };

/** Everything of a request but the model's name and version, which the command line gives. */
export type RequestBody = Omit<InferRequestToWrite, 'modelName' | 'modelVersion'>;

/**
 * A JSON document -> a request. Two forms:
 *
 *     {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}], "id": "7", ...}    OIP JSON
 *     {"x": [[1, 2, 3]]}                                        nested lists; datatypes come from the model's metadata
 *
 * In the second form one row may leave out the outer list where the model has a batch dimension: {"x": [1, 2, 3]}.
 * Throws a usage failure naming the place.
 */
export function requestOf(document: JsonValue, spec: ModelSpec): RequestBody {
  if (!isObject(document)) throw usageFailure(`the input must be a JSON object, got ${describe(document)}`, inputFormsFix(spec));
  const inputs = document['inputs'];
  if (Array.isArray(inputs) && inputs.length > 0 && inputs.every(isObject) && inputs.every((input) => 'name' in input)) {
    return fromOip(document, inputs, spec);
  }
  return { id: '', parameters: new Map(), outputs: [], inputs: fromNested(document, spec) };
}

function fromNested(document: JsonObject, spec: ModelSpec): TensorToWrite[] {
  const unknown = Object.keys(document).find((name) => !spec.inputs.some((input) => input.name === name));
  if (unknown !== undefined) throw usageFailure(`${unknown}: model ${spec.name} has no such input`, inputFormsFix(spec));
  return spec.inputs.flatMap((input) => {
    const value = document[input.name];
    // What is left out may be optional: the server knows and says so by name.
    return value === undefined ? [] : [tensorOf(input.name, input.datatype, addRow(flatten(value, input.name), input), input.name)];
  });
}

function addRow(tensor: FlatTensor, input: TensorSpec): FlatTensor {
  const oneRow = tensor.shape.length === input.shape.length - 1 && (input.shape[0] ?? 0) < 0;
  return oneRow ? { shape: [1, ...tensor.shape], leaves: tensor.leaves } : tensor;
}

function fromOip(document: JsonObject, inputs: readonly JsonObject[], spec: ModelSpec): RequestBody {
  const known = new Set(['inputs', 'outputs', 'id', 'parameters', 'model_name', 'model_version']);
  const unknown = Object.keys(document).find((key) => !known.has(key));
  if (unknown !== undefined) throw usageFailure(`${unknown}: not a field of an inference request`, `fields are ${[...known].join(', ')}`);
  return {
    id: textOf(document['id'], 'id'),
    parameters: parametersOf(document['parameters'], 'parameters'),
    outputs: outputsOf(document['outputs']),
    inputs: inputs.map((input, index) => oipTensor(input, `inputs[${index}]`, spec)),
  };
}

function oipTensor(input: JsonObject, path: string, spec: ModelSpec): TensorToWrite {
  const name = textOf(input['name'], `${path}.name`);
  const datatype = input['datatype'] ?? spec.inputs.find((candidate) => candidate.name === name)?.datatype;
  if (datatype === undefined)
    throw usageFailure(`${path}.datatype: missing, and model ${spec.name} has no input ${JSON.stringify(name)}`, inputFormsFix(spec));
  const data = input['data'];
  if (data === undefined) throw usageFailure(`${path}.data: missing`, 'give the values as a list, flat or nested');
  const flat = flatten(data, `${path}.data`);
  const shape = input['shape'] === undefined ? flat.shape : shapeOf(input['shape'], `${path}.shape`);
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (count !== flat.leaves.length) {
    throw usageFailure(`${path}.data: shape [${shape.join(', ')}] needs ${count} values, got ${flat.leaves.length}`);
  }
  return tensorOf(name, textOf(datatype, `${path}.datatype`), { shape, leaves: flat.leaves }, `${path}.data`);
}

function tensorOf(name: string, datatype: string, tensor: FlatTensor, path: string): TensorToWrite {
  if (!isDatatype(datatype)) throw usageFailure(`${path}: ${JSON.stringify(datatype)} is not a datatype of the Open Inference Protocol`);
  return { name, datatype, shape: tensor.shape, data: [encodeLeaves(tensor.leaves, datatype, tensor.shape, path)] };
}

function shapeOf(value: JsonValue, path: string): number[] {
  if (!Array.isArray(value)) throw usageFailure(`${path}: expected a list of sizes, got ${describe(value)}`);
  return value.map((dim: JsonValue, axis) => {
    if (typeof dim !== 'number' || !Number.isSafeInteger(dim) || dim < 0)
      throw usageFailure(`${path}[${axis}]: expected a size, got ${describe(dim)}`);
    return dim;
  });
}

function outputsOf(value: JsonValue | undefined): RequestedOutputView[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw usageFailure(`outputs: expected a list, got ${describe(value)}`);
  return value.map((output: JsonValue, index) => {
    if (!isObject(output)) throw usageFailure(`outputs[${index}]: expected {"name": ...}, got ${describe(output)}`);
    return {
      name: textOf(output['name'], `outputs[${index}].name`),
      parameters: parametersOf(output['parameters'], `outputs[${index}].parameters`),
    };
  });
}

function parametersOf(value: JsonValue | undefined, path: string): Map<string, ParameterValue> {
  if (value === undefined) return new Map();
  if (!isObject(value)) throw usageFailure(`${path}: expected an object, got ${describe(value)}`);
  return new Map(
    Object.entries(value).map(([name, parameter]): [string, ParameterValue] => {
      if (typeof parameter === 'number') return [name, Number.isSafeInteger(parameter) ? BigInt(parameter) : parameter];
      if (typeof parameter === 'boolean' || typeof parameter === 'string') return [name, parameter];
      throw usageFailure(`${path}.${name}: expected a boolean, a number or text, got ${describe(parameter)}`);
    }),
  );
}

function textOf(value: JsonValue | undefined, path: string): string {
  if (value === undefined && path === 'id') return '';
  if (typeof value !== 'string') throw usageFailure(`${path}: expected text, got ${value === undefined ? 'nothing' : describe(value)}`);
  return value;
}

function isObject(value: JsonValue): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function inputFormsFix(spec: ModelSpec): string {
  const inputs = spec.inputs.map((input) => `${input.name}: ${describeTensor(input)}`).join(', ');
  return `${spec.name} takes ${inputs}`;
}
