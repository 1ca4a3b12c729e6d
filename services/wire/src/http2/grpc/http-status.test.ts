import { statusCode } from '@headrace/runtime';
import { describe, expect, it } from 'vitest';
import { statusOfHttp, statusOfReset } from './http-status.js';

describe('statusOfHttp', () => {
  it.each([
    [400, statusCode.INTERNAL],
    [401, statusCode.UNAUTHENTICATED],
    [403, statusCode.PERMISSION_DENIED],
    [404, statusCode.UNIMPLEMENTED],
    [429, statusCode.UNAVAILABLE],
    [502, statusCode.UNAVAILABLE],
    [503, statusCode.UNAVAILABLE],
    [504, statusCode.UNAVAILABLE],
    [200, statusCode.UNKNOWN],
    [302, statusCode.UNKNOWN],
    [500, statusCode.UNKNOWN],
  ])('takes HTTP %i for gRPC %i', (http, code) => {
    expect(statusOfHttp(http)).toBe(code);
  });
});

describe('statusOfReset', () => {
  it.each([
    ['NO_ERROR', 0x0, statusCode.INTERNAL],
    ['PROTOCOL_ERROR', 0x1, statusCode.INTERNAL],
    ['INTERNAL_ERROR', 0x2, statusCode.INTERNAL],
    ['FLOW_CONTROL_ERROR', 0x3, statusCode.INTERNAL],
    ['REFUSED_STREAM', 0x7, statusCode.UNAVAILABLE],
    ['CANCEL', 0x8, statusCode.CANCELLED],
    ['ENHANCE_YOUR_CALM', 0xb, statusCode.RESOURCE_EXHAUSTED],
    ['INADEQUATE_SECURITY', 0xc, statusCode.PERMISSION_DENIED],
    ['4096', 4096, statusCode.INTERNAL],
  ])('maps %s and names it', (name, code, status) => {
    const mapped = statusOfReset(code);
    expect(mapped.code).toBe(status);
    expect(mapped.message).toContain(name);
  });
});
