import { describeMismatch, findBytesMismatch } from '@headrace/batching';
import type { InferRequestView, InputView } from '@headrace/proto';
import { isDatatype } from '@headrace/proto';
import type { ModelSignature, TensorSignature } from '../domain/backend-view.js';

interface WantedInput {
  readonly signature: TensorSignature;
  /** The request that had it last, by number: one number instead of a set for each request. */
  seenIn: number;
}

/**
 * Whether a request may share a run with others: it must be what the model's metadata asks for, to the byte, so that
 * one bad request cannot spoil the others' run. Made once per signature, because it is asked about every request: a
 * request that may be merged costs one look-up per input and no memory.
 */
export class MergeCheck {
  readonly #inputs = new Map<string, WantedInput>();
  readonly #required: readonly WantedInput[];
  readonly #outputs: ReadonlySet<string>;
  #requests = 0;

  constructor(signature: ModelSignature) {
    for (const input of signature.inputs) this.#inputs.set(input.name, { signature: input, seenIn: 0 });
    this.#required = [...this.#inputs.values()].filter((input) => !input.signature.optional);
    this.#outputs = new Set(signature.outputs);
  }

  /** Undefined when it may; else why not, and it goes alone, so that the backend answers it with its own precise error. */
  whyNotMergeable(view: InferRequestView): string | undefined {
    const request = ++this.#requests;
    for (const input of view.inputs) {
      const wanted = this.#inputs.get(input.name);
      if (wanted === undefined) return `input ${JSON.stringify(input.name)} is unknown`;
      if (wanted.seenIn === request) return `input ${JSON.stringify(input.name)} came twice`;
      wanted.seenIn = request;
      const wrong = wrongTensor(view, input, wanted.signature);
      if (wrong !== undefined) return `input ${JSON.stringify(input.name)}: ${wrong}`;
    }
    for (const { signature, seenIn } of this.#required) {
      if (seenIn !== request) return `input ${JSON.stringify(signature.name)} is missing`;
    }
    for (const output of view.outputs) {
      if (!this.#outputs.has(output.name)) return `output ${JSON.stringify(output.name)} is unknown`;
      // Classification changes an output's shape; shared memory cannot be split.
      if (output.parameters.size > 0) return `output ${JSON.stringify(output.name)} has parameters`;
    }
    return undefined;
  }
}

function wrongTensor(view: InferRequestView, input: InputView, expected: TensorSignature): string | undefined {
  if (input.datatype !== expected.datatype) return `expected ${expected.datatype}, got ${input.datatype}`;
  if (input.parameters.size > 0) return 'has parameters';
  if (input.raw === undefined) return 'came as typed contents';
  if (!isDatatype(input.datatype)) return `datatype ${input.datatype} is unknown`;
  if (input.shape.length !== expected.shape.length) return `expected ${expected.shape.length} dims, got ${input.shape.length}`;
  let elements = 1;
  for (let axis = 0; axis < input.shape.length; axis++) {
    const size = input.shape[axis] ?? 1;
    const dim = expected.shape[axis] ?? -1;
    if (dim >= 0 && dim !== size && axis > 0) return `expected ${dim} in dim ${axis}, got ${size}`;
    elements *= size;
  }
  const wrong = findBytesMismatch(input.datatype, elements, view.bytes, input.raw.start, input.raw.end);
  return wrong === undefined ? undefined : describeMismatch(wrong, input.datatype, input.shape);
}
