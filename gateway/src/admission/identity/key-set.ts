import { describeError } from '@headrace/runtime';
import type { Result } from '@headrace/runtime';
import { createLocalJWKSet } from 'jose';
import type { JWK, JWTVerifyGetKey } from 'jose';
import type { KeySetOutcome } from './meter.js';

/** An issuer's public keys, as they are known now. */
export interface KeySet {
  /** Undefined: none were ever read. */
  current(): JWTVerifyGetKey | undefined;
  /** A token names a key that is not there, or there are none: looks again where that makes sense. Never rejects. */
  refresh(): Promise<void>;
  /** Milliseconds since the keys were last read well, or since the first try; undefined: they are read when they change, and do not age. */
  ageMs(): number | undefined;
  close(): Promise<void>;
}

export interface KeySetListener {
  /** After each look. */
  onRead?(outcome: KeySetOutcome): void;
  /** Other keys than before: what was proven by the old ones is to be checked again. */
  onChange(): void;
  onProblem(problem: string): void;
}

/** Far above what issuers publish; a token without a key id is tried against few. */
const maxKeys = 100;
const asymmetric = new Set(['RSA', 'EC', 'OKP']);

/**
 * RFC 7517 text to the keys that may verify signatures. Symmetric keys are left out, so that no public text can ever
 * serve as a shared secret (the HS256 confusion), and so are private parts, which an issuer published by mistake.
 */
export function parseKeySet(text: string): Result<JWTVerifyGetKey, string> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return { ok: false, refusal: `expected a JWKS (RFC 7517): ${describeError(error)}` };
  }
  const listed = isRecord(document) ? document['keys'] : undefined;
  if (!Array.isArray(listed)) return { ok: false, refusal: 'expected a JWKS (RFC 7517), an object with a list "keys"' };
  if (listed.length > maxKeys) return { ok: false, refusal: `expected at most ${maxKeys} keys, got ${listed.length}` };
  const keys = listed.filter((key): key is JWK => isRecord(key) && asymmetric.has(String(key['kty']))).map(publicPart);
  if (keys.length === 0) return { ok: false, refusal: 'expected at least one RSA, EC or OKP key, got none' };
  try {
    return { ok: true, value: createLocalJWKSet({ keys }) };
  } catch (error) {
    return { ok: false, refusal: describeError(error) };
  }
}

function publicPart(key: JWK): JWK {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, oth: _oth, key_ops: _operations, ...rest } = key;
  return rest;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
