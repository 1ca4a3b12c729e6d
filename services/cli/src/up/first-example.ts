import { writeInferRequest } from '@headrace/proto';
import type { InferenceClient } from '../client/client.js';
import { CliFailure } from '../failure.js';
import type { Example } from '../examples/example.js';
import { exampleTensors, hasOpenDims, openDims, toExample } from '../examples/example.js';
import { readInput } from '../input/read-input.js';
import { requestOf } from '../input/request.js';
import type { ModelSpec } from '../input/tensor-spec.js';
import type { Io } from '../io.js';

/**
 * Inputs for the printed commands. Metadata does not tell every rule of a model (a fixed embedding table, a size that
 * must divide by 16), so random inputs are tried on the server, and the first that it takes are printed.
 */
export async function findExample(
  client: InferenceClient,
  spec: ModelSpec,
  demoFile: string | undefined,
  io: Io,
): Promise<Example | undefined> {
  if (demoFile !== undefined) return toExample(spec.name, requestOf(await readInput(demoFile, io), spec).inputs, demoFile);
  for (const openDim of hasOpenDims(spec) ? openDims : openDims.slice(0, 1)) {
    const example = await tryExample(client, spec, openDim);
    if (example !== undefined) return example;
  }
  return undefined;
}

async function tryExample(client: InferenceClient, spec: ModelSpec, openDim: number): Promise<Example | undefined> {
  try {
    const inputs = exampleTensors(spec, openDim);
    await client.infer(
      writeInferRequest({ modelName: spec.name, modelVersion: '', id: '', parameters: new Map(), inputs, outputs: [] }),
      spec.name,
    );
    return toExample(spec.name, inputs);
  } catch (error) {
    if (error instanceof CliFailure) return undefined;
    throw error;
  }
}
