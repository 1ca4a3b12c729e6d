import { connect } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MetricsRegistry } from './registry.js';
import type { MetricsServer } from './server.js';
import { startMetricsServer } from './server.js';

// Real sockets on a machine that may be busy: the limit only ends what hangs.
vi.setConfig({ testTimeout: 30_000 });

let server: MetricsServer;
let ready: boolean;
let scrapes: number;
let broken: boolean;
beforeEach(async () => {
  ready = true;
  scrapes = 0;
  broken = false;
  const registry = new MetricsRegistry({ processMetrics: false });
  registry.defineGauge({
    name: 'headrace_scrapes',
    help: 'h',
    read: () => {
      if (broken) throw new Error('secret');
      return ++scrapes;
    },
  });
  server = await startMetricsServer({ registry, port: 0, ready: () => ready });
});
afterEach(async () => server.close());

const get = async (path: string, init?: RequestInit): Promise<Response> => fetch(`http://${server.host}:${server.port}${path}`, init);

it.each([
  ['/metrics', 200, 'text/plain; version=0.0.4; charset=utf-8', /^headrace_scrapes 1$/m],
  ['/metrics?x=1', 200, 'text/plain; version=0.0.4; charset=utf-8', /headrace_scrapes/],
  ['/livez', 200, 'text/plain; charset=utf-8', /^ok$/m],
  ['/readyz', 200, 'text/plain; charset=utf-8', /^ok$/m],
  ['/', 404, 'text/plain; charset=utf-8', /\/metrics/],
  ['/metrics/../secret', 404, 'text/plain; charset=utf-8', /try/],
])('GET %s', async (path, status, contentType, body) => {
  const response = await get(path);
  expect([response.status, response.headers.get('content-type')]).toEqual([status, contentType]);
  expect(await response.text()).toMatch(body);
});

it('listens on loopback unless told otherwise', () => {
  expect(server.host).toBe('127.0.0.1');
});

it('follows readiness, and stays alive', async () => {
  ready = false;
  expect([(await get('/readyz')).status, (await get('/livez')).status]).toEqual([503, 200]);
});

it('refuses other methods, naming those it knows', async () => {
  const response = await get('/metrics', { method: 'POST', body: 'x' });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

it('says that a metric failed without saying how, and goes on', async () => {
  broken = true;
  const response = await get('/metrics');
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
  broken = false;
  expect((await get('/metrics')).status).toBe(200);
});

it('rejects a taken port', async () => {
  const registry = new MetricsRegistry({ processMetrics: false });
  await expect(startMetricsServer({ registry, port: server.port, ready: () => true })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

it.each([
  ['bytes that are no HTTP', '\u0000\u0001garbage\r\n\r\n'],
  ['headers without end', `GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}`],
])('drops a connection with %s', async (_name, bytes) => {
  const socket = connect(server.port, server.host);
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(bytes);
  socket.resume();
  await closed;
  expect((await get('/livez')).status).toBe(200);
});

it('is gone after close, whatever connections idle', async () => {
  await get('/livez');
  await server.close();
  await expect(get('/livez')).rejects.toThrow('fetch failed');
});
