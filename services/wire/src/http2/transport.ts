import type { Clock, Logger } from '@headrace/runtime';
import { silentLogger } from '@headrace/runtime';
import type { Transport } from '../port.js';
import { Http2Channel } from './client/channel.js';
import { HeldBudget } from './connection/held-budget.js';
import { ReceiveBudget } from './connection/receive-budget.js';
import { flushAll } from './frames/output.js';
import { Http2Server } from './server/server.js';

/** Over all connections of the transport, both roles. */
const defaultReceiveBytes = 1024 * 1024 * 1024;
const defaultHeldBytes = 1024 * 1024 * 1024;

export interface Http2TransportOptions {
  /** Messages that are put together or held for handlers, over all connections. Default 1 GiB. */
  readonly maxReceiveBytes?: number;
  /** Replies that clients do not read and header lists of running calls, over all servers of the transport: see HeldBudget. Default 1 GiB. */
  readonly maxHeldBytes?: number;
}

/** The port on our own HTTP/2 (RFC 9113) and HPACK (RFC 7541) over node:net and node:tls. */
export function http2Transport(clock: Clock, logger: Logger = silentLogger, options: Http2TransportOptions = {}): Transport {
  for (const name of ['maxReceiveBytes', 'maxHeldBytes'] as const) {
    const bytes = options[name];
    if (bytes !== undefined && !(bytes >= 1)) throw new RangeError(`${name}: expected a number of at least 1, got ${bytes}`);
  }
  const budget = new ReceiveBudget(options.maxReceiveBytes ?? defaultReceiveBytes);
  const held = new HeldBudget(options.maxHeldBytes ?? defaultHeldBytes);
  return {
    createServer: (serverOptions) => new Http2Server(serverOptions, clock, logger, { budget, held }),
    openChannel: (address, channelOptions) => new Http2Channel(address, channelOptions, clock, logger, budget),
    flush: flushAll,
  };
}
