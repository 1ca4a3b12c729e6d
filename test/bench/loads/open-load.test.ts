import { refuse, statusCode } from '@headrace/runtime';
import { Metadata, refusalToStatus } from '@headrace/wire';
import type { UnaryOutcome } from '@headrace/wire';
import { describe, expect, it } from 'vitest';
import { failureReason, failureText } from './open-load.js';

type Failed = Extract<UnaryOutcome, { ok: false }>;

function failed(status: Failed['status']): Failed {
  return { ok: false, status, headers: new Metadata(), notProcessed: false };
}

describe('failureReason', () => {
  it('is the reason that the server gave', () => {
    expect(failureReason(failed(refusalToStatus(refuse('RATE_LIMITED', 'one too many'))))).toBe('RATE_LIMITED');
  });

  it('is the gRPC status of a server that gave none', () => {
    expect(failureReason(failed({ code: statusCode.UNAVAILABLE, message: 'queue full' }))).toBe('UNAVAILABLE');
  });
});

describe('failureText', () => {
  it('says the most frequent first', () => {
    const text = failureText(
      new Map([
        ['QUEUE_FULL', 3],
        ['DEADLINE_UNREACHABLE', 1204],
      ]),
    );
    expect(text).toBe('DEADLINE_UNREACHABLE 1,204, QUEUE_FULL 3');
  });

  it('says nothing of nothing', () => expect(failureText(new Map())).toBe(''));
});
