import { inferenceService, writeInferRequest } from '@headrace/proto';
import type { Datatype, ParameterValue } from '@headrace/proto';

export const inferPath = inferenceService.methods.ModelInfer.path;

export interface RawInput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly raw: Uint8Array;
}

/** The bytes of a ModelInferRequest with raw inputs, for loads and for calls below the level of a client library. */
export function inferMessage(
  modelName: string,
  inputs: readonly RawInput[],
  more: { readonly id?: string; readonly parameters?: Readonly<Record<string, ParameterValue>> } = {},
): Buffer {
  return writeInferRequest({
    modelName,
    modelVersion: '',
    id: more.id ?? '',
    parameters: new Map(Object.entries(more.parameters ?? {})),
    inputs: inputs.map(({ name, datatype, shape, raw }) => ({ name, datatype, shape, data: [raw] })),
    outputs: [],
  });
}
