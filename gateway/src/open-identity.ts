import type { Clock, Logger } from '@headrace/runtime';
import { Identity } from './admission/identity/identity.js';
import { identityIo } from './sources/identity-io.js';

/** Says who calls, by the files and endpoints that the policy in force names. */
export function openIdentity(clock: Clock, logger: Logger): Identity {
  return new Identity({
    clock,
    io: identityIo(clock),
    onProblem: (problem) => logger.error({ problem }, 'identities: a source cannot be read; what it said before stays in use'),
  });
}
