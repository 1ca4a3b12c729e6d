import type { Clock, Logger } from '@headrace/runtime';
import { silentLogger } from '@headrace/runtime';
import type { Transport } from '../port.js';
import { GrpcJsChannel } from './channel.js';
import { GrpcJsServer } from './server.js';

/**
 * The port on @grpc/grpc-js with raw Buffers. `clock` must tell real time: grpc-js has timers of its own, and deadlines
 * are moved between its wall clock and the clock's monotonic scale.
 */
export function grpcJsTransport(clock: Clock, logger: Logger = silentLogger): Transport {
  return {
    createServer: (options) => new GrpcJsServer(options, clock, logger),
    openChannel: (address, options) => new GrpcJsChannel(address, options, clock, logger),
  };
}
