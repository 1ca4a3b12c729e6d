import { refuse } from '@headrace/runtime';
import type { Result } from '@headrace/runtime';
import type { Metadata, Peer } from '@headrace/wire';
import type { Caller } from '../domain/traffic.js';

/** Says who calls; declared by the transport, which consumes it. At once whenever nothing has to be checked for the first time. */
export interface CallerIdentity {
  identify(metadata: Metadata, peer: Peer): Result<Caller> | Promise<Result<Caller>>;
}

/** Messages that wait for their caller's check, over all calls. A check takes milliseconds, unless an issuer is slow. */
const maxWaiting = 1024;
const maxWaitingBytes = 64 * 1024 * 1024;

const busy: Result<Caller> = {
  ok: false,
  refusal: refuse('IDENTITY_UNAVAILABLE', 'too many requests wait for the check of their credentials', { retryAfterMs: 100 }),
};

/** Keeps the messages of calls whose caller is still being looked at, within bounds. */
export class WaitingCallers {
  #waiting = 0;
  #bytes = 0;

  /** `then` with the verdict and a copy of the message, unless `gone` is true by then. */
  wait(
    verdict: Promise<Result<Caller>>,
    borrowed: Buffer,
    gone: () => boolean,
    then: (message: Buffer, who: Result<Caller>) => void,
  ): void {
    if (this.#waiting >= maxWaiting || this.#bytes + borrowed.length > maxWaitingBytes) {
      then(borrowed, busy);
      // It is not waited for here any more; whoever else asked may be.
      verdict.catch(() => undefined);
      return;
    }
    const message = Buffer.from(borrowed);
    this.#waiting += 1;
    this.#bytes += message.length;
    const end = (who: Result<Caller>): void => {
      this.#waiting -= 1;
      this.#bytes -= message.length;
      if (!gone()) then(message, who);
    };
    verdict.then(end, () => end(unchecked));
  }
}

/** A check that ended without a verdict. */
export const unchecked: Result<Caller> = {
  ok: false,
  refusal: refuse('IDENTITY_UNAVAILABLE', 'the credentials could not be checked', { retryAfterMs: 1000 }),
};
