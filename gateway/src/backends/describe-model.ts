import { inferenceService } from '@headrace/proto';
import type { BackendModel, ModelSignature } from '../domain/backend-view.js';
import type { ProbeCaller } from './probe.js';

const { methods } = inferenceService;

type Details = Pick<BackendModel, 'signature' | 'maxBatchRows' | 'instances' | 'readyVersions'>;

/** ModelMetadata and ModelConfig of the version that the server prefers; what a server does not tell stays undefined. */
export async function describeModel(caller: ProbeCaller, name: string, readyVersions: readonly string[]): Promise<Details> {
  const [metadata, config] = await Promise.all([
    caller.call(methods.ModelMetadata, { name, version: '' }),
    caller.call(methods.ModelConfig, { name, version: '' }),
  ]);
  const settings = config.ok ? config.value.config : undefined;
  const optional = new Set((settings?.input ?? []).filter((input) => input.optional).map((input) => input.name));
  const signature: ModelSignature | undefined = metadata.ok
    ? {
        inputs: metadata.value.inputs.map((input) => ({
          name: input.name,
          datatype: input.datatype,
          // int64 as text; a dim past 2^53 matches no request that the scanner lets through.
          shape: input.shape.map(Number),
          optional: optional.has(input.name),
        })),
        outputs: metadata.value.outputs.map((output) => output.name),
      }
    : undefined;
  const unversioned = readyVersions.length === 1 && readyVersions[0] === '';
  const told = metadata.ok && unversioned ? metadata.value.versions : [];
  return {
    signature,
    maxBatchRows: settings?.max_batch_size,
    instances: instanceCount(settings?.instance_group ?? []),
    readyVersions: told.length > 0 ? told : readyVersions,
  };
}

/** Triton: `count` instances on each of `gpus`, a count of 0 meaning one. E.g. {count: 2, gpus: [0, 1]} is 4. */
function instanceCount(groups: readonly { readonly count: number; readonly gpus: readonly number[] }[]): number | undefined {
  if (groups.length === 0) return undefined;
  const total = groups.reduce((sum, { count, gpus }) => sum + Math.max(count, 1) * Math.max(gpus.length, 1), 0);
  return Math.min(total, 1024);
}
