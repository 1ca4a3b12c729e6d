import type { Peer } from '@headrace/wire';
import type { IdentitySource } from '../../domain/traffic.js';
import { identified, rejected } from './verdict.js';
import type { Identified } from './verdict.js';

type CertificateSource = Extract<IdentitySource, { kind: 'clientCertificate' }>;

const prefixes = { uri: 'uri:', dns: 'dns:', commonName: 'cn:' } as const;

/** The tenant of a verified client certificate, worked out once per connection. */
export class CertificateNames {
  readonly #prefix: string;
  readonly #known = new WeakMap<Peer, { readonly result: Identified | undefined }>();

  constructor(source: CertificateSource) {
    this.#prefix = prefixes[source.from];
  }

  /** Undefined: no certificate, or none with such a name. */
  identify(peer: Peer): Identified | undefined {
    let known = this.#known.get(peer);
    if (known === undefined) {
      known = { result: this.#read(peer) };
      this.#known.set(peer, known);
    }
    return known.result;
  }

  #read(peer: Peer): Identified | undefined {
    const name = peer.identities.find((identity) => identity.startsWith(this.#prefix));
    if (name === undefined) return undefined;
    return identified(name.slice(this.#prefix.length), true) ?? rejected.badCertificate;
  }
}
