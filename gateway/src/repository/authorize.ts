import { refuse } from '@headrace/runtime';
import type { Refusal } from '@headrace/runtime';
import type { Peer } from '@headrace/wire';

/** Loading and unloading changes what everyone is served, and who uses how much is not for everyone: only from this machine, or by a proven admin identity. */
export function authorizeControl(peer: Peer, adminIdentities: readonly string[]): Refusal | undefined {
  if (peer.loopback || peer.identities.some((identity) => adminIdentities.includes(identity))) return undefined;
  const who = peer.identities.length === 0 ? 'no verified client certificate' : peer.identities.join(', ');
  return refuse(
    'PERMISSION_DENIED',
    `load, unload, limits and explain are allowed from loopback or for an identity given with --admin-identity; this call has ${who}`,
  );
}
