import type { Clock, Logger } from '@headrace/runtime';
import type { ReceiveBudget } from '../connection/receive-budget.js';
import type { Metadata } from '../../metadata.js';
import { metadataOf } from '../grpc/metadata-fields.js';
import { readResponseHead, readTrailers } from '../grpc/response-head.js';
import type { MalformedResponse, ResponseEnd, ResponseHead } from '../grpc/response-head.js';
import type { HeaderFields } from '../hpack/index.js';

/** What all calls of one channel share. */
export interface ClientContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly budget: ReceiveBudget;
  readonly maxMessageBytes: number;
  readonly compress: boolean;
  readonly responses: Responses;
  /** Header fields that begin every call of a path, by path. */
  readonly requests: Map<string, HeaderFields>;
  readonly authority: string;
  readonly secure: boolean;
  /** The call is over; it may have waited. */
  left(call: object): void;
}

/** A steady server's header lists come out of HPACK as the same arrays again: what they say is worked out once. */
export class Responses {
  #headFields: HeaderFields | undefined;
  #headEnds = false;
  #head: ResponseHead | undefined;
  #trailerFields: HeaderFields | undefined;
  #trailerStatus = 0;
  #trailers: ResponseEnd | MalformedResponse | undefined;
  readonly #headMetadata = new LatestMetadata();
  readonly #trailerMetadata = new LatestMetadata();

  /** Of a head, shared by all calls with this header list. */
  headMetadata(fields: HeaderFields): Metadata {
    return this.#headMetadata.of(fields);
  }

  /** Of trailers, shared likewise. */
  trailerMetadata(fields: HeaderFields): Metadata {
    return this.#trailerMetadata.of(fields);
  }

  head(fields: HeaderFields, endStream: boolean): ResponseHead {
    if (this.#head !== undefined && this.#headFields === fields && this.#headEnds === endStream) return this.#head;
    this.#headFields = fields;
    this.#headEnds = endStream;
    this.#head = readResponseHead(fields, endStream);
    return this.#head;
  }

  trailers(fields: HeaderFields, httpStatus: number): ResponseEnd | MalformedResponse {
    if (this.#trailers !== undefined && this.#trailerFields === fields && this.#trailerStatus === httpStatus) return this.#trailers;
    this.#trailerFields = fields;
    this.#trailerStatus = httpStatus;
    this.#trailers = readTrailers(fields, httpStatus);
    return this.#trailers;
  }
}

class LatestMetadata {
  #fields: HeaderFields | undefined;
  #metadata: Metadata | undefined;

  of(fields: HeaderFields): Metadata {
    if (this.#metadata !== undefined && this.#fields === fields) return this.#metadata;
    this.#fields = fields;
    this.#metadata = metadataOf(fields).freeze();
    return this.#metadata;
  }
}
