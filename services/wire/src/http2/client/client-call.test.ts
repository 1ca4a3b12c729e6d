import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { silentLogger, statusCode, systemClock } from '@headrace/runtime';
import type { Clock } from '@headrace/runtime';
import { describe, expect, it } from 'vitest';
import type { UnaryOutcome } from '../../port.js';
import { errorCode } from '../frames/constants.js';
import { http2Transport } from '../transport.js';

/** Our timers stand still: what the peer sends comes first. */
function clockWithoutTimers(): { readonly clock: Clock; readonly advance: (ms: number) => void } {
  let nowMs = 0;
  return {
    clock: { nowMs: () => nowMs, wallMs: () => systemClock.wallMs(), setTimer: () => ({ cancel: () => {} }) },
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

describe('a call that the server resets with CANCEL', () => {
  it.each([
    ['before its deadline was cancelled', 99, statusCode.CANCELLED],
    ['at its deadline has run out of time', 100, statusCode.DEADLINE_EXCEEDED],
  ] as const)('%s', async (_name, passedMs, code) => {
    const { clock, advance } = clockWithoutTimers();
    const server = createServer();
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      advance(passedMs);
      stream.close(errorCode.cancel);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const channel = http2Transport(clock, silentLogger).openChannel(`127.0.0.1:${port}`, {});
    const outcome = await new Promise<UnaryOutcome>((resolve) =>
      channel.unary('/test.Reset/Now', Buffer.alloc(0), { deadlineMs: 100 }, resolve),
    );
    expect(outcome).toMatchObject({ ok: false, status: { code } });
    channel.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});

describe('a call whose caller keeps its deadline', () => {
  it.each([
    ['has no timer here, and tells the server', true, 0],
    ['unlike another one', false, 1],
  ])('%s', async (_name, selfTimed, timers) => {
    const delaysMs: number[] = [];
    const clock: Clock = {
      nowMs: () => 0,
      wallMs: () => systemClock.wallMs(),
      setTimer: (_fire, delayMs) => {
        delaysMs.push(delayMs);
        return { cancel: () => {} };
      },
    };
    const server = createServer();
    const timeout = new Promise<unknown>((resolve) =>
      server.on('stream', (stream, headers) => {
        stream.on('error', () => {});
        resolve(headers['grpc-timeout']);
        stream.close(errorCode.cancel);
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const channel = http2Transport(clock, silentLogger).openChannel(`127.0.0.1:${port}`, {});
    const deadlineMs = 12_345;
    await new Promise<UnaryOutcome>((resolve) => channel.unary('/test.Self/Timed', Buffer.alloc(0), { deadlineMs, selfTimed }, resolve));
    expect(await timeout).toBe('12345000u');
    expect(delaysMs.filter((delayMs) => delayMs === deadlineMs)).toHaveLength(timers);
    channel.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});
