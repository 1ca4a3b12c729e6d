import type { Metadata, Peer } from '@headrace/wire';
import type { ApiKeys } from './api-keys.js';
import type { CertificateNames } from './certificate.js';
import { digestOf } from './credential-digest.js';
import type { HeaderNames } from './header.js';
import { noMeter, outcomeOf } from './meter.js';
import type { CredentialKind, IdentityMeter } from './meter.js';
import type { Tokens } from './tokens.js';
import { anonymousCaller, noKeys, rejected } from './verdict.js';
import type { Identified } from './verdict.js';

/** A place to look for proof, in the policy's order. */
export type Proof =
  | { readonly kind: 'certificate'; readonly names: CertificateNames }
  /** Tokens and keys that come as "authorization: Bearer". */
  | { readonly kind: 'bearer'; readonly keys: readonly ApiKeys[]; readonly tokens: Tokens | undefined }
  | { readonly kind: 'key'; readonly header: string; readonly keys: ApiKeys };

/**
 * Who calls. Proofs first, in their order; headers, which prove nothing, only for a call that carries no proof. A
 * credential that does not hold is refused rather than passed over: its sender means to be somebody.
 */
export class Identifier {
  readonly #proofs: readonly Proof[];
  readonly #headers: readonly HeaderNames[];
  readonly #required: boolean;
  readonly #meter: IdentityMeter;

  constructor(proofs: readonly Proof[], headers: readonly HeaderNames[], required: boolean, meter: IdentityMeter = noMeter) {
    this.#proofs = proofs;
    this.#headers = headers;
    this.#required = required;
    this.#meter = meter;
  }

  /** At once whenever nothing has to be checked for the first time. */
  identify(metadata: Metadata, peer: Peer): Identified | Promise<Identified> {
    for (const proof of this.#proofs) {
      const found = prove(proof, metadata, peer, this.#meter);
      if (found !== undefined) return found;
    }
    for (const header of this.#headers) {
      const found = header.identify(metadata);
      if (found !== undefined) return counted(this.#meter, 'header', found);
    }
    return this.#required ? rejected.noIdentity : anonymousCaller;
  }
}

function prove(proof: Proof, metadata: Metadata, peer: Peer, meter: IdentityMeter): Identified | Promise<Identified> | undefined {
  switch (proof.kind) {
    case 'certificate': {
      const found = proof.names.identify(peer);
      return found === undefined ? undefined : counted(meter, 'certificate', found);
    }
    case 'bearer':
      return proveBearer(proof, metadata, peer, meter);
    case 'key': {
      const values = metadata.getAll(proof.header);
      if (values.length === 0) return undefined;
      const [key] = values;
      if (values.length > 1 || typeof key !== 'string') return counted(meter, 'key', rejected.ambiguous);
      return counted(meter, 'key', proof.keys.find(digestOf(key)) ?? unknownKey([proof.keys]));
    }
  }
}

const scheme = /^bearer +/i;

function proveBearer(
  { keys, tokens }: Extract<Proof, { kind: 'bearer' }>,
  metadata: Metadata,
  peer: Peer,
  meter: IdentityMeter,
): Identified | Promise<Identified> | undefined {
  // What cannot be told apart counts as what the policy takes first.
  const either = keys.length === 0 ? 'token' : 'key';
  const values = metadata.getAll('authorization');
  if (values.length === 0) return undefined;
  const [value] = values;
  if (values.length > 1 || typeof value !== 'string') return counted(meter, either, rejected.ambiguous);
  const again = tokens?.again(value, peer);
  if (again !== undefined) return counted(meter, 'token', again);
  // Another scheme is no credential of ours; what it is for is not known here.
  const found = scheme.exec(value);
  if (found === null) return /^bearer$/i.test(value) ? counted(meter, either, rejected.notAccepted) : undefined;
  const credential = value.slice(found[0].length);
  const digest = digestOf(credential);
  for (const book of keys) {
    const known = book.find(digest);
    if (known !== undefined) return counted(meter, 'key', known);
  }
  // A key has no dots of its own by any rule, but one that looks like a token and is no key may only be a token.
  if (tokens !== undefined && (keys.length === 0 || credential.includes('.'))) {
    const verdict = tokens.identify(credential, value, digest, peer);
    if (!(verdict instanceof Promise)) return counted(meter, 'token', verdict);
    // Handed on as it is: all who ask for one check wait for one promise.
    verdict.then(
      (result) => void counted(meter, 'token', result),
      () => undefined,
    );
    return verdict;
  }
  return counted(meter, 'key', unknownKey(keys));
}

function counted(meter: IdentityMeter, kind: CredentialKind, verdict: Identified): Identified {
  meter.checked(kind, outcomeOf(verdict));
  return verdict;
}

function unknownKey(keys: readonly ApiKeys[]): Identified {
  return keys.every((book) => book.readable) ? rejected.unknownKey : noKeys;
}
