import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { MetricsRegistry, startMetricsServer } from '@headrace/runtime';
import { afterEach, expect, test } from 'vitest';
import { httpProbe } from './http-probe.js';

let server: Server | undefined;
afterEach(() => void server?.close());

async function listen(made: Server): Promise<string> {
  server = made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  return urlOf((made.address() as AddressInfo).port);
}

const urlOf = (port: number): string => `http://127.0.0.1:${port}/livez`;
/** Resolves when it answered; the test's time limit is what a silence runs into. */
const answerOf = (url: string): Promise<string> => new Promise((resolve) => void httpProbe(url, () => resolve('answered')));

test('the metrics server of a process answers', async () => {
  const metrics = await startMetricsServer({ registry: new MetricsRegistry(), port: 0, ready: () => false });
  expect(await answerOf(urlOf(metrics.port))).toBe('answered');
  await metrics.close();
});

test('an answer that is an error is one', async () => {
  expect(await answerOf(await listen(createHttpServer((_, response) => response.writeHead(503).end('not ready'))))).toBe('answered');
});

test('a connection that is reset, as by a server that has too many, is an answer', async () => {
  expect(await answerOf(await listen(createServer((socket) => socket.destroy())))).toBe('answered');
});

test('a port that nobody listens at is no silence', async () => {
  const url = await listen(createServer());
  server?.close();
  expect(await answerOf(url)).toBe('answered');
});

test('a process that takes the connection and does not answer is silent, and an abandoned question hangs up without a word', async () => {
  const answers: string[] = [];
  const url = await listen(createServer());
  const connected = once(server as Server, 'connection') as Promise<[Socket]>;
  const call = httpProbe(url, () => answers.push('answered'));
  const [socket] = await connected;
  await once(socket, 'data');
  call.abandon();
  await once(socket.resume(), 'close');
  expect(answers).toEqual([]);
});
