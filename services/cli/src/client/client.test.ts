import { refuse, statusCode } from '@headrace/runtime';
import type { StatusCode } from '@headrace/runtime';
import { Metadata, refusalToStatus } from '@headrace/wire';
import { describe, expect, test } from 'vitest';
import { exitCode } from '../exit-code.js';
import { serverFailure } from './server-failure.js';
import { checkedAddress, repeatTarget, targetOf } from './target.js';

const target = { address: 'h:1', tls: undefined, timeoutMs: 2000 };
const failed = (code: StatusCode, message: string, notProcessed = false) => ({
  ok: false as const,
  status: { code, message },
  headers: new Metadata(),
  notProcessed,
});

describe('a failed call', () => {
  test.each([
    [
      'nobody listens',
      failed(statusCode.UNAVAILABLE, 'No connection established. Last error: connect ECONNREFUSED 1.2.3.4:1', true),
      exitCode.unavailable,
      'nobody answers at h:1 (ECONNREFUSED)',
    ],
    [
      'the model is not ready',
      failed(statusCode.UNAVAILABLE, 'model "m" is loading'),
      exitCode.unavailable,
      'infer m: model "m" is loading [UNAVAILABLE]',
    ],
    ['time ran out', failed(statusCode.DEADLINE_EXCEEDED, 'x'), exitCode.timedOut, 'infer m: no answer within 2 s'],
    [
      'the server is full',
      failed(statusCode.RESOURCE_EXHAUSTED, 'queue full'),
      exitCode.overloaded,
      'infer m: queue full [RESOURCE_EXHAUSTED]',
    ],
    ['the request is wrong', failed(statusCode.INVALID_ARGUMENT, 'input x'), exitCode.failed, 'infer m: input x [INVALID_ARGUMENT]'],
    ['no reason is given', failed(statusCode.UNKNOWN, ''), exitCode.failed, 'infer m: no reason given [UNKNOWN]'],
  ])('%s', (_, outcome, code, message) => {
    expect(serverFailure(outcome, target, 'infer m')).toMatchObject({ exitCode: code, message });
  });

  test("the server's own reason, field and pause are passed on", () => {
    const full = serverFailure(
      { ...failed(statusCode.OK, ''), status: refusalToStatus(refuse('QUEUE_FULL', 'full', { retryAfterMs: 12.2 })) },
      target,
      'infer m',
    );
    expect(full).toMatchObject({ reason: 'QUEUE_FULL', fix: expect.stringMatching(/^try again in 1[23] ms$/) as string });
    const wrong = serverFailure(
      { ...failed(statusCode.OK, ''), status: refusalToStatus(refuse('INVALID_TENSOR', 'too short', { field: 'inputs[0]' })) },
      target,
      'infer m',
    );
    expect(wrong.message).toBe('infer m: too short (field inputs[0]) [INVALID_ARGUMENT]');
  });
});

describe('a failed handshake is told in words', () => {
  const prefix = 'No connection established. Last error: Error: ';
  test.each([
    [
      '80ABCDEF12:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../x.c:350:\n. Resolution note: ',
      'it does not speak TLS',
    ],
    ['unable to get local issuer certificate. Resolution note: ', 'unable to get local issuer certificate'],
    ["Hostname/IP does not match certificate's altnames: x. Resolution note: ", "Hostname/IP does not match certificate's altnames: x"],
  ])('%s', (message, words) => {
    const failure = serverFailure(failed(statusCode.UNAVAILABLE, prefix + message, true), target, 'infer m');
    expect(failure.message).toBe(`nobody answers at h:1 (${words})`);
    expect(failure.fix).toContain('--tls-ca');
  });
});

describe('flags', () => {
  const flags = { address: '127.0.0.1:8001', timeout: 30 };

  test.each(['127.0.0.1:8001', 'host:1', '[::1]:8001', 'dns:///a.b:65535'])('%s is an address', (address) => {
    expect(checkedAddress(address)).toBe(address);
  });

  test.each(['host', 'host:', 'host:0', 'host:65536', ':1', 'http://host:1', 'a b:1', '::1:8001'])('%s is none', (address) => {
    expect(() => checkedAddress(address)).toThrow('expected host:port');
  });

  test('any TLS flag turns TLS on, and none leaves it off', () => {
    expect(targetOf(flags).tls).toBeUndefined();
    expect(targetOf({ ...flags, tls: true }).tls).toEqual({});
    expect(targetOf({ ...flags, tlsCa: process.execPath, tlsServerName: 'n' }).tls).toEqual({
      authorityFile: process.execPath,
      serverName: 'n',
    });
  });

  test('a printed command reaches the same server', () => {
    expect(repeatTarget(flags)).toBe('');
    expect(repeatTarget({ ...flags, address: 'h:1', tls: true })).toBe(' --address h:1 --tls');
    expect(repeatTarget({ ...flags, tlsCa: 'ca' })).toBe(' --tls-ca ca');
  });
});
