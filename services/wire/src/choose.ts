import type { Clock, Logger } from '@headrace/runtime';
import { HeadraceError } from '@headrace/runtime';
import { grpcJsTransport } from './grpc-js/transport.js';
import { http2Transport } from './http2/transport.js';
import type { Transport } from './port.js';

/** The implementations of the port, the default first. */
export const wireNames = ['http2', 'grpc-js'] as const;
export type WireName = (typeof wireNames)[number];

/** The environment variable that chooses where no flag does. */
export const wireVariable = 'HEADRACE_WIRE';

/** From a flag, else from the environment; `http2` where neither says. Throws HeadraceError INVALID_PARAMETER. */
export function wireNameOf(flag: string | undefined, environment: Readonly<Record<string, string | undefined>> = {}): WireName {
  const given = flag ?? environment[wireVariable];
  if (given === undefined || given === '') return 'http2';
  const name = wireNames.find((known) => known === given);
  if (name !== undefined) return name;
  const source = flag === undefined ? wireVariable : 'wire';
  throw HeadraceError.of('INVALID_PARAMETER', `${source}: expected one of ${wireNames.join(', ')}, got ${JSON.stringify(given)}`);
}

export function transportOf(name: WireName, clock: Clock, logger?: Logger): Transport {
  return name === 'http2' ? http2Transport(clock, logger) : grpcJsTransport(clock, logger);
}
