import { inferenceService, metadataKey } from '@headrace/proto';
import type { Tracing } from '@headrace/runtime';
import type { MethodHandler } from '@headrace/wire';
import { Metadata, refusalToStatus } from '@headrace/wire';
import type { InferService } from './infer.js';

/** ModelInfer: one request, one reply. */
export function modelInfer(service: InferService, tracing: Tracing): MethodHandler {
  return {
    kind: 'unary',
    path: inferenceService.methods.ModelInfer.path,
    handle(message, call) {
      const requestId = call.metadata.get(metadataKey.requestId);
      if (requestId !== undefined) call.sendHeaders(Metadata.of({ [metadataKey.requestId]: requestId }));
      const span = tracing.active
        ? tracing.startSpan(`${inferenceService.name}/ModelInfer`, {
            parent: call.metadata.get(metadataKey.traceparent),
            tracestate: call.metadata.get(metadataKey.tracestate),
            kind: 'server',
            attributes: {
              'rpc.system': 'grpc',
              'rpc.service': inferenceService.name,
              'rpc.method': 'ModelInfer',
              ...(requestId === undefined ? {} : { 'headrace.request_id': requestId }),
            },
          })
        : undefined;
      const cancel = service.start(message, call.deadlineMs, false, (reply) => {
        span?.setAttributes({ 'headrace.model': reply.model });
        if (reply.ok) {
          call.reply(reply.message);
          span?.end();
        } else {
          call.fail(refusalToStatus(reply.refusal));
          span?.fail(reply.refusal.message);
        }
      });
      call.onCancel(() => {
        cancel();
        span?.fail('cancelled');
      });
    },
  };
}
