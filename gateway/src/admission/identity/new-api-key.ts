import { randomBytes } from 'node:crypto';
import { digestOf } from './credential-digest.js';

export interface NewApiKey {
  /** For who calls; known nowhere else. */
  readonly key: string;
  /** For the policy's file of keys. */
  readonly sha256: string;
}

const randomness = 32;

/** A key of 256 random bits: too many to try, so that a plain SHA-256 of it is safe to keep (ApiKeys). "hr_" lets scanners for leaked secrets find it; base64url has no dots, by which a token is told from a key. */
export function newApiKey(): NewApiKey {
  const key = `hr_${randomBytes(randomness).toString('base64url')}`;
  return { key, sha256: digestOf(key) };
}
