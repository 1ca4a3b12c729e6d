import { systemClock } from '@headrace/runtime';
import { grpcJsTransport, http2Transport } from '@headrace/wire';
import { wireBehaviourSuite } from '@headrace/wire/testing';

/** The port's behaviour with one implementation on each side of the wire. */
wireBehaviourSuite('grpc-js client, http2 server', () => ({
  createServer: (options) => http2Transport(systemClock).createServer(options),
  openChannel: (address, options) => grpcJsTransport(systemClock).openChannel(address, options),
}));

wireBehaviourSuite('http2 client, grpc-js server', () => ({
  createServer: (options) => grpcJsTransport(systemClock).createServer(options),
  openChannel: (address, options) => http2Transport(systemClock).openChannel(address, options),
}));
