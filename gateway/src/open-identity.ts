import type { Clock, Logger } from '@headrace/runtime';
import { Identity } from './admission/identity/identity.js';
import type { CredentialKind, CredentialOutcome, IdentityMeter } from './admission/identity/meter.js';
import { credentialKinds, credentialOutcomes } from './admission/identity/meter.js';
import type { GatewayMetrics } from './metrics.js';
import { identityIo } from './sources/identity-io.js';

type IdentityMetrics = Pick<GatewayMetrics, 'credentialChecks' | 'keySetReads'>;

/** Says who calls, by the files and endpoints that the policy in force names. */
export function openIdentity(clock: Clock, logger: Logger, metrics: IdentityMetrics): Identity {
  return new Identity({
    clock,
    io: identityIo(clock),
    meter: meterOf(metrics),
    onProblem: (problem) => logger.error({ problem }, 'identities: a source cannot be read; what it said before stays in use'),
  });
}

/** Each series is looked up once: a request only adds to it. */
export function meterOf({ credentialChecks, keySetReads }: IdentityMetrics): IdentityMeter {
  const counters = new Map<CredentialKind, Map<CredentialOutcome, () => void>>(
    credentialKinds.map((kind) => [
      kind,
      new Map(credentialOutcomes.map((outcome) => [outcome, credentialChecks.bound({ kind, outcome })])),
    ]),
  );
  return {
    checked: (kind, outcome) => counters.get(kind)?.get(outcome)?.(),
    keySetRead: (outcome) => keySetReads.inc({ outcome }),
  };
}
