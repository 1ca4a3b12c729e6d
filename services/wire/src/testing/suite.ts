import { afterEach, beforeEach, describe } from 'vitest';
import type { Transport } from '../port.js';
import { connectionCases } from './suite/connections.js';
import { drainCases } from './suite/drains.js';
import { Harness } from './suite/harness.js';
import { lifetimeCases } from './suite/lifetimes.js';
import { limitCases } from './suite/limits.js';
import { streamCases } from './suite/streams.js';
import { tlsCases } from './suite/tls.js';
import { unaryCases } from './suite/unary.js';

/** What every implementation of the port must do; to be called at the top of a test file. The transport's clock must be the system's. */
export function wireBehaviourSuite(name: string, makeTransport: () => Transport): void {
  // Real sockets on a machine that may be busy: the limit only ends what hangs.
  describe(`the wire on ${name}`, { timeout: 30_000 }, () => {
    let harness: Harness;
    beforeEach(() => {
      harness = new Harness(makeTransport());
    });
    afterEach(async () => harness.close());
    describe('unary calls', () => {
      unaryCases(() => harness);
    });
    describe('streams', () => {
      streamCases(() => harness);
    });
    describe('limits', () => {
      limitCases(() => harness);
    });
    describe('connections', () => {
      connectionCases(() => harness);
    });
    describe('lifetimes of connections', () => {
      lifetimeCases(() => harness);
    });
    describe('drains', () => {
      drainCases(() => harness);
    });
    tlsCases(() => harness);
  });
}
