import type { Report } from './report.js';
import type { TrafficSpec } from './resolve-traffic.js';

type Identity = NonNullable<TrafficSpec['identity']>[number];

const kinds = ['clientCertificate', 'jwt', 'apiKeys', 'header'] as const;

/** One entry of `identity`: one kind of proof, and the word of trust where there is none. */
export function checkIdentity(source: Identity, path: string, report: Report): void {
  const given = kinds.filter((kind) => source[kind] !== undefined);
  if (given.length !== 1) {
    report(path, `expected exactly one of ${kinds.join(', ')}, got ${given.join(' and ') || 'none'}`);
  }
  if (source.header !== undefined && source.trustHeader !== true) {
    report(
      `${path}.trustHeader`,
      'a header proves nothing: every client can write another tenant into it. Say trustHeader: true where a proxy in front sets the header and drops what clients sent; use clientCertificate, jwt or apiKeys elsewhere',
    );
  }
  if (source.header === undefined && source.trustHeader !== undefined) report(`${path}.trustHeader`, 'belongs to header, which is missing');
  for (const header of [source.header, source.apiKeys?.header]) {
    if (header?.endsWith('-bin') === true) {
      report(
        `${path}.${source.header === undefined ? 'apiKeys.header' : 'header'}`,
        'metadata keys that end in -bin carry bytes; expected one that carries text',
      );
    }
  }
  if (source.header === 'authorization') report(`${path}.header`, 'authorization carries credentials, not names; use jwt or apiKeys');
  if (source.jwt !== undefined) checkJwt(source.jwt, `${path}.jwt`, report);
}

function checkJwt(jwt: NonNullable<Identity['jwt']>, path: string, report: Report): void {
  const { jwksUri, jwksFile } = jwt;
  if (jwksUri === undefined && jwksFile === undefined) {
    report(path, "expected one of jwksUri and jwksFile: without the issuer's public keys no token can be checked");
  }
  if (jwksUri !== undefined && jwksFile !== undefined) report(`${path}.jwksFile`, 'expected one of jwksUri and jwksFile, got both');
  const problem = jwksUri === undefined ? undefined : uriProblem(jwksUri);
  if (problem !== undefined) report(`${path}.jwksUri`, problem);
}

/** Whoever can change the keys on their way can sign as anybody: hence https, but for loopback. */
function uriProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return `expected an https URL, got ${JSON.stringify(text)}`;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return 'expected a URL without user name and password';
  if (protocol === 'https:') return undefined;
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  if (protocol === 'http:' && loopback) return undefined;
  return `expected https (http on loopback alone, as keys changed on their way would let anybody in), got ${JSON.stringify(text)}`;
}
