import { refuse } from '@headrace/runtime';
import type { Result } from '@headrace/runtime';
import { tenantNameProblem } from '../../domain/tenant-name.js';
import { anonymous } from '../../domain/traffic.js';
import type { Caller } from '../../domain/traffic.js';

/** Who asks, or why it is not let in. */
export type Identified = Result<Caller>;

/**
 * Why a credential is not accepted, in words that help its owner and tell a guesser nothing: not which claim was wrong,
 * and never the credential. Made once, so that a flood of bad ones allocates nothing here.
 */
export const rejected = {
  expired: unauthenticated('the token has expired'),
  unknownKey: unauthenticated('the key is unknown'),
  badSignature: unauthenticated('the signature of the token does not hold'),
  notAccepted: unauthenticated('the token is not accepted'),
  ambiguous: unauthenticated('expected one credential, got several values of one metadata key'),
  badHeader: unauthenticated(
    'expected one tenant name of at most 256 printable characters without commas in the metadata key that names the tenant',
  ),
  badCertificate: unauthenticated(
    'the name in the client certificate cannot be a tenant: expected at most 256 characters, no control characters',
  ),
  noIdentity: unauthenticated('expected a credential or a name that the traffic policy knows, got none'),
} as const;

export const noKeys = unavailable('the keys that prove identities could not be read yet', 5000);
export const tooMany = unavailable('too many new tokens wait for their check', 100);

export const anonymousCaller: Identified = { ok: true, value: anonymous };

/** Undefined for a name that no tenant can have. */
export function identified(tenant: string, proven: boolean, tier?: string): Identified | undefined {
  return tenantNameProblem(tenant) === undefined ? { ok: true, value: { tenant, tier, proven } } : undefined;
}

function unauthenticated(message: string): Identified {
  return { ok: false, refusal: refuse('UNAUTHENTICATED', message) };
}

function unavailable(message: string, retryAfterMs: number): Identified {
  return { ok: false, refusal: refuse('IDENTITY_UNAVAILABLE', message, { retryAfterMs }) };
}
