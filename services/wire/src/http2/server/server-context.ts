import type { Clock, Logger } from '@headrace/runtime';
import type { MethodHandler, WireStatus } from '../../port.js';
import { statusCode } from '@headrace/runtime';
import type { ReceiveBudget } from '../connection/receive-budget.js';

/** What all calls of one server share. */
export interface ServerContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly methods: ReadonlyMap<string, MethodHandler>;
  readonly maxMessageBytes: number;
  /** Replies to callers that take gzip are compressed. */
  readonly compress: boolean;
  readonly budget: ReceiveBudget;
}

/** The answer to a handler that threw: nothing of the exception leaves the process. */
export const handlerFailure: WireStatus = { code: statusCode.INTERNAL, message: 'internal error' };
