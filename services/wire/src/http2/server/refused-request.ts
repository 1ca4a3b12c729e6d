import { Stream } from '../connection/stream.js';
import type { HeadProblem } from '../grpc/request-head.js';
import type { HeaderFields } from '../hpack/index.js';
import { failureTrailers } from './response-fields.js';

/** What is answered; a malformed request is reset instead. */
export type Refusal = Exclude<HeadProblem, { readonly kind: 'malformed' }>;

/** A request that no handler sees. What still comes of it is dropped. */
export class RefusedRequest extends Stream {
  readonly #refusal: Refusal;

  constructor(id: number, refusal: Refusal) {
    super();
    this.id = id;
    this.#refusal = refusal;
  }

  answer(): void {
    this.connection.sendHeaders(this, answerFields(this.#refusal), true);
  }

  get awaitsBytes(): boolean {
    return false;
  }

  onHeaders(): void {}
  onData(): void {}
  onTurnEnd(): void {}
  onSendRoom(): void {}
  onLost(): void {}
}

function answerFields(refusal: Refusal): HeaderFields {
  if (refusal.kind === 'http') {
    const allow = refusal.httpStatus === 405 ? ['allow', 'POST'] : [];
    return [':status', String(refusal.httpStatus), ...allow];
  }
  const fields = failureTrailers({ code: refusal.code, message: refusal.message }, true);
  return refusal.acceptEncoding === undefined ? fields : [...fields, 'grpc-accept-encoding', refusal.acceptEncoding];
}
