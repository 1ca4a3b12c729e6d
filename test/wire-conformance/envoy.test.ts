import { statusCode, systemClock } from '@headrace/runtime';
import { Metadata, http2Transport } from '@headrace/wire';
import type { Channel } from '@headrace/wire';
import { makeCertificates } from '@headrace/wire/testing';
import type { TestCertificates } from '@headrace/wire/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { need } from '../harness/index.js';
import { until } from '../harness/until.js';
import { Conversation, callUnary } from './calls.js';
import { echoPaths, failure } from './echo-service.js';
import { startEnvoy } from './envoy-process.js';
import type { RunningEnvoy } from './envoy-process.js';
import { clientCases } from './interop/client-cases.js';
import { testService } from './interop/service.js';
import { serveEcho } from './served.js';
import type { Served } from './served.js';

const large = Buffer.alloc(8 * 1024 * 1024, 'eight MiB, ');

/** Our client through Envoy to our server; with TLS, the server asks Envoy for a certificate of its own. */
describe.for(['cleartext', 'TLS'] as const)('through Envoy, %s', (how) => {
  let certificates: TestCertificates;
  let served: Served;
  let envoy: RunningEnvoy | undefined;
  let channel: Channel | undefined;

  beforeAll(async () => {
    certificates = await makeCertificates();
    const tls = { ...certificates.server, clientAuthorityFile: certificates.authorityFile };
    served = await serveEcho(how === 'TLS' ? { tls } : {}, testService());
  });
  afterAll(async () => {
    channel?.close();
    await envoy?.stop();
    await served.stop();
    certificates.remove();
  });

  const connect = async (context: Parameters<typeof need>[0]): Promise<Channel> => {
    const tool = await need(context, 'envoy');
    if (channel !== undefined) return channel;
    envoy = await startEnvoy(tool, { serverPort: served.port, certificates: how === 'TLS' ? certificates : undefined });
    const tls = { authorityFile: certificates.authorityFile };
    channel = http2Transport(systemClock).openChannel(`127.0.0.1:${envoy.port}`, how === 'TLS' ? { tls } : {});
    return channel;
  };

  test.for(clientCases)('$name', async ({ expectCase }, context) => expectCase(await connect(context)));

  test('8 MiB both ways, in one call and on a stream', async (context) => {
    const to = await connect(context);
    const outcome = await callUnary(to, echoPaths.unary, large);
    expect(outcome.ok && outcome.message.equals(large)).toBe(true);
    const talk = new Conversation(to, echoPaths.chat);
    talk.stream.write(large);
    expect((await talk.next())?.equals(large)).toBe(true);
    talk.stream.write(large);
    talk.stream.end();
    expect((await talk.rest()).map((message) => message.equals(large))).toEqual([true]);
    expect(await talk.status).toMatchObject({ code: statusCode.OK });
  });

  test('headers, trailers and a failed call’s status', async (context) => {
    const to = await connect(context);
    const metadata = Metadata.of({ 'x-text': 'a value', 'x-data-bin': Buffer.from('00ff01', 'hex') });
    const outcome = await callUnary(to, echoPaths.unary, Buffer.from('x'), { metadata });
    expect(outcome.headers.get('x-text')).toBe('a value');
    expect(outcome.ok && outcome.trailers.getBinary('x-data-bin')).toEqual(Buffer.from('00ff01', 'hex'));
    expect(await callUnary(to, echoPaths.fail, Buffer.alloc(0))).toMatchObject({ ok: false, status: failure });
  });

  test('a cancel and a deadline reach the server', async (context) => {
    const to = await connect(context);
    const before = served.echo.cancels;
    const late = await callUnary(to, echoPaths.hold, Buffer.alloc(0), { deadlineMs: systemClock.nowMs() + 200 });
    expect(late).toMatchObject({ ok: false, status: { code: statusCode.DEADLINE_EXCEEDED } });
    await until('the server hears of the deadline', () => served.echo.cancels === before + 1);
    const talk = new Conversation(to, echoPaths.chat);
    talk.stream.write(Buffer.from('first'));
    expect((await talk.next())?.toString()).toBe('first');
    talk.stream.cancel();
    expect(await talk.status).toMatchObject({ code: statusCode.CANCELLED });
    await until('the server hears of the cancel', () => served.echo.chatCancels === 1);
  });

  test('a server that answers before it has read all of the request', async (context) => {
    const to = await connect(context);
    for (let round = 0; round < 20; round++) {
      expect(await callUnary(to, '/test.Echo/Absent', large)).toMatchObject({ ok: false, status: { code: statusCode.UNIMPLEMENTED } });
    }
  });

  test('a thousand calls at once', async (context) => {
    const to = await connect(context);
    const calls = Array.from({ length: 1_000 }, (_, index) => callUnary(to, echoPaths.unary, Buffer.from(`call ${index}`)));
    const replies = (await Promise.all(calls)).map((outcome) => (outcome.ok ? outcome.message.toString() : outcome.status.message));
    expect(replies).toEqual(calls.map((_, index) => `call ${index}`));
  });
});
