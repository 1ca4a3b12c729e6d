import { once } from 'node:events';
import { connect } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { statusCode, systemClock } from '@headrace/runtime';
import { Metadata, http2Transport } from '@headrace/wire';
import type { Channel, ChannelOptions, ServerOptions } from '@headrace/wire';
import { makeCertificates } from '@headrace/wire/testing';
import type { TestCertificates } from '@headrace/wire/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mustRun, need, paths, runCommand, startProcess } from '../harness/index.js';
import type { RunningProcess } from '../harness/index.js';
import { until } from '../harness/until.js';
import { Conversation, callUnary } from './calls.js';
import { echoPaths, failure } from './echo-service.js';
import { serveEcho } from './served.js';
import type { Served } from './served.js';

const programs = join(paths.root, 'test/wire-conformance/programs');
const hello = Buffer.concat([Buffer.from('0000000005', 'hex'), Buffer.from('hello')]);
/** Both sides of this transport compress what they send only when they are told to. */
const compressing: ServerOptions & ChannelOptions = { compress: true };
const large = Buffer.alloc(8 * 1024 * 1024, 'eight MiB, ');

/** Clients and servers that others wrote. tritonclient runs against the whole platform in test/integration. */
describe.for(['cleartext', 'TLS', 'mutual TLS'] as const)('over %s', (how) => {
  const secure = how !== 'cleartext';
  let certificates: TestCertificates;
  let served: Served;
  beforeAll(async () => {
    certificates = await makeCertificates();
    const clientAuthority = how === 'mutual TLS' ? { clientAuthorityFile: certificates.authorityFile } : {};
    served = await serveEcho(secure ? { tls: { ...certificates.server, ...clientAuthority } } : {});
  });
  afterAll(async () => {
    await served.stop();
    certificates.remove();
  });

  describe('grpcurl', () => {
    const grpcurl = async (context: Parameters<typeof need>[0], what: string, flags: readonly string[] = [], limitS = 30) => {
      const { path } = await need(context, 'grpcurl');
      const { certificateFile, keyFile } = certificates.client;
      const tls = secure ? ['-cacert', certificates.authorityFile, '-cert', certificateFile, '-key', keyFile] : ['-plaintext'];
      return runCommand(path, [...tls, '-max-time', String(limitS), ...flags, served.address, what]);
    };

    test('lists the services by reflection', async (context) => {
      const { stdout, stderr } = await grpcurl(context, 'list');
      expect(stdout.split('\n'), stderr).toEqual(expect.arrayContaining(['grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection']));
    });

    test('makes a unary call', async (context) => {
      const { stdout, stderr } = await grpcurl(context, 'grpc.health.v1.Health/Check', ['-d', '{}']);
      expect(JSON.parse(stdout), stderr).toEqual({ status: 'SERVING' });
    });

    test('gets the first message of a stream that does not end, until its own time is up', async (context) => {
      const watch = await grpcurl(context, 'grpc.health.v1.Health/Watch', ['-d', '{}'], 2);
      expect(watch.stdout).toContain('SERVING');
      expect(watch.stderr).toMatch(/DeadlineExceeded/);
    });
  });

  describe('curl', () => {
    const curl = async (...args: readonly string[]) => {
      const { certificateFile, keyFile } = certificates.client;
      const tls = secure
        ? ['--http2', '--cacert', certificates.authorityFile, '--cert', certificateFile, '--key', keyFile]
        : ['--http2-prior-knowledge'];
      const url = `${secure ? 'https' : 'http'}://${served.address}${echoPaths.unary}`;
      return runCommand('curl', ['--silent', '--show-error', '--max-time', '30', '--dump-header', '-', ...tls, ...args, url], {
        input: hello,
      });
    };
    const grpc = ['--header', 'content-type: application/grpc', '--header', 'te: trailers', '--data-binary', '@-'];

    test('gets the message and its trailers', async (context) => {
      await hasHttp2(context);
      const { stdout, stderr } = await curl(...grpc);
      expect(stdout, stderr).toMatch(/^HTTP\/2 200/);
      expect(stdout).toContain(hello.toString());
      expect(stdout).toMatch(/grpc-status: 0\r?$/m);
    });

    // Without a body: the answer does not wait for one, and curl before 8 calls it an error when it still has something to send.
    test.for([
      ['a GET', [], 405],
      ['another content type', ['--request', 'POST', '--header', 'content-type: application/json'], 415],
    ] as const)('is told what is wrong with %s', async ([, args, status], context) => {
      await hasHttp2(context);
      const { stdout, stderr } = await curl(...args);
      expect(stdout, stderr).toMatch(new RegExp(`^HTTP/2 ${status}`));
    });
  });

  describe('nghttp', () => {
    test.for([
      ['plainly', []],
      ['with padded frames', ['--padding=200']],
      ['with a header block in CONTINUATION frames', ['--continuation']],
      ['with a small header table', ['--header-table-size=0', '--encoder-header-table-size=0']],
      ['through small windows', ['--window-bits=1', '--connection-window-bits=16']],
      ['many times on one connection', ['--multiply=50']],
    ] as const)('calls %s', async ([, flags], context) => {
      const nghttp = await need(context, 'nghttp');
      const { certificateFile, keyFile } = certificates.client;
      const tls = secure ? [`--cert=${certificateFile}`, `--key=${keyFile}`] : [];
      const url = `${secure ? 'https' : 'http'}://${served.address}${echoPaths.unary}`;
      const args = [
        '--verbose',
        '--no-verify-peer',
        '--timeout=30',
        '--data=-',
        '--header=content-type: application/grpc',
        '--header=te: trailers',
      ];
      const result = await runCommand(nghttp.path, [...args, ...tls, ...flags, url], { env: nghttp.env, input: hello });
      const expected = flags[0] === '--multiply=50' ? 50 : 1;
      expect(result.stdout.match(/grpc-status: 0/g)?.length, `${result.stdout}${result.stderr}`.slice(-3_000)).toBe(expected);
    });
  });

  test('grpcio as the client', async (context) => {
    const { certificateFile, keyFile } = certificates.client;
    const pair = how === 'mutual TLS' ? ['--certificate', certificateFile, '--key', keyFile] : [];
    await expectGrpcioClient(context, served, secure ? ['--authority', certificates.authorityFile, ...pair] : []);
  });
});

