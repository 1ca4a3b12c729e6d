import { inferenceService, metadataKey } from '@headrace/proto';
import type { Tracing } from '@headrace/runtime';
import type { MethodHandler } from '@headrace/wire';
import { Metadata, refusalToStatus } from '@headrace/wire';
import type { InferService } from './infer.js';
import { endInferSpan, startInferSpan } from './infer-span.js';

/** ModelInfer: one request, one reply. */
export function modelInfer(service: InferService, tracing: Tracing): MethodHandler {
  return {
    kind: 'unary',
    path: inferenceService.methods.ModelInfer.path,
    handle(message, call) {
      const requestId = call.metadata.get(metadataKey.requestId);
      if (requestId !== undefined) call.sendHeaders(Metadata.of({ [metadataKey.requestId]: requestId }));
      const span = startInferSpan(tracing, 'ModelInfer', call.metadata, requestId);
      const cancel = service.start(message, call.deadlineMs, false, (reply) => {
        if (reply.ok) call.reply(reply.message);
        else call.fail(refusalToStatus(reply.refusal));
        endInferSpan(span, reply);
      });
      call.onCancel(() => {
        cancel();
        span?.fail('cancelled');
      });
    },
  };
}
