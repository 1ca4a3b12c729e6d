import { Metadata } from '@headrace/wire';
import { describe, expect, it } from 'vitest';
import { requestIdOf } from './correlation.js';

describe('requestIdOf', () => {
  it('makes random UUIDs of version 4, also past the entropy that it draws at once', () => {
    const ids = Array.from({ length: 1_000 }, () => requestIdOf(new Metadata()));
    expect(new Set(ids).size).toBe(1_000);
    expect(ids.filter((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toEqual([]);
  });

  it.each([
    ["takes the client's", 'order-7', true],
    ['replaces one with a space', 'order 7', false],
    ['replaces one of more than 128 characters', 'x'.repeat(129), false],
  ])('%s', (_name, given, taken) => {
    expect(requestIdOf(Metadata.of({ 'x-request-id': given })) === given).toBe(taken);
  });
});
