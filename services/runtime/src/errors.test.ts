import { expect, it } from 'vitest';
import { HeadraceError, describeError } from './errors.js';
import { statusCode } from './status.js';

it.each([
  [
    'a HeadraceError stays itself',
    HeadraceError.of('QUEUE_FULL', 'full', { retryAfterMs: 5 }),
    { reason: 'QUEUE_FULL', code: statusCode.RESOURCE_EXHAUSTED, message: 'full', retryAfterMs: 5 },
  ],
  [
    'an abort is a cancel',
    new DOMException('aborted', 'AbortError'),
    { reason: 'CANCELLED', code: statusCode.CANCELLED, message: 'the call was cancelled' },
  ],
  ['an error says nothing outside', new Error('/etc/secret'), { reason: 'INTERNAL', code: statusCode.INTERNAL, message: 'internal error' }],
  ['a thrown string too', 'password', { reason: 'INTERNAL', code: statusCode.INTERNAL, message: 'internal error' }],
  ['and undefined', undefined, { reason: 'INTERNAL', code: statusCode.INTERNAL, message: 'internal error' }],
])('HeadraceError.from: %s', (_name, thrown, refusal) => {
  const error = HeadraceError.from(thrown);
  expect(error.refusal).toEqual(refusal);
  expect(error.message).toBe(refusal.message);
  expect(thrown instanceof HeadraceError ? error : error.cause).toBe(thrown);
});

it.each([
  [new Error('why'), 'why'],
  [new TypeError(''), 'TypeError'],
  ['text', 'text'],
  [undefined, 'undefined'],
])('describeError(%o)', (thrown, text) => {
  expect(describeError(thrown)).toBe(text);
});
