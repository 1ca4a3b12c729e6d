import type { Clock } from '@headrace/runtime';
import type { IdentitySource } from '../../domain/traffic.js';
import { ApiKeys } from './api-keys.js';
import { CertificateNames } from './certificate.js';
import { fileKeys } from './file-keys.js';
import { HeaderNames } from './header.js';
import { Identifier } from './identifier.js';
import type { Proof } from './identifier.js';
import type { IdentityIo } from './io.js';
import type { IdentityMeter } from './meter.js';
import type { KeySet, KeySetListener } from './key-set.js';
import { RemoteKeys } from './remote-keys.js';
import { Tokens } from './tokens.js';
import type { TrustedIssuer } from './tokens.js';
import type { JwtSource } from './verify-token.js';

export interface OpenIdentifierOptions {
  readonly sources: readonly IdentitySource[];
  readonly required: boolean;
  readonly clock: Clock;
  readonly io: IdentityIo;
  /** For people; never carries a credential. */
  readonly onProblem: (problem: string) => void;
  readonly meter?: IdentityMeter | undefined;
}

export interface OpenIdentifier {
  readonly identifier: Identifier;
  /** Of the key set that was not read well for the longest time, in milliseconds; 0: none is fetched. */
  oldestKeysMs(): number;
  close(): Promise<void>;
}

/** Reads the files that the sources name and begins to fetch the keys; resolves without waiting for an issuer's endpoint. */
export async function openIdentifier(options: OpenIdentifierOptions): Promise<OpenIdentifier> {
  const { sources, required, clock, io, onProblem, meter } = options;
  const closing: { close(): Promise<void> }[] = [];
  const keysOf = new Map<IdentitySource, ApiKeys>();
  const issuers: TrustedIssuer[] = [];
  const listener: KeySetListener = {
    onChange: () => tokens.forget(),
    onProblem,
    onRead: (outcome) => meter?.keySetRead(outcome),
  };
  const tokens = new Tokens(issuers, clock);
  for (const source of sources) {
    if (source.kind === 'apiKey') {
      const keys = await ApiKeys.watch(source.file, io, onProblem);
      keysOf.set(source, keys);
      closing.push(keys);
    } else if (source.kind === 'jwt') {
      const keys = await keySetOf(source, io, clock, listener);
      issuers.push({ source, keys });
      closing.push(keys);
    }
  }
  const bearerKeys = sources.flatMap((source) => (isBearer(source) ? (keysOf.get(source) ?? []) : []));
  const bearer: Proof = { kind: 'bearer', keys: bearerKeys, tokens: issuers.length === 0 ? undefined : tokens };
  const proofs = new Set(sources.flatMap((source) => proofOf(source, bearer, keysOf.get(source))));
  const headers = sources.flatMap((source) => (source.kind === 'header' ? new HeaderNames(source.header) : []));
  return {
    identifier: new Identifier([...proofs], headers, required, meter),
    oldestKeysMs: () => Math.max(0, ...issuers.map(({ keys }) => keys.ageMs() ?? 0)),
    close: async () => void (await Promise.all(closing.map((each) => each.close()))),
  };
}

/** All bearer credentials are one proof, at the place of the first source that takes them. */
function proofOf(source: IdentitySource, bearer: Proof, keys: ApiKeys | undefined): readonly Proof[] {
  if (source.kind === 'clientCertificate') return [{ kind: 'certificate', names: new CertificateNames(source) }];
  if (source.kind === 'jwt' || isBearer(source)) return [bearer];
  return source.kind === 'apiKey' && keys !== undefined ? [{ kind: 'key', header: source.header, keys }] : [];
}

function isBearer(source: IdentitySource): boolean {
  return source.kind === 'apiKey' && source.header === 'authorization';
}

async function keySetOf({ keys }: JwtSource, io: IdentityIo, clock: Clock, listener: KeySetListener): Promise<KeySet> {
  return keys.kind === 'file' ? fileKeys(keys.file, io, listener) : new RemoteKeys(keys.uri, io, clock, listener);
}
