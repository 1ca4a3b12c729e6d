import { inferenceService, metadataKey } from '@headrace/proto';
import { Metadata, refusalToStatus } from '@headrace/wire';
import type { MethodHandler, UnaryCall } from '@headrace/wire';
import { requestIdOf } from './correlation.js';
import { OpenStreams, inferStream } from './infer-stream.js';
import { submitMessage } from './submit-message.js';
import type { InferMethodOptions } from './submit-message.js';

/** ModelInfer and ModelStreamInfer: bytes in, one pass over them, bytes out. */
export function inferMethods(options: InferMethodOptions): MethodHandler[] {
  const { ModelInfer, ModelStreamInfer } = inferenceService.methods;
  const streams = new OpenStreams();
  options.onDrain(() => streams.drain());
  return [
    { kind: 'unary', path: ModelInfer.path, handle: (message, call) => inferUnary(message, call, options) },
    { kind: 'stream', path: ModelStreamInfer.path, handle: (call) => inferStream(call, options, streams) },
  ];
}

function inferUnary(message: Buffer, call: UnaryCall, options: InferMethodOptions): void {
  const requestId = requestIdOf(call.metadata);
  const headers = new Metadata();
  headers.set(metadataKey.requestId, requestId);
  call.sendHeaders(headers);
  const ticket = submitMessage(message, call, requestId, 'ModelInfer', options, (outcome) => {
    if (outcome.ok) call.reply(outcome.message);
    else call.fail(refusalToStatus(outcome.refusal));
  });
  if (ticket !== undefined) call.onCancel(() => ticket.cancel());
}
