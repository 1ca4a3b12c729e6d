import grpc from '@grpc/grpc-js';
import type { Clock, Logger } from '@headrace/runtime';
import { silentLogger } from '@headrace/runtime';
import type { Transport } from '../port.js';
import { GrpcJsChannel } from './channel.js';
import { GrpcJsServer } from './server.js';

const maxLogCharacters = 500;

/**
 * The port on @grpc/grpc-js with raw Buffers. `clock` must tell real time: grpc-js has timers of its own, and deadlines
 * are moved between its wall clock and the clock's monotonic scale.
 */
export function grpcJsTransport(clock: Clock, logger: Logger = silentLogger): Transport {
  // grpc-js has one logger a process and by default prints to the console what peers send it, e.g. a header that is no
  // base64: of use when something is looked for, and else a way for others to fill our logs.
  const note = (...words: unknown[]): void => logger.debug({ text: words.join(' ').slice(0, maxLogCharacters) }, 'grpc-js');
  grpc.setLogger({ error: note, info: note, debug: note });
  return {
    createServer: (options) => new GrpcJsServer(options, clock, logger),
    openChannel: (address, options) => new GrpcJsChannel(address, options, clock, logger),
  };
}
