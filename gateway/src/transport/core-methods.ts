import { inferenceService } from '@headrace/proto';
import { HeadraceError, describeError } from '@headrace/runtime';
import type { Logger, Result } from '@headrace/runtime';
import { unary } from '@headrace/wire';
import type { MethodHandler } from '@headrace/wire';

/** What the gateway can say of itself and of its models. */
export interface ServingState {
  ready(): boolean;
  modelReady(name: string, version: string): boolean;
}

/** Documents that a backend gives, encoded. */
export interface ModelDocuments {
  metadata(name: string, version: string): Promise<Result<Buffer>>;
  config(name: string, version: string): Promise<Result<Buffer>>;
}

const { methods } = inferenceService;
/** Triton's names for what a server can do beyond the core. */
const extensions = [
  'model_repository',
  'model_configuration',
  'statistics',
  'sequence',
  'sequence(string_id)',
  'schedule_policy',
  'binary_tensor_data',
  'parameters',
];

/** Health and description. Health questions are answered with false rather than with an error. */
export function coreMethods(options: {
  serving: ServingState;
  documents: ModelDocuments;
  version: string;
  logger: Logger;
}): MethodHandler[] {
  const { serving, documents, version, logger } = options;
  return [
    unary(methods.ServerLive.path, async () => methods.ServerLive.response.encode({ live: true }), logger),
    unary(methods.ServerReady.path, async () => methods.ServerReady.response.encode({ ready: serving.ready() }), logger),
    unary(
      methods.ModelReady.path,
      async (message) => {
        const request = decoded('ModelReadyRequest', () => methods.ModelReady.request.decode(message));
        return methods.ModelReady.response.encode({ ready: serving.modelReady(request.name, request.version) });
      },
      logger,
    ),
    unary(
      methods.ServerMetadata.path,
      async () => methods.ServerMetadata.response.encode({ name: 'headrace', version, extensions }),
      logger,
    ),
    unary(
      methods.ModelMetadata.path,
      async (message) => {
        const request = decoded('ModelMetadataRequest', () => methods.ModelMetadata.request.decode(message));
        return valueOf(await documents.metadata(request.name, request.version));
      },
      logger,
    ),
    unary(
      methods.ModelConfig.path,
      async (message) => {
        const request = decoded('ModelConfigRequest', () => methods.ModelConfig.request.decode(message));
        return valueOf(await documents.config(request.name, request.version));
      },
      logger,
    ),
  ];
}

export function decoded<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw HeadraceError.of('MALFORMED_MESSAGE', `expected a ${what}: ${describeError(error)}`);
  }
}

export function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new HeadraceError(result.refusal);
}
