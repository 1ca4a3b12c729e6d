import { healthService } from '@headrace/proto';
import { statusCode, systemClock } from '@headrace/runtime';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { grpcJsTransport } from '../grpc-js/transport.js';
import type { Channel } from '../port.js';
import { Harness, call, openStream, settled, until } from '../testing/suite/harness.js';
import type { HealthOptions } from './health.js';
import { registerHealth } from './health.js';
import type { HealthSource, HealthState } from './source.js';

// Real sockets on a machine that may be busy: the limit only ends what hangs.
vi.setConfig({ testTimeout: 30_000 });

const { Check, Watch, List } = healthService.methods;

let harness: Harness;
beforeEach(() => {
  harness = new Harness(grpcJsTransport(systemClock));
});
afterEach(async () => harness.close());

class Board implements HealthSource {
  readonly states = new Map<string, HealthState>();
  readonly listeners = new Set<() => void>();
  check(service: string): HealthState | undefined {
    return this.states.get(service);
  }
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  list(): Iterable<string> {
    return this.states.keys();
  }
  set(service: string, state: HealthState | undefined): void {
    if (state === undefined) this.states.delete(service);
    else this.states.set(service, state);
    for (const listener of this.listeners) listener();
  }
}

async function setUp(options: HealthOptions = {}) {
  const board = new Board();
  board.set('', 'SERVING');
  board.set('ranker/3', 'NOT_SERVING');
  const server = harness.transport.createServer({});
  registerHealth(server, board, options);
  const { port } = await server.listen('127.0.0.1', 0);
  const channel = harness.open(`127.0.0.1:${port}`);
  return { board, server, channel };
}

function watch(channel: Channel, service: string) {
  const watching = openStream(channel, Watch.path);
  watching.stream.write(Watch.request.encode({ service }));
  const seen = (): string[] => watching.messages.map((message) => Watch.response.decode(message).status);
  return { ...watching, seen };
}

it.each([
  ['the process', '', 'SERVING'],
  ['a model that is not ready', 'ranker/3', 'NOT_SERVING'],
])('Check answers for %s', async (_name, service, status) => {
  const { channel } = await setUp();
  const outcome = await call(channel, Check.path, Check.request.encode({ service }));
  expect(outcome.ok && Check.response.decode(outcome.message)).toEqual({ status });
});

it.each([
  ['NOT_FOUND for what nobody knows', Check.request.encode({ service: 'other' }), statusCode.NOT_FOUND],
  ['INVALID_ARGUMENT for bytes that are no request', Buffer.alloc(12, 0xff), statusCode.INVALID_ARGUMENT],
  ['INVALID_ARGUMENT for a name beyond reason', Check.request.encode({ service: 'x'.repeat(2_000) }), statusCode.INVALID_ARGUMENT],
])('Check answers %s', async (_name, message, code) => {
  const { channel } = await setUp();
  expect(await call(channel, Check.path, message)).toMatchObject({ ok: false, status: { code } });
});

it('List tells all', async () => {
  const { channel } = await setUp();
  const outcome = await call(channel, List.path, List.request.encode({}));
  expect(outcome.ok && List.response.decode(outcome.message).statuses).toMatchObject({
    '': { status: 'SERVING' },
    'ranker/3': { status: 'NOT_SERVING' },
  });
});

it('Watch tells the state at once, then each change of it, and nothing twice', async () => {
  const { board, channel } = await setUp();
  const watching = watch(channel, 'ranker/3');
  await until(() => watching.seen().length === 1);
  board.set('', 'NOT_SERVING');
  board.set('ranker/3', 'NOT_SERVING');
  board.set('ranker/3', 'SERVING');
  await until(() => watching.seen().length === 2);
  board.set('ranker/3', undefined);
  await until(() => watching.seen().length === 3);
  expect(watching.seen()).toEqual(['NOT_SERVING', 'SERVING', 'SERVICE_UNKNOWN']);
});

it('Watch stays open for a service that does not exist yet', async () => {
  const { board, channel } = await setUp();
  const watching = watch(channel, 'later');
  await until(() => watching.seen().length === 1);
  board.set('later', 'SERVING');
  await until(() => watching.seen().length === 2);
  expect(watching.seen()).toEqual(['SERVICE_UNKNOWN', 'SERVING']);
});

it('goes on watching for a client that has half-closed, and forgets it when it leaves', async () => {
  const { board, channel } = await setUp();
  const watching = watch(channel, '');
  watching.stream.end();
  await until(() => watching.seen().length === 1);
  board.set('', 'NOT_SERVING');
  await until(() => watching.seen().length === 2);
  watching.stream.cancel();
  await until(() => board.listeners.size === 0);
  expect(watching.seen()).toEqual(['SERVING', 'NOT_SERVING']);
});

it('takes no more watchers than it may, and a new one once one has left', async () => {
  const { channel } = await setUp({ maxWatchers: 2 });
  const first = watch(channel, '');
  const second = watch(channel, '');
  await until(() => first.seen().length + second.seen().length === 2);
  expect((await watch(channel, '').status).code).toBe(statusCode.RESOURCE_EXHAUSTED);
  first.stream.cancel();
  await first.status;
  let third = watch(channel, '');
  // The server learns of the cancel a moment after the client.
  while (third.seen().length === 0) {
    const ended = await Promise.race([third.status, until(() => third.seen().length > 0)]);
    if (ended !== undefined) third = watch(channel, '');
  }
  expect(third.seen()).toEqual(['SERVING']);
});

it('refuses a second request on a watch, and one that asks for nothing', async () => {
  const { board, channel } = await setUp();
  const twice = watch(channel, '');
  twice.stream.write(Watch.request.encode({ service: '' }));
  expect((await twice.status).code).toBe(statusCode.INVALID_ARGUMENT);
  const silent = openStream(channel, Watch.path);
  silent.stream.end();
  expect((await silent.status).code).toBe(statusCode.INVALID_ARGUMENT);
  await until(() => board.listeners.size === 0);
});

it('ends watches when the server drains, so that they do not hold it up', async () => {
  const { channel, server } = await setUp();
  const watching = watch(channel, '');
  await until(() => watching.seen().length === 1);
  await server.drain(600_000);
  expect((await watching.status).code).toBe(statusCode.UNAVAILABLE);
});

it('keeps only the newest state for a client that does not read', async () => {
  const { board, channel } = await setUp();
  const watching = watch(channel, '');
  await until(() => watching.seen().length === 1);
  watching.stream.pause();
  for (let i = 0; i < 20_000; i++) board.set('', i % 2 === 0 ? 'NOT_SERVING' : 'SERVING');
  board.set('', 'NOT_SERVING');
  watching.stream.resume();
  await until(() => watching.seen().at(-1) === 'NOT_SERVING' && board.check('') === 'NOT_SERVING');
  await settled(() => watching.seen().length);
  expect(watching.seen().at(-1)).toBe('NOT_SERVING');
  // Far fewer than the changes: what is not read is not kept.
  expect(watching.seen().length).toBeLessThan(1_000);
});
