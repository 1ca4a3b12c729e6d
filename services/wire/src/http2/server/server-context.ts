import type { Clock, Logger } from '@headrace/runtime';
import type { MethodHandler, WireStatus } from '../../port.js';
import { statusCode } from '@headrace/runtime';
import type { HeldBudget } from '../connection/held-budget.js';
import type { ReceiveBudget } from '../connection/receive-budget.js';

/** Of the transport: over all of its servers. */
export interface ServerBudgets {
  /** For requests. */
  readonly budget: ReceiveBudget;
  /** For replies, and header lists of requests. */
  readonly held: HeldBudget;
}

/** What all calls of one server share. */
export interface ServerContext extends ServerBudgets {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly methods: ReadonlyMap<string, MethodHandler>;
  readonly maxMessageBytes: number;
  /** Replies to callers that take gzip are compressed. */
  readonly compress: boolean;
}

/** The answer to a handler that threw: nothing of the exception leaves the process. */
export const handlerFailure: WireStatus = { code: statusCode.INTERNAL, message: 'internal error' };
