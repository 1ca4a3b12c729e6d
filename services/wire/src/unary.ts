import type { Logger } from '@headrace/runtime';
import { HeadraceError, silentLogger } from '@headrace/runtime';
import type { MethodHandler, UnaryCall } from './port.js';
import { refusalToStatus } from './status.js';

/**
 * A unary method as an async function, for the rare ones. The message is copied beforehand, so that it may be used after
 * an await. What it throws becomes the call's status through HeadraceError.from.
 */
export function unary(
  path: string,
  handle: (message: Buffer, call: UnaryCall) => Promise<Buffer>,
  logger: Logger = silentLogger,
): MethodHandler {
  return {
    kind: 'unary',
    path,
    handle: (borrowed, call) => {
      handle(Buffer.from(borrowed), call).then(
        (reply) => call.reply(reply),
        (thrown: unknown) => {
          const error = HeadraceError.from(thrown);
          if (error.refusal.reason === 'INTERNAL') logger.error({ path, error: error.cause ?? error }, 'method failed');
          call.fail(refusalToStatus(error.refusal));
        },
      );
    },
  };
}