test('grpcio as the client of a server that compresses its replies', async (context) => {
  const served = await serveEcho(compressing);
  try {
    await expectGrpcioClient(context, served, []);
    // And it does compress: the header of the answer, the flag of its message, and gzip's magic number behind the length.
    const zeros = Buffer.concat([Buffer.from('00000003e8', 'hex'), Buffer.alloc(1_000)]);
    const accept = { 'content-type': 'application/grpc', te: 'trailers', 'grpc-accept-encoding': 'gzip' };
    const answer = await post(served.port, echoPaths.unary, accept, zeros);
    expect(answer.headers['grpc-encoding']).toBe('gzip');
    expect([answer.body[0], answer.body.subarray(5, 7).toString('hex')]).toEqual([1, '1f8b']);
  } finally {
    await served.stop();
  }
});

describe.for(['cleartext', 'TLS', 'compressed'] as const)('grpcio as the server, %s', (how) => {
  let certificates: TestCertificates;
  let python: RunningProcess | undefined;
  let channel: Channel | undefined;
  const connect = async (context: Parameters<typeof need>[0]): Promise<Channel> => {
    const tool = await need(context, 'pythonClients');
    if (channel !== undefined) return channel;
    const { certificateFile, keyFile } = certificates.server;
    const tls = how === 'TLS' ? ['--certificate', certificateFile, '--key', keyFile] : [];
    python = await startProcess(tool.path, [join(programs, 'grpcio_server.py'), ...tls], { name: 'grpcio server', env: tool.env });
    const port = await python.announced('its port', (line) => (line as { port?: number }).port);
    const trust = how === 'TLS' ? { tls: { authorityFile: certificates.authorityFile } } : {};
    channel = http2Transport(systemClock).openChannel(`127.0.0.1:${port}`, how === 'compressed' ? compressing : trust);
    return channel;
  };
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterAll(async () => {
    channel?.close();
    await python?.stop();
    certificates.remove();
  });

  test('answers with what was sent, compressed on its way back', async (context) => {
    const to = await connect(context);
    expect(await callUnary(to, echoPaths.unary, Buffer.from('hello'))).toMatchObject({ ok: true, message: Buffer.from('hello') });
    const outcome = await callUnary(to, echoPaths.unary, large);
    expect(outcome.ok && outcome.message.equals(large)).toBe(true);
  });

  test('carries metadata both ways', async (context) => {
    const metadata = Metadata.of({ 'x-text': 'a value', 'x-data-bin': Buffer.from('00ff01', 'hex') });
    const outcome = await callUnary(await connect(context), echoPaths.unary, Buffer.from('x'), { metadata });
    expect(outcome.headers.get('x-text')).toBe('a value');
    expect(outcome.ok && outcome.trailers.getBinary('x-data-bin')).toEqual(Buffer.from('00ff01', 'hex'));
  });

  test('fails with its own status', async (context) => {
    expect(await callUnary(await connect(context), echoPaths.fail, Buffer.alloc(0))).toMatchObject({ ok: false, status: failure });
  });

  test('hears of a deadline and of a cancel', async (context) => {
    const to = await connect(context);
    const late = await callUnary(to, echoPaths.hold, Buffer.alloc(0), { deadlineMs: systemClock.nowMs() + 300 });
    expect(late).toMatchObject({ ok: false, status: { code: statusCode.DEADLINE_EXCEEDED } });
    expect(await callUnary(to, '/test.Echo/Cancelled', Buffer.alloc(0))).toMatchObject({ ok: true, message: Buffer.from('1') });
    const gone = new Promise<unknown>((resolve) => {
      const call = to.unary(echoPaths.hold, Buffer.alloc(0), {}, resolve);
      // Once the server certainly has it.
      void callUnary(to, echoPaths.unary, Buffer.from('after')).then(() => call.cancel());
    });
    expect(await gone).toMatchObject({ ok: false, status: { code: statusCode.CANCELLED } });
    expect(await callUnary(to, '/test.Echo/Cancelled', Buffer.alloc(0))).toMatchObject({ ok: true, message: Buffer.from('1') });
  });

  test('streams both ways', async (context) => {
    const talk = new Conversation(await connect(context), echoPaths.chat);
    for (const message of [Buffer.from('a'), large, Buffer.from('c')]) {
      talk.stream.write(message);
      expect((await talk.next())?.equals(message)).toBe(true);
    }
    talk.stream.end();
    expect(await talk.rest()).toEqual([]);
    expect(await talk.status).toMatchObject({ code: statusCode.OK });
  });
});

