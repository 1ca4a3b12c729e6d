import { inferenceService, metadataKey } from '@headrace/proto';
import { Metadata, refusalToStatus } from '@headrace/wire';
import type { MethodHandler, UnaryCall } from '@headrace/wire';
import type { Result } from '@headrace/runtime';
import type { Outcome, Ticket } from '../domain/infer.js';
import type { Caller } from '../domain/traffic.js';
import { WaitingCallers } from './callers.js';
import { requestIdOf } from './correlation.js';
import { OpenStreams, inferStream } from './infer-stream.js';
import { submitMessage } from './submit-message.js';
import type { InferMethodOptions } from './submit-message.js';

/** ModelInfer and ModelStreamInfer: bytes in, one pass over them, bytes out. */
export function inferMethods(options: InferMethodOptions): MethodHandler[] {
  const { ModelInfer, ModelStreamInfer } = inferenceService.methods;
  const streams = new OpenStreams();
  const waiting = new WaitingCallers();
  options.onDrain(() => streams.drain());
  return [
    { kind: 'unary', path: ModelInfer.path, handle: (message, call) => inferUnary(message, call, waiting, options) },
    { kind: 'stream', path: ModelStreamInfer.path, handle: (call) => inferStream(call, options, streams) },
  ];
}

function inferUnary(message: Buffer, call: UnaryCall, waiting: WaitingCallers, options: InferMethodOptions): void {
  const requestId = requestIdOf(call.metadata);
  call.sendHeaders(Metadata.single(metadataKey.requestId, requestId));
  let ticket: Ticket | undefined;
  const submit = (bytes: Buffer, who: Result<Caller>, identityMs?: number): void => {
    ticket = submitMessage(bytes, call, who, requestId, 'ModelInfer', options, (outcome) => answer(call, outcome), identityMs);
  };
  const who = options.callers.identify(call.metadata, call.peer);
  if ('then' in who) {
    const { clock } = options;
    const askedMs = clock.nowMs();
    call.onCancel(() => ticket?.cancel());
    waiting.wait(
      who,
      message,
      () => call.cancelled,
      (bytes, known) => submit(bytes, known, clock.nowMs() - askedMs),
    );
    return;
  }
  submit(message, who);
  if (ticket !== undefined) call.onCancel(() => ticket?.cancel());
}

function answer(call: UnaryCall, outcome: Outcome): void {
  if (outcome.ok) {
    if (outcome.trailers === undefined) call.reply(outcome.message);
    else call.reply(outcome.message, Metadata.of(outcome.trailers));
    return;
  }
  const status = refusalToStatus(outcome.refusal);
  for (const [key, value] of Object.entries(outcome.trailers ?? {})) status.trailers?.set(key, value);
  call.fail(status);
}
