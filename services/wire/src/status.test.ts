import { refusalStatus, refuse, statusCode } from '@headrace/runtime';
import type { Refusal, RefusalReason } from '@headrace/runtime';
import { metadataKey, rpcDetails } from '@headrace/proto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Metadata } from './metadata.js';
import { refusalToStatus, statusToRefusal } from './status.js';

const reasons = Object.keys(refusalStatus) as RefusalReason[];

describe('refusalToStatus', () => {
  it('sends the code, the message, the reason and the domain', () => {
    const status = refusalToStatus(refuse('MODEL_NOT_FOUND', 'no model "x"'));
    expect([status.code, status.message]).toEqual([statusCode.NOT_FOUND, 'no model "x"']);
    const details = rpcDetails.decodeStatusDetails(status.trailers?.getBinary(metadataKey.statusDetails) ?? Buffer.alloc(0));
    expect(details).toMatchObject({
      code: statusCode.NOT_FOUND,
      message: 'no model "x"',
      details: [{ type: 'ErrorInfo', value: { reason: 'MODEL_NOT_FOUND', domain: 'headrace.dev' } }],
    });
    expect(status.trailers?.get(metadataKey.retryPushbackMs)).toBeUndefined();
  });

  it('names the field of a bad request', () => {
    const status = refusalToStatus(refuse('INVALID_TENSOR', 'expected FP32, got INT8', { field: 'inputs[0].datatype' }));
    const { details } = rpcDetails.decodeStatusDetails(status.trailers?.getBinary(metadataKey.statusDetails) ?? Buffer.alloc(0));
    expect(details[1]).toMatchObject({
      type: 'BadRequest',
      value: { field_violations: [{ field: 'inputs[0].datatype', description: 'expected FP32, got INT8' }] },
    });
  });

  it.each([
    ['rounds up, never to at once', 0.2, '1'],
    ['keeps whole milliseconds', 250, '250'],
    ['bounds below at zero', -3, '0'],
  ])('sends when to come back: %s', (_name, retryAfterMs, pushback) => {
    const status = refusalToStatus(refuse('QUEUE_FULL', 'full', { retryAfterMs }));
    expect(status.trailers?.get(metadataKey.retryPushbackMs)).toBe(pushback);
  });

  it('stays small whatever the message says', () => {
    const status = refusalToStatus(refuse('INVALID_PARAMETER', 'x'.repeat(1_000_000), { field: 'y'.repeat(1_000_000) }));
    expect(status.trailers?.getBinary(metadataKey.statusDetails)?.length).toBeLessThan(4_096);
  });
});

describe('statusToRefusal', () => {
  it('gives every reason back as it was', () => {
    for (const reason of reasons) {
      const refusal = refuse(reason, `why ${reason}`, { retryAfterMs: 1_250.5, field: 'inputs[0]' });
      expect(statusToRefusal(refusalToStatus(refusal))).toEqual(refusal);
    }
  });

  it('keeps any refusal whole', () => {
    const refusals = fc.record(
      {
        reason: fc.constantFrom(...reasons),
        message: fc.string({ maxLength: 200, unit: fc.constantFrom('a', ' ', '%', '"', '\n', '\u0000', 'ü', '数', '🙂') }),
        retryAfterMs: fc.integer({ min: 0, max: 10 ** 9 }),
        field: fc.string({ minLength: 1, maxLength: 100 }),
      },
      { requiredKeys: ['reason', 'message'] },
    );
    fc.assert(
      fc.property(refusals, ({ reason, message, ...more }) => {
        const refusal: Refusal = refuse(reason, message, more);
        expect(statusToRefusal(refusalToStatus(refusal))).toEqual(refusal);
      }),
    );
  });

  it.each([
    [statusCode.UNAVAILABLE, 'BACKEND_LOST'],
    [statusCode.RESOURCE_EXHAUSTED, 'QUEUE_FULL'],
    [statusCode.INTERNAL, 'EXECUTION_FAILED'],
    [statusCode.UNKNOWN, 'EXECUTION_FAILED'],
    [statusCode.NOT_FOUND, 'MODEL_NOT_FOUND'],
  ] as const)('keeps the code %i of a foreign server', (code, reason) => {
    expect(statusToRefusal({ code, message: 'their words' })).toEqual({ reason, code, message: 'their words', upstreamCode: code });
  });

  it.each([
    ['garbage', Buffer.from('garbage')],
    [
      'another domain',
      rpcDetails.encodeStatusDetails(8, 'm', [{ type: 'ErrorInfo', value: { reason: 'QUEUE_FULL', domain: 'elsewhere.example' } }]),
    ],
    [
      'an unknown reason',
      rpcDetails.encodeStatusDetails(8, 'm', [{ type: 'ErrorInfo', value: { reason: 'constructor', domain: 'headrace.dev' } }]),
    ],
  ])('takes details with %s for foreign', (_name, bytes) => {
    const trailers = Metadata.of({ [metadataKey.statusDetails]: bytes, [metadataKey.retryPushbackMs]: '70' });
    const refusal = statusToRefusal({ code: statusCode.RESOURCE_EXHAUSTED, message: 'm', trailers });
    expect(refusal).toEqual({ reason: 'QUEUE_FULL', code: 8, message: 'm', upstreamCode: 8, retryAfterMs: 70 });
  });

  it('reads a negative pushback as "do not retry"', () => {
    const trailers = Metadata.of({ [metadataKey.retryPushbackMs]: '-1' });
    expect(statusToRefusal({ code: statusCode.UNAVAILABLE, message: 'm', trailers }).retryAfterMs).toBeUndefined();
  });
});
