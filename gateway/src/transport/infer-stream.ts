import { inferenceService, metadataKey } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Refusal, Result } from '@headrace/runtime';
import { Metadata, refusalToStatus } from '@headrace/wire';
import type { StreamCall } from '@headrace/wire';
import type { Outcome, Ticket } from '../domain/infer.js';
import type { Caller } from '../domain/traffic.js';
import { unchecked } from './callers.js';
import { requestIdOf } from './correlation.js';
import { submitMessage } from './submit-message.js';
import type { InferMethodOptions } from './submit-message.js';

/** Requests of one stream that may be under way at once; at this many the stream is not read any further. */
const maxInFlight = 128;

interface Slot {
  outcome: Outcome | undefined;
  ticket: Ticket | undefined;
}

/**
 * Each message of the stream is a request like any other: it may be batched, retried or refused for itself, and a
 * failure is told in its reply's error_message, the stream going on. Replies come in the order of the requests (as from
 * Triton, for models that answer once): clients that match by order need no ids.
 *
 *   slots:  [ #1 answered ][ #2 under way ][ #3 answered ]      #1 goes out now, #3 behind #2
 */
export function inferStream(call: StreamCall, options: InferMethodOptions, streams: OpenStreams): void {
  const who = options.callers.identify(call.metadata, call.peer);
  if (!('then' in who)) return answerStream(call, who, options, streams, 0);
  // Nothing is read until it is known whose requests they are.
  call.pause();
  const askedMs = options.clock.nowMs();
  const begin = (known: Result<Caller>): void => {
    if (call.cancelled) return;
    answerStream(call, known, options, streams, options.clock.nowMs() - askedMs);
    call.resume();
  };
  who.then(begin, () => begin(unchecked));
}

function refuseStream(call: StreamCall, requestId: string, refusal: Refusal, identityMs: number, options: InferMethodOptions): void {
  const { clock, log, sink } = options;
  const arrivedMs = clock.nowMs();
  sink.refusedOnSight(requestId, arrivedMs, refusal, identityMs);
  log.ended({ method: 'ModelStreamInfer', requestId, model: '', peer: call.peer.address, arrivedMs, refusal });
  call.sendHeaders(Metadata.of({ [metadataKey.requestId]: requestId }));
  call.fail(refusalToStatus(refusal));
}

/** `identityMs`: what its first request waited for the check of who asks. */
function answerStream(call: StreamCall, who: Result<Caller>, options: InferMethodOptions, streams: OpenStreams, identityMs: number): void {
  const streamId = requestIdOf(call.metadata);
  if (!who.ok) return refuseStream(call, streamId, who.refusal, identityMs, options);
  const slots: Slot[] = [];
  let received = 0;
  let clientEnded = false;
  let over = false;
  let reading = true;
  let writable = true;
  call.sendHeaders(Metadata.of({ [metadataKey.requestId]: streamId }));

  /** 1. write what is answered, in order  2. end when all is done  3. read on when there is room again. */
  const advance = (): void => {
    if (over) return;
    for (let head = slots[0]; writable && head?.outcome !== undefined; head = slots[0]) {
      slots.shift();
      writable = call.write(streamReply(head.outcome));
    }
    if (slots.length === 0 && (clientEnded || streams.draining)) {
      over = true;
      streams.delete(advance);
      if (clientEnded) call.end();
      else call.fail(refusalToStatus(draining));
      return;
    }
    const room = writable && slots.length < maxInFlight && !streams.draining;
    if (room === reading) return;
    reading = room;
    if (room) call.resume();
    else call.pause();
  };

  streams.add(advance);
  call.onMessage((message) => {
    const slot: Slot = { outcome: undefined, ticket: undefined };
    slots.push(slot);
    received += 1;
    // Each request of a stream has an id of its own for logs and backends: "<stream>/1", "<stream>/2", ...
    const done = (outcome: Outcome): void => {
      slot.outcome = outcome;
      advance();
    };
    const waitedMs = received === 1 ? identityMs : 0;
    slot.ticket = submitMessage(message, call, who, `${streamId}/${received}`, 'ModelStreamInfer', options, done, waitedMs);
    advance();
  });
  call.onDrain(() => {
    writable = true;
    advance();
  });
  call.onEnd(() => {
    clientEnded = true;
    advance();
  });
  call.onCancel(() => {
    over = true;
    streams.delete(advance);
    for (const { ticket, outcome } of slots) if (outcome === undefined) ticket?.cancel();
    slots.length = 0;
  });
}

const draining = refuse('DRAINING', 'the gateway is shutting down; every request read from this stream has been answered', {
  retryAfterMs: 1000,
});

/** The streams that are open, to be ended when the server drains: they would stay for as long as their clients like. */
export class OpenStreams {
  readonly #streams = new Set<() => void>();
  draining = false;

  add(advance: () => void): void {
    this.#streams.add(advance);
  }

  delete(advance: () => void): void {
    this.#streams.delete(advance);
  }

  /** What has been read is answered; then each stream ends with UNAVAILABLE. */
  drain(): void {
    this.draining = true;
    for (const advance of [...this.#streams]) advance();
  }
}

function streamReply(outcome: Outcome): Buffer {
  return outcome.ok ? wrapResponse(outcome.message) : errorReply(outcome.refusal);
}

/** The status code is not part of Triton's stream reply, so the text leads with the reason. */
function errorReply(refusal: Refusal): Buffer {
  return inferenceService.methods.ModelStreamInfer.response.encode({ error_message: `${refusal.reason}: ${refusal.message}` });
}

/** ModelStreamInferResponse with field 2 (infer_response) = the reply's bytes: tag 0x12, varint length, bytes. */
export function wrapResponse(response: Buffer): Buffer {
  const header: number[] = [0x12];
  let left = response.length;
  while (left > 0x7f) {
    header.push((left & 0x7f) | 0x80);
    left = Math.floor(left / 128);
  }
  header.push(left);
  return Buffer.concat([Buffer.from(header), response]);
}
