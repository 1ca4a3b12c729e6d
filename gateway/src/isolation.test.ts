import { systemClock } from '@headrace/runtime';
import { poisoningTransport } from '@headrace/wire/testing';
import { testTransport } from '@headrace/wire/testing/transport';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalGateway } from './testing/local-gateway.js';
import type { LocalGateway } from './testing/local-gateway.js';
import { buildRequest, readReply } from './testing/requests.js';
import { startStandInBackend } from './testing/stand-in-backend.js';
import type { StandInBackend } from './testing/stand-in-backend.js';

/**
 * No reply reaches a wrong caller and no rows mix, whatever is merged, split, retried and cancelled, with every borrowed
 * message overwritten as soon as its listener has returned.
 */
describe('isolation of callers', () => {
  const transport = poisoningTransport(testTransport(systemClock));
  let backends: StandInBackend[];
  let local: LocalGateway;
  let nonce = 1n;

  beforeAll(async () => {
    const models = [
      { name: 'm', maxBatchRows: 8, overheadMs: 6, perRowMs: 0.2 },
      { name: 'lone', maxBatchRows: 0, overheadMs: 1 },
    ];
    backends = [await startStandInBackend({ models, transport }), await startStandInBackend({ models, transport })];
    const specs = backends.map(({ address }, i) => ({ name: `b${i}`, address }));
    local = await startLocalGateway({ backends: specs, routing: { slowStartMs: 0 } }, { transport });
    while (local.gateway.readyModels().length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  });
  afterAll(async () => {
    await local.close();
    for (const backend of backends) await backend.kill();
  });

  const request = fc.record({
    rows: fc.integer({ min: 1, max: 5 }),
    model: fc.constantFrom('m', 'm', 'm', 'lone'),
    cancel: fc.option(fc.integer({ min: 0, max: 12 }), { freq: 3 }),
    priority: fc.constantFrom(0n, 0n, 0n, 1n, 2n, 4n),
  });

  it('holds for any mix of row counts, priorities and cancels', { timeout: 60_000 }, async () => {
    let merged = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 10, maxLength: 60 }), async (requests) => {
        await Promise.all(
          requests.map(async ({ rows, model, cancel, priority }) => {
            const values = Array.from({ length: rows }, () => nonce++);
            const id = `id-${values[0]}`;
            const message = buildRequest({ model, id, values, parameters: { priority } });
            await new Promise<void>((resolve, reject) => {
              let cancelled = false;
              const call = local.channel.unary('/inference.GRPCInferenceService/ModelInfer', message, {}, (outcome) => {
                try {
                  const told = outcome.ok ? readReply(outcome.message) : [cancelled, outcome.status.code];
                  expect(told).toEqual(outcome.ok ? { id, version: '1', values } : [true, 1]);
                  resolve();
                } catch (error) {
                  reject(error instanceof Error ? error : new Error(String(error)));
                }
              });
              if (cancel !== null) {
                setTimeout(() => {
                  cancelled = true;
                  call.cancel();
                }, cancel);
              }
            });
          }),
        );
      }),
      { numRuns: 40 },
    );
    for (const { engine } of backends) merged += engine.runs.filter(({ bytes }) => !bytes.includes('id-')).length;
    // The property would hold trivially if nothing were ever merged.
    expect(merged).toBeGreaterThan(20);
  });
});
