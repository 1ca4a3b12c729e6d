import type { PeerCertificate } from 'node:tls';
import { identitiesOf, isLoopback } from '../peer-identity.js';
import type { Peer } from '../port.js';

interface PeerSource {
  getPeer(): string;
  getAuthContext(): { readonly sslPeerCertificate?: PeerCertificate };
}

/** Parsing a certificate costs some 100 us, and few stages ask: identities are worked out on first use. */
export class GrpcJsPeer implements Peer {
  readonly address: string;
  readonly loopback: boolean;
  readonly secure: boolean;
  readonly #source: PeerSource;
  #identities: readonly string[] | undefined;

  constructor(source: PeerSource, secure: boolean) {
    const { host, address } = splitAddress(source.getPeer());
    this.address = address;
    this.loopback = isLoopback(host);
    this.secure = secure;
    this.#source = source;
  }

  get identities(): readonly string[] {
    this.#identities ??= this.secure ? identitiesOf(this.#source.getAuthContext().sslPeerCertificate) : [];
    return this.#identities;
  }
}

/** grpc-js joins host and port with a colon and leaves IPv6 bare: "::1:5000" becomes "[::1]:5000". */
function splitAddress(raw: string): { host: string; address: string } {
  const colon = raw.lastIndexOf(':');
  const host = raw.slice(0, Math.max(colon, 0));
  return { host, address: host.includes(':') ? `[${host}]:${raw.slice(colon + 1)}` : raw };
}
