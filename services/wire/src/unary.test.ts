import { HeadraceError, statusCode, systemClock } from '@headrace/runtime';
import type { LogFields, Logger } from '@headrace/runtime';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { grpcJsTransport } from './grpc-js/transport.js';
import { statusToRefusal } from './status.js';
import { poisoningTransport } from './testing/poisoning.js';
import { Harness, call } from './testing/suite/harness.js';
import { unary } from './unary.js';

// Real sockets on a machine that may be busy: the limit only ends what hangs.
vi.setConfig({ testTimeout: 30_000 });

let harness: Harness;
beforeEach(() => {
  harness = new Harness(poisoningTransport(grpcJsTransport(systemClock)));
});
afterEach(async () => harness.close());

function recordingLogger() {
  const lines: [LogFields, string][] = [];
  const write = (fields: LogFields, message: string): void => void lines.push([fields, message]);
  const logger: Logger = { debug: write, info: write, warn: write, error: write, isLevelEnabled: () => true, child: () => logger };
  return { logger, lines };
}

it('may use its message after an await', async () => {
  const later = unary('/test.Unary/Later', async (message) => {
    await new Promise((resolve) => setImmediate(resolve));
    return Buffer.from(message.toString().toUpperCase());
  });
  const { channel } = await harness.pair([later]);
  expect(await call(channel, later.path, 'abc')).toMatchObject({ ok: true, message: Buffer.from('ABC') });
});

it('sends a thrown refusal with its details', async () => {
  const { logger, lines } = recordingLogger();
  const refusing = unary(
    '/test.Unary/Refuse',
    async () => {
      throw HeadraceError.of('MODEL_NOT_FOUND', 'no model "x"');
    },
    logger,
  );
  const { channel } = await harness.pair([refusing]);
  const outcome = await call(channel, refusing.path);
  if (outcome.ok) throw new Error('expected a failure');
  expect(statusToRefusal(outcome.status)).toEqual({ reason: 'MODEL_NOT_FOUND', code: statusCode.NOT_FOUND, message: 'no model "x"' });
  expect(lines).toEqual([]);
});

it('hides and logs any other exception', async () => {
  const { logger, lines } = recordingLogger();
  const cause = new Error('secret path');
  const failing = unary(
    '/test.Unary/Fail',
    async () => {
      throw cause;
    },
    logger,
  );
  const { channel } = await harness.pair([failing]);
  expect(await call(channel, failing.path)).toMatchObject({ ok: false, status: { code: statusCode.INTERNAL, message: 'internal error' } });
  expect(lines).toEqual([[{ path: failing.path, error: cause }, 'method failed']]);
});
