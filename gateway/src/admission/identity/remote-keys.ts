import { describeError } from '@headrace/runtime';
import type { Clock, Timer } from '@headrace/runtime';
import type { JWTVerifyGetKey } from 'jose';
import type { IdentityIo } from './io.js';
import { parseKeySet } from './key-set.js';
import type { KeySet, KeySetListener } from './key-set.js';

const refreshMs = 300_000;
const retryMs = 10_000;
/** Tokens that name keys which do not exist cost the issuer one request in this time, however many they are. */
const cooldownMs = 30_000;

/** Keys from the issuer's endpoint. The last good ones stay while it is down: whoever could sign yesterday can today. */
export class RemoteKeys implements KeySet {
  readonly #uri: string;
  readonly #io: Pick<IdentityIo, 'fetchText'>;
  readonly #clock: Clock;
  readonly #listener: KeySetListener;
  #text: string | undefined;
  #keys: JWTVerifyGetKey | undefined;
  #underWay: Promise<void> | undefined;
  #askedMs = -Infinity;
  #readMs: number;
  #timer: Timer | undefined;
  #closed = false;

  /** The first request begins at once; what comes meanwhile waits for it. */
  constructor(uri: string, io: Pick<IdentityIo, 'fetchText'>, clock: Clock, listener: KeySetListener) {
    this.#uri = uri;
    this.#io = io;
    this.#clock = clock;
    this.#listener = listener;
    this.#readMs = clock.nowMs();
    void this.refresh();
  }

  current(): JWTVerifyGetKey | undefined {
    return this.#keys;
  }

  ageMs(): number {
    return this.#clock.nowMs() - this.#readMs;
  }

  refresh(): Promise<void> {
    if (this.#underWay !== undefined) return this.#underWay;
    if (this.#closed || this.#clock.nowMs() - this.#askedMs < cooldownMs) return Promise.resolve();
    return this.#ask();
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    return Promise.resolve();
  }

  #ask(): Promise<void> {
    this.#askedMs = this.#clock.nowMs();
    this.#timer?.cancel();
    this.#underWay = this.#io
      .fetchText(this.#uri)
      .then(
        (text) => this.#take(text),
        (error: unknown) => describeError(error),
      )
      .then((problem) => {
        this.#underWay = undefined;
        if (this.#closed) return;
        if (problem === undefined) this.#readMs = this.#clock.nowMs();
        else this.#listener.onRead?.('failed');
        if (problem !== undefined) this.#listener.onProblem(`${this.#uri}: ${problem}; the keys before it stay`);
        this.#timer = this.#clock.setTimer(() => void this.#ask(), problem === undefined ? refreshMs : retryMs);
      });
    return this.#underWay;
  }

  #take(text: string): string | undefined {
    if (text === this.#text) {
      this.#listener.onRead?.('unchanged');
      return undefined;
    }
    const parsed = parseKeySet(text);
    if (!parsed.ok) return parsed.refusal;
    this.#text = text;
    this.#keys = parsed.value;
    if (this.#closed) return undefined;
    this.#listener.onRead?.('changed');
    this.#listener.onChange();
    return undefined;
  }
}
