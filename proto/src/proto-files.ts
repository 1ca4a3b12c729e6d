import { join } from 'node:path';
import { protoRoot } from './loader-options.js';

/** The .proto files of this package, relative to its folder, imports before what imports them. */
export const protoFileNames = [
  'inference/model_config.proto',
  'inference/grpc_service.proto',
  'headrace/v1/traffic.proto',
  'grpc/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto',
  'grpc/reflection/v1alpha/reflection.proto',
  'google/rpc/error_details.proto',
  'google/rpc/status.proto',
] as const;

export type ProtoFileName = (typeof protoFileNames)[number];

/** Absolute path of a .proto file in this package, for those who load it themselves (with loaderOptions). */
export function protoFile(name: ProtoFileName): string {
  return join(protoRoot, name);
}
