import { decodeJwt, decodeProtectedHeader } from 'jose';
import { rejected } from './verdict.js';
import type { Identified } from './verdict.js';
import { algorithms, skewMs } from './verify-token.js';

/** Issuers stay far below; what is larger is not even decoded. */
const maxTokenLength = 8192;

/** Three parts of base64url, the third not empty (RFC 7515, 7.1). */
const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * What a token says of itself before anything is proven: refuses what no signature could save, so that it costs no
 * cryptography; else its issuer, to choose the keys by.
 */
export function readToken(token: string, wallMs: number): { readonly issuer: string } | { readonly rejected: Identified } {
  if (token.length > maxTokenLength || !compact.test(token)) return { rejected: rejected.notAccepted };
  try {
    const { alg } = decodeProtectedHeader(token);
    const { iss, exp } = decodeJwt(token);
    if (alg === undefined || !algorithms.includes(alg) || typeof iss !== 'string' || typeof exp !== 'number') {
      return { rejected: rejected.notAccepted };
    }
    return exp * 1000 + skewMs <= wallMs ? { rejected: rejected.expired } : { issuer: iss };
  } catch {
    // Not base64url of JSON: whatever it is, it is no token.
    return { rejected: rejected.notAccepted };
  }
}
