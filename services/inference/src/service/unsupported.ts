import { inferenceService } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { MethodHandler } from '@headrace/wire';
import { refusalToStatus } from '@headrace/wire';

const sharedMemory =
  'shared memory is not supported: memory registered by name would let one client read and write what another one sees, and works on one machine only; send tensors in raw_input_contents';

const reasons = {
  SystemSharedMemoryStatus: sharedMemory,
  SystemSharedMemoryRegister: sharedMemory,
  SystemSharedMemoryUnregister: sharedMemory,
  CudaSharedMemoryStatus: sharedMemory,
  CudaSharedMemoryRegister: sharedMemory,
  CudaSharedMemoryUnregister: sharedMemory,
  TraceSetting:
    'trace settings are not changed at run time: traces follow the W3C context of the caller and are exported where OTEL_EXPORTER_OTLP_ENDPOINT says',
  LogSettings: 'log settings are not changed at run time: start the server with --log-level and --log-format',
} as const;

/** Methods of the protocol that this server does not have: UNIMPLEMENTED with the reason, never a bare "unknown method". */
export function unsupportedMethods(): readonly MethodHandler[] {
  return (Object.keys(reasons) as (keyof typeof reasons)[]).map((method) => ({
    kind: 'unary',
    path: inferenceService.methods[method].path,
    handle: (_message, call) => call.fail(refusalToStatus(refuse('UNSUPPORTED_METHOD', `${method}: ${reasons[method]}`))),
  }));
}
