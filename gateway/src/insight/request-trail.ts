/** What is remembered of a request that ended. Times on the Clock's scale, ms; NaN where it did not get that far. */
export interface EndedTrail {
  readonly requestId: string;
  readonly model: string;
  readonly version: string;
  readonly tenant: string;
  readonly tier: string;
  /** OK, or the refusal's. */
  readonly reason: string;
  /** Of a refusal; '' otherwise. */
  readonly message: string;
  readonly retryAfterMs: number;
  /** 1 = highest; 0 for one that was refused before it had any. */
  readonly band: number;
  /** The priority that was asked for and not allowed; 0 otherwise. */
  readonly loweredFrom: number;
  /** Waited before the arrival, until it was known who asks; 0: at once. */
  readonly identityMs: number;
  readonly arrivedMs: number;
  readonly queuedMs: number;
  readonly startedMs: number;
  readonly answeredMs: number;
  readonly endedMs: number;
  readonly backend: string;
  readonly batchRows: number;
  readonly attempts: number;
}

/** Ids are remembered by so many of their bytes; the transport gives none that is longer (128, and a number within a stream). */
const idBytes = 144;
const numbers = 11;

/**
 * The latest requests in a ring, for those who ask what became of one:
 *
 *     slot i:  ids[i * 144 ...]  length[i]  numbers[i * 11 ...]  texts[i] (model, version, tenant, tier, reason, message, backend)
 *
 * Written for every request, read seldom: nothing is allocated by a write, no Map holds the ids (docs/design/0006), and a
 * question looks at every slot. Ids are kept as bytes, because a string that the ring kept alive would be promoted to V8's
 * old generation with each request; the other texts are shared by many requests, but for the messages of refusals, and cut where a client made them long.
 */
export class RequestTrail {
  readonly #slots: number;
  readonly #ids: Buffer;
  readonly #idLengths: Uint8Array;
  readonly #numbers: Float64Array;
  readonly #texts: string[];
  #written = 0;

  /** `slots` x 250 bytes, about: 16,384 take 4 MB. */
  constructor(slots: number) {
    if (!Number.isSafeInteger(slots) || slots < 1) throw new RangeError(`slots: expected 1 or more, got ${slots}`);
    this.#slots = slots;
    this.#ids = Buffer.alloc(slots * idBytes);
    this.#idLengths = new Uint8Array(slots);
    this.#numbers = new Float64Array(slots * numbers);
    this.#texts = Array.from({ length: slots * texts }, () => '');
  }

  /** How many are remembered. */
  get size(): number {
    return Math.min(this.#written, this.#slots);
  }

  /** When the oldest of them ended; undefined while there is none. */
  get oldestEndedMs(): number | undefined {
    if (this.#written === 0) return undefined;
    const slot = this.#written > this.#slots ? this.#written % this.#slots : 0;
    return this.#numbers[slot * numbers + 4];
  }

  note(ended: EndedTrail): void {
    const slot = this.#written % this.#slots;
    this.#written += 1;
    this.#idLengths[slot] = this.#ids.write(ended.requestId, slot * idBytes, idBytes, 'latin1');
    const at = slot * numbers;
    const kept = this.#numbers;
    kept[at] = ended.arrivedMs;
    kept[at + 1] = ended.queuedMs;
    kept[at + 2] = ended.startedMs;
    kept[at + 3] = ended.answeredMs;
    kept[at + 4] = ended.endedMs;
    kept[at + 5] = ended.retryAfterMs;
    kept[at + 6] = ended.band;
    kept[at + 7] = ended.loweredFrom;
    kept[at + 8] = ended.batchRows;
    kept[at + 9] = ended.attempts;
    kept[at + 10] = ended.identityMs;
    const text = slot * texts;
    this.#texts[text] = bounded(ended.model);
    this.#texts[text + 1] = bounded(ended.version);
    this.#texts[text + 2] = ended.tenant;
    this.#texts[text + 3] = ended.tier;
    this.#texts[text + 4] = ended.reason;
    this.#texts[text + 5] = bounded(ended.message);
    this.#texts[text + 6] = ended.backend;
  }

  /** Those with the id, the latest first, at most `most`. */
  find(requestId: string, most = 20): EndedTrail[] {
    const wanted = Buffer.from(requestId, 'latin1').subarray(0, idBytes);
    const found: EndedTrail[] = [];
    for (let back = 1; back <= this.size && found.length < most; back++) {
      const slot = (this.#written - back) % this.#slots;
      if (this.#idLengths[slot] !== wanted.length) continue;
      const start = slot * idBytes;
      if (wanted.compare(this.#ids, start, start + wanted.length) === 0) found.push(this.#read(slot, requestId));
    }
    return found;
  }

  #read(slot: number, requestId: string): EndedTrail {
    const number = (at: number): number => this.#numbers[slot * numbers + at] ?? Number.NaN;
    const text = (at: number): string => this.#texts[slot * texts + at] ?? '';
    return {
      requestId,
      arrivedMs: number(0),
      queuedMs: number(1),
      startedMs: number(2),
      answeredMs: number(3),
      endedMs: number(4),
      retryAfterMs: number(5),
      band: number(6),
      loweredFrom: number(7),
      batchRows: number(8),
      attempts: number(9),
      identityMs: number(10),
      model: text(0),
      version: text(1),
      tenant: text(2),
      tier: text(3),
      reason: text(4),
      message: text(5),
      backend: text(6),
    };
  }
}

const texts = 7;
/** Clients choose what a request names, up to the size of a message: the ring would keep it thousands of times. */
const mostChars = 512;

/** A copy where it cuts: a slice of a string keeps the whole of it alive. */
function bounded(text: string): string {
  return text.length <= mostChars ? text : `${Buffer.from(text.slice(0, mostChars - 3)).toString()}...`;
}
