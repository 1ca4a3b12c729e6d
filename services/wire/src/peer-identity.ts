import type { PeerCertificate } from 'node:tls';

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
