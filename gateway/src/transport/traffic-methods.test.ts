import { trafficService } from '@headrace/proto';
import { refuse, silentLogger, statusCode, systemClock } from '@headrace/runtime';
import type { Refusal } from '@headrace/runtime';
import { statusToRefusal } from '@headrace/wire';
import type { UnaryOutcome } from '@headrace/wire';
import { testTransport } from '@headrace/wire/testing/transport';
import { afterEach, describe, expect, it } from 'vitest';
import { trafficMethods } from './traffic-methods.js';

const { Limits, Explain } = trafficService.methods;
const toClose: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

async function served(denied?: Refusal) {
  const asked: unknown[] = [];
  const server = testTransport(systemClock).createServer({});
  const view = {
    authorize: () => denied,
    limits: async (tenant: string, mostOthers: number) => {
      asked.push([tenant, mostOthers]);
      return { quotas: 'local' };
    },
    explain: async (requestId: string) => {
      asked.push(requestId);
      return { remembered: 3 };
    },
  };
  for (const method of trafficMethods({ view, logger: silentLogger })) server.register(method);
  const { port } = await server.listen('127.0.0.1', 0);
  const channel = testTransport(systemClock).openChannel(`127.0.0.1:${port}`, {});
  toClose.push(() => server.drain(0));
  toClose.push(async () => channel.close());
  const call = (path: string, message: Buffer): Promise<UnaryOutcome> =>
    new Promise((resolve) => channel.unary(path, message, { deadlineMs: systemClock.nowMs() + 10_000 }, resolve));
  return { call, asked };
}

const refusalOf = (outcome: UnaryOutcome): unknown => (outcome.ok ? 'OK' : statusToRefusal(outcome.status));

describe('headrace.v1.Traffic', () => {
  it.each([
    ['all, and 20 of the others where it does not say', {}, ['', 20]],
    ['one tenant', { tenant: 'acme' }, ['acme', 20]],
    ['no more than 1000 of the others', { most_others: 4_000_000 }, ['', 1000]],
  ])('Limits asks for %s', async (_name, request, expected) => {
    const { call, asked } = await served();
    const outcome = await call(Limits.path, Limits.request.encode(request));
    expect(outcome.ok && Limits.response.decode(outcome.message).quotas).toBe('local');
    expect(asked).toEqual([expected]);
  });

  it('Explain wants an id', async () => {
    const { call, asked } = await served();
    const outcome = await call(Explain.path, Explain.request.encode({ request_id: 'r-1' }));
    expect(outcome.ok && Number(Explain.response.decode(outcome.message).remembered)).toBe(3);
    expect(refusalOf(await call(Explain.path, Explain.request.encode({})))).toMatchObject({
      reason: 'INVALID_PARAMETER',
      field: 'request_id',
    });
    expect(refusalOf(await call(Explain.path, Buffer.from([0x0a, 0x05])))).toMatchObject({ reason: 'MALFORMED_MESSAGE' });
    expect(asked).toEqual(['r-1']);
  });

  it.each([Limits.path, Explain.path])('%s is not for everybody, whatever the message', async (path) => {
    const { call, asked } = await served(refuse('PERMISSION_DENIED', 'no'));
    for (const message of [Buffer.alloc(0), Explain.request.encode({ request_id: 'r' }), Buffer.from([0xff])]) {
      expect(refusalOf(await call(path, message))).toMatchObject({ code: statusCode.PERMISSION_DENIED, reason: 'PERMISSION_DENIED' });
    }
    expect(asked).toEqual([]);
  });
});
