import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import type { Method } from '@headrace/proto';

export interface CallSettings {
  readonly metadata?: Readonly<Record<string, string>>;
  /** From now; default 10 s. */
  readonly timeoutMs?: number;
}

export interface Reply<T> {
  readonly message: T;
  readonly headers: Metadata;
  readonly trailers: Metadata;
}

const defaultTimeoutMs = 10_000;

/** A plain grpc-js client, as a user of that library writes it: none of the platform's own transport is in it. */
export class GrpcJsClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  /** Rejects with grpc-js's ServiceError. */
  call<In, Request, ResponseIn, Response>(
    method: Method<In, Request, ResponseIn, Response>,
    request: In,
    settings: CallSettings = {},
  ): Promise<Reply<Response>> {
    const metadata = metadataOf(settings);
    const options = { deadline: Date.now() + (settings.timeoutMs ?? defaultTimeoutMs) };
    return new Promise((resolve, reject) => {
      let headers = new Metadata();
      let message: Response | undefined;
      const call = this.#client.makeUnaryRequest(
        method.path,
        (sent: In) => method.request.encode(sent),
        (bytes) => method.response.decode(bytes),
        request,
        metadata,
        options,
        (error: ServiceError | null, reply?: Response) => {
          if (error !== null) reject(error);
          else message = reply;
        },
      );
      call.on('metadata', (received: Metadata) => (headers = received));
      // The status comes last, with the trailers.
      call.on('status', ({ metadata: trailers }) => {
        if (message !== undefined) resolve({ message, headers, trailers });
      });
    });
  }

  /** Sends all requests on one bidirectional stream, ends it, and resolves with all replies; rejects if the stream fails. */
  stream<In, Request, ResponseIn, Response>(
    method: Method<In, Request, ResponseIn, Response>,
    requests: readonly In[],
    settings: CallSettings = {},
  ): Promise<readonly Response[]> {
    const options = { deadline: Date.now() + (settings.timeoutMs ?? defaultTimeoutMs) };
    return new Promise((resolve, reject) => {
      const call = this.#client.makeBidiStreamRequest(
        method.path,
        (sent: In) => method.request.encode(sent),
        (bytes) => method.response.decode(bytes),
        metadataOf(settings),
        options,
      );
      const replies: Response[] = [];
      call.on('data', (reply: Response) => replies.push(reply));
      call.on('error', reject);
      call.on('end', () => resolve(replies));
      for (const request of requests) call.write(request);
      call.end();
    });
  }

  close(): void {
    this.#client.close();
  }
}

function metadataOf(settings: CallSettings): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(settings.metadata ?? {})) metadata.set(key, value);
  return metadata;
}
