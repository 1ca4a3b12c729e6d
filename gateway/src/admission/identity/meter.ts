import type { Identified } from './verdict.js';

export const credentialKinds = ['certificate', 'token', 'key', 'header'] as const;
export type CredentialKind = (typeof credentialKinds)[number];

/** Unavailable: what would prove it could not be read, or too many wait for their check. */
export const credentialOutcomes = ['accepted', 'rejected', 'unavailable'] as const;
export type CredentialOutcome = (typeof credentialOutcomes)[number];

/** Failed: the keys before stay. */
export const keySetOutcomes = ['changed', 'unchanged', 'failed'] as const;
export type KeySetOutcome = (typeof keySetOutcomes)[number];

/** What identity tells of itself; declared here, implemented at the rim. Called for each request: must be cheap. */
export interface IdentityMeter {
  checked(kind: CredentialKind, outcome: CredentialOutcome): void;
  keySetRead(outcome: KeySetOutcome): void;
}

export const noMeter: IdentityMeter = { checked: () => undefined, keySetRead: () => undefined };

export function outcomeOf(verdict: Identified): CredentialOutcome {
  if (verdict.ok) return 'accepted';
  return verdict.refusal.reason === 'UNAUTHENTICATED' ? 'rejected' : 'unavailable';
}
