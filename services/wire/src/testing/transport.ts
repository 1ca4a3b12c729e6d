import type { Clock, Logger } from '@headrace/runtime';
import { defaultWire, transportOf, wireNamed, wireVariable } from '../choose.js';
import type { Transport } from '../port.js';

/** What tests stand on: the default, or what HEADRACE_WIRE names, so that all of them can be run on either. */
export function testTransport(clock: Clock, logger?: Logger): Transport {
  const name = process.env[wireVariable] ?? defaultWire;
  const wire = wireNamed(name);
  if (wire === undefined) throw new Error(`${wireVariable}: ${JSON.stringify(name)} is no transport`);
  return transportOf(wire, clock, logger);
}
