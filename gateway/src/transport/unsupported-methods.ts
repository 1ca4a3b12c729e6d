import type { inferenceService } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import { refusalToStatus } from '@headrace/wire';
import type { MethodHandler } from '@headrace/wire';

const sharedMemory = 'the gateway and its clients are different machines as a rule; send tensors in the request';
const perServer = 'the gateway has no such settings; ask a backend directly';

/** Part of the service's definition and refused with a reason rather than with "unknown method". */
const reasons = {
  SystemSharedMemoryStatus: sharedMemory,
  SystemSharedMemoryRegister: sharedMemory,
  SystemSharedMemoryUnregister: sharedMemory,
  CudaSharedMemoryStatus: sharedMemory,
  CudaSharedMemoryRegister: sharedMemory,
  CudaSharedMemoryUnregister: sharedMemory,
  TraceSetting: perServer,
  LogSettings: perServer,
} as const satisfies Partial<Record<keyof typeof inferenceService.methods, string>>;

export function unsupportedMethods(): MethodHandler[] {
  return Object.entries(reasons).map(([name, reason]) => {
    const status = refusalToStatus(refuse('UNSUPPORTED_METHOD', `${name}: ${reason}`));
    return { kind: 'unary', path: `/inference.GRPCInferenceService/${name}`, handle: (_message, call) => call.fail(status) };
  });
}
