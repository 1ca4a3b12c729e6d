import { inferenceService } from '@headrace/proto';
import { unary } from '@headrace/wire';
import type { MethodHandler } from '@headrace/wire';
import { inferPath } from '../loads/grpc-client.js';
import { echoInferResponse, echoInput, echoModel } from '../workload/echo-messages.js';
import { echoPath } from './echo-protocol.js';

/** The least that a gRPC server can do, and the least that makes it a back end of the gateway: the core methods, one answer. */
export function echoMethods(): readonly MethodHandler[] {
  const { methods } = inferenceService;
  const answer = echoInferResponse();
  return [
    { kind: 'unary', path: echoPath, handle: (message, call) => call.reply(Buffer.from(message)) },
    { kind: 'unary', path: inferPath, handle: (_message, call) => call.reply(answer) },
    unary(methods.ServerLive.path, async () => methods.ServerLive.response.encode({ live: true })),
    unary(methods.ServerReady.path, async () => methods.ServerReady.response.encode({ ready: true })),
    unary(methods.ModelReady.path, async () => methods.ModelReady.response.encode({ ready: true })),
    unary(methods.ModelMetadata.path, async () =>
      methods.ModelMetadata.response.encode({
        name: echoModel,
        versions: ['1'],
        platform: 'echo',
        inputs: [{ name: echoInput.name, datatype: echoInput.datatype, shape: [-1, echoInput.rowBytes] }],
        outputs: [{ name: 'y', datatype: 'UINT8', shape: [-1, 1] }],
      }),
    ),
  ];
}
