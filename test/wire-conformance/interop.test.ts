import { silentLogger, systemClock } from '@headrace/runtime';
import type { Logger } from '@headrace/runtime';
import { http2Transport } from '@headrace/wire';
import type { Channel, ChannelState, WireServer } from '@headrace/wire';
import { makeCertificates } from '@headrace/wire/testing';
import type { TestCertificates } from '@headrace/wire/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, need, runCommand, startProcess } from '../harness/index.js';
import type { RunningProcess } from '../harness/index.js';
import { callUnary } from './calls.js';
import { clientCases } from './interop/client-cases.js';
import { writeSimpleRequest } from './interop/messages.js';
import { servicePath, testService } from './interop/service.js';

/** Of the soak cases: how long a call takes is not what is tested on a busy machine. */
const patient = ['--soak_per_iteration_max_acceptable_latency_ms=30000', '--soak_overall_timeout_seconds=60'];

/** The cases of grpc-go's client. */
const goCases: readonly (readonly [string, ...string[]])[] = [
  ['empty_unary'],
  ['large_unary'],
  ['client_streaming'],
  ['server_streaming'],
  ['ping_pong'],
  ['empty_stream'],
  ['timeout_on_sleeping_server'],
  ['cancel_after_begin'],
  ['cancel_after_first_response'],
  ['status_code_and_message'],
  ['special_status_message'],
  ['custom_metadata'],
  ['unimplemented_method'],
  ['unimplemented_service'],
  ['pick_first_unary'],
  ['rpc_soak', '--soak_iterations=50', '--soak_num_threads=5', ...patient],
  // grpc-go measures the bandwidth with a PING for nearly every answer: that is no flood.
  ['rpc_soak', '--soak_iterations=5000', '--soak_request_size=10', '--soak_response_size=10', ...patient],
  ['channel_soak', '--soak_iterations=20', ...patient],
];

/** What else the descriptions list, each with why it is not run. */
const leftOut: Readonly<Record<string, string>> = {
  'client_compressed_unary, client_compressed_streaming, server_compressed_unary, server_compressed_streaming':
    'grpc-go’s programs do not have them; gzip both ways is tried with grpc-js and grpcio in clients.test.ts',
  cacheable_unary: 'GET requests: withdrawn from gRPC, and grpc-go’s programs do not have it',
  'orca_per_rpc, orca_oob': 'load reports of xDS in trailers and on a service of their own: another protocol above the transport',
  'compute_engine_creds, service_account_creds, jwt_token_creds, oauth2_auth_token, per_rpc_creds, google_default_credentials, compute_engine_channel_credentials':
    'tokens of one cloud provider, sent as ordinary metadata',
};

/** The official interoperability programs, of grpc-go, on either side. */
describe.for(['cleartext', 'TLS'] as const)('gRPC interoperability over %s', (how) => {
  const secure = how === 'TLS';
  let certificates: TestCertificates;
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterAll(() => certificates.remove());

  describe('grpc-go’s client against our server', () => {
    let server: WireServer;
    let port: number;
    /** Connections that the server ended because of what its client did; the client would hide it and connect again. */
    const complaints: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      debug: ({ reason }) => {
        if (/^[A-Z_]+: /.test(String(reason))) complaints.push(reason);
      },
    };
    beforeAll(async () => {
      server = http2Transport(systemClock, logger).createServer(secure ? { tls: certificates.server } : {});
      for (const method of testService()) server.register(method);
      ({ port } = await server.listen('127.0.0.1', 0));
    });
    afterAll(() => server.drain(0));

    test.for(goCases)('%s', { timeout: 120_000 }, async ([name, ...flags], context) => {
      const client = await need(context, 'interopClient');
      const tls = secure
        ? ['--use_tls', '--use_test_ca', `--ca_file=${certificates.authorityFile}`, '--server_host_override=localhost']
        : [];
      const args = ['--server_host=127.0.0.1', `--server_port=${port}`, `--test_case=${name}`, ...tls, ...flags];
      const result = await runCommand(client.path, args, { env: { GRPC_GO_LOG_SEVERITY_LEVEL: 'info' }, timeoutMs: 110_000 });
      expect(result.code, result.stderr.slice(-4_000)).toBe(0);
      // A case that the program does not know ends it with an error; one that it ran says so.
      expect(result.stderr).toMatch(/done/i);
      expect(complaints.splice(0)).toEqual([]);
    });
  });

  describe('our client against grpc-go’s server', () => {
    let process: RunningProcess | undefined;
    let channel: Channel | undefined;
    const connect = async (context: Parameters<typeof need>[0]): Promise<Channel> => {
      const tool = await need(context, 'interopServer');
      if (channel !== undefined) return channel;
      const port = await freePort();
      const { certificateFile, keyFile } = certificates.server;
      const tls = secure ? ['--use_tls', `--tls_cert_file=${certificateFile}`, `--tls_key_file=${keyFile}`] : [];
      process = await startProcess(tool.path, [`--port=${port}`, ...tls], { name: 'interop server' });
      const authority = secure ? { tls: { authorityFile: certificates.authorityFile, serverName: 'localhost' } } : {};
      channel = http2Transport(systemClock).openChannel(`127.0.0.1:${port}`, authority);
      return channel;
    };
    afterAll(async () => {
      channel?.close();
      await process?.stop();
    });

    test.for(clientCases)('$name', async ({ expectCase }, context) => expectCase(await connect(context)));

    test('keeps its connection over thousands of calls', async (context) => {
      const to = await connect(context);
      expect(await callUnary(to, `${servicePath}/EmptyCall`, Buffer.alloc(0))).toMatchObject({ ok: true });
      const states: ChannelState[] = [];
      to.onState((state) => states.push(state));
      const request = writeSimpleRequest({ responseBytes: 10, payloadBytes: 10 });
      for (let call = 0; call < 5_000; call++) {
        const { ok } = await callUnary(to, `${servicePath}/UnaryCall`, request);
        if (!ok) throw new Error(`call ${call} failed`);
      }
      expect(states).toEqual([]);
    });
  });

  describe('our client against our server', () => {
    test.for(clientCases)('$name', async ({ expectCase }) => {
      const transport = http2Transport(systemClock);
      const server = transport.createServer(secure ? { tls: certificates.server } : {});
      for (const method of testService()) server.register(method);
      const { port } = await server.listen('127.0.0.1', 0);
      const channel = transport.openChannel(`127.0.0.1:${port}`, secure ? { tls: { authorityFile: certificates.authorityFile } } : {});
      await expectCase(channel);
      channel.close();
      await server.drain(0);
    });
  });
});

test('each case of grpc-go’s client is run or left out for a reason', async (context) => {
  const client = await need(context, 'interopClient');
  const { stderr } = await runCommand(client.path, ['--help']);
  const offered = [...stderr.matchAll(/^\s+([a-z0-9_]+)\s?: /gm)].map(([, name]) => name ?? '');
  const accounted = [...goCases.map(([name]) => name), ...Object.keys(leftOut).flatMap((names) => names.split(', '))];
  expect(offered).toContain('large_unary');
  expect(offered.filter((name) => !accounted.includes(name))).toEqual([]);
});
