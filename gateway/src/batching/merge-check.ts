import type { InferRequestView, InputView } from '@headrace/proto';
import { datatypeBytes, isDatatype } from '@headrace/proto';
import type { ModelSignature, TensorSignature } from '../domain/backend-view.js';

/**
 * Whether a request may share a run with others: it must be what the model's metadata asks for, to the byte, so that
 * one bad request cannot spoil the others' run. Undefined when it may; else why not, and it goes alone, so that the
 * backend answers it with its own precise error.
 */
export function whyNotMergeable(view: InferRequestView, signature: ModelSignature): string | undefined {
  const wanted = new Map(signature.inputs.map((input) => [input.name, input]));
  const given = new Set<string>();
  for (const input of view.inputs) {
    const expected = wanted.get(input.name);
    if (expected === undefined) return `input ${JSON.stringify(input.name)} is unknown`;
    if (given.has(input.name)) return `input ${JSON.stringify(input.name)} came twice`;
    given.add(input.name);
    const wrong = wrongTensor(view, input, expected);
    if (wrong !== undefined) return `input ${JSON.stringify(input.name)}: ${wrong}`;
  }
  for (const input of signature.inputs) {
    if (!input.optional && !given.has(input.name)) return `input ${JSON.stringify(input.name)} is missing`;
  }
  for (const output of view.outputs) {
    if (!signature.outputs.includes(output.name)) return `output ${JSON.stringify(output.name)} is unknown`;
    // Classification changes an output's shape; shared memory cannot be split.
    if (output.parameters.size > 0) return `output ${JSON.stringify(output.name)} has parameters`;
  }
  return undefined;
}

function wrongTensor(view: InferRequestView, input: InputView, expected: TensorSignature): string | undefined {
  if (input.datatype !== expected.datatype) return `expected ${expected.datatype}, got ${input.datatype}`;
  if (input.parameters.size > 0) return 'has parameters';
  if (input.raw === undefined) return 'came as typed contents';
  if (!isDatatype(input.datatype)) return `datatype ${input.datatype} is unknown`;
  if (input.shape.length !== expected.shape.length) return `expected ${expected.shape.length} dims, got ${input.shape.length}`;
  for (const [axis, size] of input.shape.entries()) {
    const dim = expected.shape[axis];
    if (dim !== undefined && dim >= 0 && dim !== size && axis > 0) return `expected ${dim} in dim ${axis}, got ${size}`;
  }
  const elements = input.shape.reduce((product, size) => product * size, 1);
  const bytes = input.raw.end - input.raw.start;
  if (input.datatype === 'BYTES') return wrongBytesElements(view.bytes, input.raw.start, input.raw.end, elements);
  const expectedBytes = elements * datatypeBytes[input.datatype];
  return bytes === expectedBytes ? undefined : `expected ${expectedBytes} bytes, got ${bytes}`;
}

/** Walks the 4-byte little-endian lengths: exactly `elements` of them, ending exactly at `end`. */
function wrongBytesElements(message: Buffer, start: number, end: number, elements: number): string | undefined {
  let at = start;
  for (let i = 0; i < elements; i++) {
    if (at + 4 > end) return `ends within element ${i}`;
    at += 4 + message.readUInt32LE(at);
    if (at > end) return `element ${i} is longer than what came`;
  }
  return at === end ? undefined : `${end - at} bytes left after ${elements} elements`;
}
