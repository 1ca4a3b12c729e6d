import { inferenceService, metadataKey } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Tracing } from '@headrace/runtime';
import type { MethodHandler, StreamCall } from '@headrace/wire';
import { refusalToStatus } from '@headrace/wire';
import type { InferReply, InferService } from './infer.js';
import { endInferSpan, startInferSpan } from './infer-span.js';

/** Requests of one stream that may be in the server at once; above it the client is made to wait (flow control). */
const maxInFlight = 256;

/**
 * ModelStreamInfer in Triton's shape: each request gets one ModelStreamInferResponse, in the order of the requests. A
 * request that fails gets its error_message and the stream goes on. When the server drains (`onDrain`), each open stream
 * takes no more requests, answers those it took and then ends with UNAVAILABLE: an idle one must not hold the drain up.
 */
export function modelStreamInfer(service: InferService, tracing: Tracing, onDrain: (listener: () => void) => void): MethodHandler {
  const open = new Set<InferStream>();
  onDrain(() => {
    for (const stream of open) stream.drain();
  });
  return {
    kind: 'stream',
    path: inferenceService.methods.ModelStreamInfer.path,
    handle: (call) => {
      const stream = new InferStream(call, service, tracing, () => open.delete(stream));
      open.add(stream);
      stream.open();
    },
  };
}

interface Slot {
  reply: Buffer | undefined;
  cancel: () => void;
}

class InferStream {
  readonly #call: StreamCall;
  readonly #service: InferService;
  readonly #tracing: Tracing;
  readonly #onEnd: () => void;
  /** As the client names the stream; its requests are "<stream>/1", "<stream>/2", ... in traces, as at the gateway. */
  readonly #streamId: string | undefined;
  /** In the order of the requests; replies leave from the front. */
  readonly #slots: Slot[] = [];
  #received = 0;
  #clientDone = false;
  #draining = false;
  #paused = false;
  #blocked = false;
  #ended = false;

  constructor(call: StreamCall, service: InferService, tracing: Tracing, onEnd: () => void) {
    this.#call = call;
    this.#service = service;
    this.#tracing = tracing;
    this.#streamId = call.metadata.get(metadataKey.requestId);
    this.#onEnd = onEnd;
  }

  open(): void {
    this.#call.onMessage((message) => this.#take(message));
    this.#call.onDrain(() => {
      this.#blocked = false;
      this.#flush();
    });
    this.#call.onEnd(() => {
      this.#clientDone = true;
      this.#flush();
    });
    this.#call.onCancel(() => {
      this.#ended = true;
      this.#onEnd();
      for (const slot of this.#slots.splice(0)) slot.cancel();
    });
  }

  drain(): void {
    this.#draining = true;
    this.#flush();
  }

  #take(message: Buffer): void {
    if (this.#draining) return;
    const slot: Slot = { reply: undefined, cancel: () => {} };
    this.#slots.push(slot);
    this.#received += 1;
    const requestId = this.#streamId === undefined ? undefined : `${this.#streamId}/${this.#received}`;
    const span = startInferSpan(this.#tracing, 'ModelStreamInfer', this.#call.metadata, requestId);
    const cancel = this.#service.start(message, this.#call.deadlineMs, true, (reply) => {
      endInferSpan(span, reply);
      slot.reply = streamResponse(reply);
      this.#flush();
    });
    slot.cancel = () => {
      if (slot.reply !== undefined) return;
      cancel();
      span?.fail('cancelled');
    };
    if (this.#slots.length >= maxInFlight && !this.#paused) {
      this.#paused = true;
      this.#call.pause();
    }
  }

  #flush(): void {
    while (!this.#blocked && !this.#ended && this.#slots[0]?.reply !== undefined) {
      const slot = this.#slots.shift();
      if (slot?.reply !== undefined) this.#blocked = !this.#call.write(slot.reply);
    }
    if (this.#paused && this.#slots.length <= maxInFlight / 2) {
      this.#paused = false;
      this.#call.resume();
    }
    if ((this.#clientDone || this.#draining) && this.#slots.length === 0 && !this.#ended) {
      this.#ended = true;
      this.#onEnd();
      if (this.#clientDone) this.#call.end();
      else this.#call.fail(refusalToStatus(refuse('DRAINING', 'the server is going away; what it took from this stream is answered')));
    }
  }
}

/**
 * ModelStreamInferResponse { error_message = 1; infer_response = 2 }, written around the encoded ModelInferResponse so
 * that its tensors are not decoded again. An error carries an infer_response with the request's id alone.
 */
export function streamResponse(reply: InferReply): Buffer {
  if (reply.ok) return field(2, reply.message);
  const withId = reply.id === '' ? Buffer.alloc(0) : field(2, field(3, Buffer.from(reply.id, 'utf8')));
  return Buffer.concat([field(1, Buffer.from(reply.refusal.message, 'utf8')), withId]);
}

/** Length-delimited field (wire type 2). */
function field(number: number, payload: Buffer): Buffer {
  const header = [(number << 3) | 2];
  let length = payload.length;
  for (; length > 0x7f; length = Math.floor(length / 128)) header.push((length % 128) | 0x80);
  header.push(length);
  return Buffer.concat([Buffer.from(header), payload]);
}
