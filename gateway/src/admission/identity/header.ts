import type { Metadata } from '@headrace/wire';
import { RecentCache } from './recent-cache.js';
import { identified, rejected } from './verdict.js';
import type { Identified } from './verdict.js';

/** A few megabytes at most. */
const maxKnown = 20_000;

/** The tenant that a trusted header names. */
export class HeaderNames {
  readonly #header: string;
  readonly #known = new RecentCache<Identified>(maxKnown);

  constructor(header: string) {
    this.#header = header;
  }

  /**
   * Undefined: the header is not there. Several values are refused, also where a proxy joined them by commas (RFC 9110,
   * 5.3): the first may be the client's own, which the proxy meant to replace by its own.
   */
  identify(metadata: Metadata): Identified | undefined {
    const values = metadata.getAll(this.#header);
    if (values.length === 0) return undefined;
    const [name] = values;
    if (values.length > 1 || typeof name !== 'string') return rejected.badHeader;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const result = /^[\x20-\x2b\x2d-\x7e]+$/.test(name) ? identified(name, false) : undefined;
    if (result === undefined) return rejected.badHeader;
    this.#known.set(name, result);
    return result;
  }
}
