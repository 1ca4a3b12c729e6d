import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchText } from './fetch-text.js';

const limits = { timeoutMs: 5000, maxBytes: 1000 };

const endless: RequestListener = (_, response) => {
  const timer = setInterval(() => response.write('x'.repeat(100)), 1);
  response.on('close', () => clearInterval(timer));
};

const redirecting: RequestListener = ({ url }, response) => {
  if (url === '/') response.writeHead(302, { location: '/elsewhere' });
  response.end('{}');
};

describe('fetchText', () => {
  let server: Server | undefined;
  const serve = async (listener: RequestListener): Promise<string> => {
    const started = createServer(listener);
    server = started;
    await new Promise<void>((listening) => started.listen(0, '127.0.0.1', listening));
    return `http://127.0.0.1:${(started.address() as AddressInfo).port}/`;
  };
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((closed) => server?.close(closed) ?? closed(undefined));
  });

  it('reads a document', async () => {
    expect(await fetchText(await serve((_, response) => void response.end('{"é": 1}')), systemClock, limits)).toBe('{"é": 1}');
  });

  const failing: readonly [string, RequestListener, RegExp][] = [
    ['a document past the bound', (_, response) => void response.end('x'.repeat(1001)), /at most 1000 bytes/],
    ['an endless document', endless, /at most 1000 bytes/],
    ['another status', (_, response) => void response.writeHead(503).end('down'), /HTTP status 200, got 503/],
    ['a redirect, also to a place that answers', redirecting, /fetch failed/],
  ];
  it.each(failing)('refuses %s', async (_name, listener, expected) => {
    await expect(fetchText(await serve(listener), systemClock, limits)).rejects.toThrow(expected);
  });

  it('gives up on a server that does not answer', async () => {
    const clock = new FakeClock();
    const seen: (() => void)[] = [];
    const asked = new Promise<void>((resolve) => void seen.push(resolve));
    const uri = await serve(() => seen[0]?.());
    void asked.then(() => clock.advance(5000));
    await expect(fetchText(uri, clock, limits)).rejects.toThrow('no answer within 5000 ms');
    expect(clock.pendingTimers).toBe(0);
  });
});
