import { inferenceService } from '@headrace/proto';
import { HeadraceError } from '@headrace/runtime';
import type { MethodHandler } from '@headrace/wire';
import { unary } from '@headrace/wire';
import type { ReadyVersion } from '../model/served-model.js';
import type { TensorSignature } from '../tensors/signature.js';
import { modelConfigReply } from './model-config-reply.js';
import type { ServiceParts } from './state.js';

const { ServerLive, ServerReady, ModelReady, ServerMetadata, ModelMetadata, ModelConfig } = inferenceService.methods;

/** What this server does of Triton's extensions. */
const extensions = ['model_repository', 'schedule_policy', 'model_configuration', 'binary_tensor_data', 'parameters', 'statistics'];

/** Liveness, readiness and what there is: the read-only methods. */
export function metadataMethods({ host, serverVersion, ready }: ServiceParts): readonly MethodHandler[] {
  const resolve = (name: string, version: string): ReadyVersion => {
    const found = host.resolve(name, version);
    if (!found.ok) throw new HeadraceError(found.refusal);
    return found.value;
  };
  return [
    unary(ServerLive.path, async () => ServerLive.response.encode({ live: true })),
    unary(ServerReady.path, async () => ServerReady.response.encode({ ready: ready() })),
    unary(ModelReady.path, async (message) => {
      const { name, version } = decoded(ModelReady.request, message);
      // As Triton does: a model that nobody knows is not ready, which is an answer and no error.
      return ModelReady.response.encode({ ready: host.resolve(name, version).ok });
    }),
    unary(ServerMetadata.path, async () =>
      ServerMetadata.response.encode({ name: 'headrace-inference', version: serverVersion, extensions }),
    ),
    unary(ModelMetadata.path, async (message) => {
      const { name, version } = decoded(ModelMetadata.request, message);
      const { state } = resolve(name, version);
      const { signature, unmergedReason } = state.loaded;
      return ModelMetadata.response.encode({
        name,
        versions: host.find(name)?.activeVersions.map(String) ?? [],
        platform: 'onnxruntime_onnx',
        inputs: signature.inputs.map(tensorMetadata),
        outputs: signature.outputs.map(tensorMetadata),
        ...(unmergedReason === undefined ? {} : { properties: { headrace_not_batched: unmergedReason } }),
      });
    }),
    unary(ModelConfig.path, async (message) => {
      const { name, version } = decoded(ModelConfig.request, message);
      return ModelConfig.response.encode({ config: modelConfigReply(resolve(name, version).state.loaded) });
    }),
  ];
}

function tensorMetadata({ name, datatype, shape }: TensorSignature): { name: string; datatype: string; shape: string[] } {
  return { name, datatype, shape: shape.map(String) };
}

/** @throws HeadraceError MALFORMED_MESSAGE */
export function decoded<T>(codec: { decode(bytes: Buffer): T }, message: Buffer): T {
  try {
    return codec.decode(message);
  } catch (error) {
    throw HeadraceError.of(
      'MALFORMED_MESSAGE',
      `the request is not a message of this method: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