async function expectGrpcioClient(context: Parameters<typeof need>[0], served: Served, flags: readonly string[]): Promise<void> {
  const python = await need(context, 'pythonClients');
  const before = { holds: served.echo.cancels, chats: served.echo.chatCancels };
  const args = [join(programs, 'grpcio_client.py'), '--address', served.address, ...flags];
  const printed = await mustRun(python.path, args, { env: { ...python.env, PYTHONDONTWRITEBYTECODE: '1' } });
  expect(JSON.parse(printed)).toEqual({
    unary: 'hello',
    empty: 0,
    large: true,
    metadata: ['a value', '00ff01'],
    failure: { code: 'FAILED_PRECONDITION', details: failure.message },
    unimplemented: 'UNIMPLEMENTED',
    deadline: 'DEADLINE_EXCEEDED',
    cancelled: 'CANCELLED',
    chat: ['a', 'b', 'c'],
    'chat large': [true, true],
    many: true,
    'stream cancelled': ['first', 'CANCELLED'],
    gzip: true,
    'gzip chat': [true],
  });
  // The deadline always reaches a handler; a call cancelled at once may end before it does.
  await until('the handlers hear of it', () => served.echo.cancels > before.holds && served.echo.chatCancels > before.chats);
}

/** One request of Node's own HTTP/2 client. */
async function post(port: number, path: string, headers: Readonly<Record<string, string>>, body: Buffer) {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const request = session.request({ ':method': 'POST', ':path': path, ...headers });
    request.end(body);
    const [received] = (await once(request, 'response')) as [IncomingHttpHeaders];
    return { headers: received, body: await buffer(request) };
  } finally {
    session.close();
  }
}

async function hasHttp2(context: { skip(note?: string): never }): Promise<void> {
  const version = await runCommand('curl', ['--version']).catch(() => undefined);
  if (version === undefined || !/\bHTTP2\b/.test(version.stdout)) context.skip('needs: curl with HTTP/2 (Debian: apt-get install curl)');
}
