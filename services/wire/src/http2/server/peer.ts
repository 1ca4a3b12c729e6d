import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Peer } from '../../port.js';
import { identitiesOf, isLoopback } from '../../peer-identity.js';

/** One for each connection. Parsing a certificate costs some 100 us, and few stages ask: identities are worked out on first use. */
export class ConnectionPeer implements Peer {
  readonly address: string;
  readonly loopback: boolean;
  readonly secure: boolean;
  readonly #socket: Socket;
  #identities: readonly string[] | undefined;

  constructor(socket: Socket) {
    const host = socket.remoteAddress ?? '';
    this.address = host.includes(':') ? `[${host}]:${socket.remotePort ?? 0}` : `${host}:${socket.remotePort ?? 0}`;
    this.loopback = isLoopback(host);
    this.secure = socket instanceof TLSSocket;
    this.#socket = socket;
  }

  get identities(): readonly string[] {
    const socket = this.#socket;
    // Only what TLS has verified: an unasked-for certificate proves nothing.
    this.#identities ??= socket instanceof TLSSocket && socket.authorized ? identitiesOf(socket.getPeerCertificate()) : [];
    return this.#identities;
  }
}
