import type { PeerCertificate } from 'node:tls';
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

export function isLoopback(host: string): boolean {
  const v4 = host.startsWith('::ffff:') ? host.slice('::ffff:'.length) : host;
  return v4 === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(v4);
}

/** Of a certificate that the TLS layer has verified; "uri:", "dns:" and "cn:" say where a name was found. */
export function identitiesOf(certificate: Pick<PeerCertificate, 'subject' | 'subjectaltname'> | undefined): readonly string[] {
  if (certificate === undefined) return [];
  const found: string[] = [];
  for (const { type, value } of parseAltNames(certificate.subjectaltname ?? '')) {
    if (type === 'URI') found.push(`uri:${value}`);
    else if (type === 'DNS') found.push(`dns:${value}`);
  }
  // Node's types say string; a subject with several common names gives an array.
  const names: unknown = (certificate.subject as { CN?: unknown } | undefined)?.CN;
  for (const name of Array.isArray(names) ? names : [names]) if (typeof name === 'string' && name !== '') found.push(`cn:${name}`);
  return found;
}

/**
 * `DNS:a.example, URI:spiffe://x, DNS:"quoted, \"name\""`: Node quotes as a JSON string what could be mistaken for a
 * separator (CVE-2021-44532). Splitting at commas alone would let a certificate smuggle in names.
 */
function parseAltNames(text: string): { type: string; value: string }[] {
  const names: { type: string; value: string }[] = [];
  const item = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;
  while (item.lastIndex < text.length) {
    const match = item.exec(text);
    // Not Node's own format: trust none of it.
    if (match === null) return [];
    const [, type = '', raw = ''] = match;
    names.push({ type, value: raw.startsWith('"') ? (JSON.parse(raw) as string) : raw });
  }
  return names;
}
