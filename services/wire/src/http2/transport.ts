import type { Clock, Logger } from '@headrace/runtime';
import { silentLogger } from '@headrace/runtime';
import type { Transport } from '../port.js';
import { Http2Channel } from './client/channel.js';
import { ReceiveBudget } from './connection/receive-budget.js';
import { Http2Server } from './server/server.js';

/** Over all connections of the transport, both roles. */
const defaultReceiveBytes = 1024 * 1024 * 1024;

export interface Http2TransportOptions {
  /** Messages that are put together or held for handlers, over all connections. Default 1 GiB. */
  readonly maxReceiveBytes?: number;
}

/** The port on our own HTTP/2 (RFC 9113) and HPACK (RFC 7541) over node:net and node:tls. */
export function http2Transport(clock: Clock, logger: Logger = silentLogger, options: Http2TransportOptions = {}): Transport {
  const budget = new ReceiveBudget(options.maxReceiveBytes ?? defaultReceiveBytes);
  return {
    createServer: (serverOptions) => new Http2Server(serverOptions, clock, logger, budget),
    openChannel: (address, channelOptions) => new Http2Channel(address, channelOptions, clock, logger, budget),
  };
}
