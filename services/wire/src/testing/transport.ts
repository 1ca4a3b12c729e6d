import type { Clock, Logger } from '@headrace/runtime';
import { transportOf, wireNameOf } from '../choose.js';
import type { Transport } from '../port.js';

/** What tests stand on: the default, or what HEADRACE_WIRE names, so that all of them can be run on either. */
export function testTransport(clock: Clock, logger?: Logger): Transport {
  return transportOf(wireNameOf(undefined, process.env), clock, logger);
}
