import { inferenceService } from '@headrace/proto';
import { statusCode } from '@headrace/runtime';
import type { ClientStream } from '@headrace/wire';
import { statusToRefusal } from '@headrace/wire';
import type { InferenceClient } from '../client/client.js';
import { serverFailure } from '../client/server-failure.js';
import type { Outcome, Send } from './load.js';

/** Where a request's bytes come from; the id is written into it. */
export type RequestSource = (id: string) => Buffer;

/** One unary call per request. */
export function unarySender(client: Pick<InferenceClient, 'sendInfer' | 'target'>, nextRequest: RequestSource): Send {
  return (done) =>
    client.sendInfer(nextRequest(''), (outcome) => {
      if (outcome.ok) return done(undefined);
      const { reason, message } = serverFailure(outcome, client.target, 'infer');
      done({ reason, message });
    });
}

type StreamClient = Pick<InferenceClient, 'openInferStream'>;

export interface StreamSender {
  readonly send: Send;
  close(): void;
}

/** Requests spread over `count` bidirectional streams in turn; replies find their request by its id. */
export function streamSender(client: StreamClient, count: number, nextRequest: RequestSource): StreamSender {
  const streams = Array.from({ length: count }, () => new InferStream(client));
  let turn = 0;
  let id = 0;
  return {
    send: (done) => {
      const stream = streams[turn++ % streams.length];
      const key = String((id += 1));
      stream?.send(key, nextRequest(key), done);
    },
    close: () => streams.forEach((stream) => stream.close()),
  };
}

const streamReply = inferenceService.methods.ModelStreamInfer.response;

class InferStream {
  /** In the order sent. Bounded by the load's own limit of requests in flight. */
  readonly #waiting = new Map<string, (outcome: Outcome) => void>();
  readonly #client: StreamClient;
  #stream: ClientStream | undefined;

  constructor(client: StreamClient) {
    this.#client = client;
  }

  send(id: string, request: Buffer, done: (outcome: Outcome) => void): void {
    this.#waiting.set(id, done);
    this.#stream ??= this.#open();
    this.#stream.write(request);
  }

  close(): void {
    this.#stream?.end();
  }

  #open(): ClientStream {
    return this.#client.openInferStream({
      onMessage: (message) => this.#onReply(message),
      onStatus: (status) => {
        this.#stream = undefined;
        // Whatever waits will not be answered: the stream ended.
        const { reason } = statusToRefusal(status.code === statusCode.OK ? { code: statusCode.UNAVAILABLE, message: '' } : status);
        const pending = [...this.#waiting.values()];
        this.#waiting.clear();
        for (const done of pending) done({ reason, message: status.message || 'the server closed the stream' });
      },
    });
  }

  #onReply(message: Buffer): void {
    const reply = streamReply.decode(message);
    const id = reply.infer_response?.id ?? '';
    // An error may come without an id: then it is the oldest request's.
    const key = this.#waiting.has(id) ? id : this.#waiting.keys().next().value;
    if (key === undefined) return;
    const done = this.#waiting.get(key);
    this.#waiting.delete(key);
    const error = reply.error_message;
    done?.(error === '' ? undefined : { reason: 'STREAM_ERROR', message: error });
  }
}
