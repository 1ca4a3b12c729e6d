import type { Clock } from '@headrace/runtime';
import type { Peer } from '@headrace/wire';
import type { KeySet } from './key-set.js';
import { readToken } from './read-token.js';
import { RecentCache } from './recent-cache.js';
import { noKeys, rejected, tooMany } from './verdict.js';
import type { Identified } from './verdict.js';
import { verifyToken } from './verify-token.js';
import type { JwtSource, TokenVerdict } from './verify-token.js';

export interface TrustedIssuer {
  readonly source: JwtSource;
  readonly keys: KeySet;
}

/** About 300 bytes each. */
const maxAccepted = 50_000;
const maxRejected = 10_000;
/** Long enough that a client's retries cost nothing, short enough that a key which appears is seen soon. */
const rejectedMs = 5000;
/** Checks under way at once, and of those for one connection: a flood of tokens on one does not shut out the others. */
const maxChecks = 64;
const maxChecksPerPeer = 16;

interface Rejection {
  readonly result: Identified;
  readonly untilMs: number;
}

/**
 * Signed tokens. A signature costs 30 to 100 us, so that each token is checked once: afterwards its SHA-256 leads to the
 * verdict, until it expires or the keys change; a connection that repeats its token is not even hashed for.
 */
export class Tokens {
  readonly #issuers: readonly TrustedIssuer[];
  readonly #clock: Clock;
  readonly #accepted = new RecentCache<TokenVerdict>(maxAccepted);
  readonly #rejected = new RecentCache<Rejection>(maxRejected);
  readonly #checks = new Map<string, Promise<Identified>>();
  readonly #checksOf = new WeakMap<Peer, number>();
  #last = new WeakMap<Peer, { readonly value: string; readonly verdict: TokenVerdict }>();
  #epoch = 0;

  constructor(issuers: readonly TrustedIssuer[], clock: Clock) {
    this.#issuers = issuers;
    this.#clock = clock;
  }

  get checks(): number {
    return this.#checks.size;
  }

  get remembered(): number {
    return this.#accepted.size + this.#rejected.size;
  }

  /** The keys are others now. */
  forget(): void {
    this.#epoch++;
    this.#accepted.clear();
    this.#rejected.clear();
    this.#last = new WeakMap();
  }

  /** The verdict on the header value that this connection sent last. */
  again(value: string, peer: Peer): Identified | undefined {
    const last = this.#last.get(peer);
    return last?.value === value && this.#clock.wallMs() < last.verdict.untilWallMs ? last.verdict.result : undefined;
  }

  /**
   * @param value the header value that carried it
   * @param digest SHA-256 of the token, in any one text form
   */
  identify(token: string, value: string, digest: string, peer: Peer): Identified | Promise<Identified> {
    const wallMs = this.#clock.wallMs();
    const accepted = this.#accepted.get(digest);
    if (accepted !== undefined && wallMs < accepted.untilWallMs) {
      this.#last.set(peer, { value, verdict: accepted });
      return accepted.result;
    }
    const rejection = this.#rejected.get(digest);
    if (rejection !== undefined && this.#clock.nowMs() < rejection.untilMs) return rejection.result;
    const running = this.#checks.get(digest);
    if (running !== undefined) return running;

    const read = readToken(token, wallMs);
    if ('rejected' in read) return read.rejected;
    const issuers = this.#issuers.filter(({ source }) => source.issuer === read.issuer);
    if (issuers.length === 0) return rejected.notAccepted;
    const ofPeer = this.#checksOf.get(peer) ?? 0;
    if (this.#checks.size >= maxChecks || ofPeer >= maxChecksPerPeer) return tooMany;
    this.#checksOf.set(peer, ofPeer + 1);
    const check = this.#check(token, digest, issuers).finally(() => {
      this.#checks.delete(digest);
      this.#checksOf.set(peer, (this.#checksOf.get(peer) ?? 1) - 1);
    });
    this.#checks.set(digest, check);
    return check;
  }

  async #check(token: string, digest: string, issuers: readonly TrustedIssuer[]): Promise<Identified> {
    const epoch = this.#epoch;
    let last: TokenVerdict | undefined;
    for (const issuer of issuers) {
      last = await this.#verify(token, issuer);
      if (last.result.ok) break;
    }
    const { result, untilWallMs } = last ?? { result: rejected.notAccepted, untilWallMs: 0 };
    // By keys that were replaced meanwhile: good for this request, not for later ones.
    if (epoch !== this.#epoch || result === noKeys) return result;
    if (result.ok) this.#accepted.set(digest, { result, untilWallMs });
    else this.#rejected.set(digest, { result, untilMs: this.#clock.nowMs() + rejectedMs });
    return result;
  }

  async #verify(token: string, { source, keys }: TrustedIssuer): Promise<TokenVerdict> {
    const known = keys.current();
    const first = known === undefined ? 'unknownKid' : await verifyToken(token, source, known, this.#clock.wallMs());
    if (first !== 'unknownKid') return first;
    await keys.refresh();
    const fresh = keys.current();
    if (fresh === undefined) return { result: noKeys, untilWallMs: 0 };
    const second = fresh === known ? first : await verifyToken(token, source, fresh, this.#clock.wallMs());
    return second === 'unknownKid' ? { result: rejected.unknownKey, untilWallMs: 0 } : second;
  }
}
