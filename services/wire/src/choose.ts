import type { Clock, Logger } from '@headrace/runtime';
import { grpcJsTransport } from './grpc-js/transport.js';
import { http2Transport } from './http2/transport.js';
import type { Transport } from './port.js';

/** The implementations of the port. */
export const wireNames = ['http2', 'grpc-js'] as const;
export type WireName = (typeof wireNames)[number];
export const defaultWire: WireName = 'http2';

/** The environment variable that chooses where no flag does. */
export const wireVariable = 'HEADRACE_WIRE';

/** Undefined for a name that is none. */
export function wireNamed(name: string): WireName | undefined {
  return wireNames.find((known) => known === name);
}

export function transportOf(name: WireName, clock: Clock, logger?: Logger): Transport {
  return name === 'http2' ? http2Transport(clock, logger) : grpcJsTransport(clock, logger);
}
