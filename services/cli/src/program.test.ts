import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestCertificates } from '@headrace/wire/testing';
import { makeCertificates } from '@headrace/wire/testing';
import { exitCode } from './exit-code.js';
import { runCli } from './program.js';
import type { TestServer } from './testing/oip-server.js';
import { startTestServer } from './testing/oip-server.js';
import { testIo } from './testing/test-io.js';

let server: TestServer;
let folder: string;

beforeAll(async () => {
  server = await startTestServer([
    { name: 'echo', tensors: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }] },
    {
      name: 'words',
      tensors: [
        { name: 'text', datatype: 'BYTES', shape: [-1, -1] },
        { name: 'id', datatype: 'INT64', shape: [-1, -1] },
      ],
    },
    { name: 'broken', tensors: [], failed: 'model.onnx: not an ONNX file' },
  ]);
  folder = mkdtempSync(join(tmpdir(), 'headrace-cli-test-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.close();
});

/** Runs the program against the test server. */
async function cli(args: readonly string[], options: { readonly stdin?: string; readonly env?: Record<string, string> } = {}) {
  const test = testIo({
    env: { HEADRACE_ADDRESS: server.address, ...options.env },
    cwd: folder,
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
  });
  const code = await runCli(args, test.io);
  return { code, stdout: test.stdout(), stderr: test.stderr() };
}

describe('infer', () => {
  test('reads nested lists from a file and prints the outputs', async () => {
    writeFileSync(join(folder, 'in.json'), '{"x": [[1, 2.5, -3]]}');
    const { code, stdout } = await cli(['infer', 'echo', '--input', 'in.json']);
    expect(code).toBe(exitCode.ok);
    expect(stdout.split('\n').slice(1).join('\n')).toBe('x FP32[1, 3]\n  #    x\n  1    1\n  2  2.5\n  3   -3\n');
    expect(stdout).toMatch(/^echo version 1: .*, of which the run 1\.50 ms\n/);
  });

  test('reads OIP JSON from standard input and answers in it', async () => {
    const request = {
      inputs: [
        { name: 'text', datatype: 'BYTES', shape: [1, 2], data: ['a', { b64: '/w==' }] },
        { name: 'id', datatype: 'INT64', shape: [1], data: ['9007199254740993'] },
      ],
    };
    const { code, stdout } = await cli(['infer', 'words', '--input', '-', '--output', 'json'], { stdin: JSON.stringify(request) });
    expect(code).toBe(exitCode.ok);
    expect(JSON.parse(stdout)).toMatchObject({ model_name: 'words', model_version: '1', outputs: request.inputs });
  });

  test('random inputs fit the model', async () => {
    const { stdout } = await cli(['infer', 'words', '--random', '--rows', '2', '--shape', 'id=2,5', '--int-range', '7:7', '--json']);
    const { outputs } = JSON.parse(stdout) as { outputs: { shape: number[]; data: unknown[] }[] };
    expect(outputs.map(({ shape }) => shape)).toEqual([
      [2, 4],
      [2, 5],
    ]);
    expect(outputs[1]?.data).toEqual(Array.from({ length: 10 }, () => 7));
  });

  test('priority and queue timeout travel in the units of the protocol', async () => {
    await cli(['infer', 'echo', '--random', '--priority', '1', '--request-timeout', '2.5']);
    expect([...server.lastParameters()]).toEqual([
      ['priority', 1n],
      ['timeout', 2500n],
    ]);
  });

  test.each<[string, readonly string[], string, number, RegExp]>([
    [
      'an unknown model',
      ['infer', 'nope', '--random'],
      '',
      exitCode.failed,
      /^error: model nope: model "nope" is not served here \[NOT_FOUND\]\n  try: .*npx headrace models/,
    ],
    [
      'nothing to send',
      ['infer', 'echo'],
      '',
      exitCode.usage,
      /^error: nothing to send: give .* or --random\n {2}try: .* models echo tells/,
    ],
    ['a file that is not there', ['infer', 'echo', '--input', 'no.json'], '', exitCode.usage, /^error: --input no\.json: no such file/],
    ['JSON in place of a file', ['infer', 'echo', '--input', '{"x": [[1]]}'], '', exitCode.usage, /JSON itself goes to standard input/],
    [
      'JSON with a mistake',
      ['infer', 'echo', '--input', '-'],
      '{"x":\n [1,,2]}',
      exitCode.usage,
      /^error: standard input is not JSON: Unexpected token ','.*, at line 2, column 5\n$/,
    ],
    [
      'a mistake in a long text',
      ['infer', 'echo', '--input', '-'],
      `{"x":\n [${'1,'.repeat(100)},2]}`,
      exitCode.usage,
      /^error: standard input is not JSON: Unexpected token ','.*, at line 2, column 203\n$/,
    ],
    [
      'a ragged list',
      ['infer', 'echo', '--input', '-'],
      '{"x": [[1, 2, 3], [4]]}',
      exitCode.usage,
      /^error: x\[1\]: expected a list of 3 like x\[0\], got a list of 1\n  try: /,
    ],
    [
      'an input the model does not have',
      ['infer', 'echo', '--input', '-'],
      '{"y": [1]}',
      exitCode.usage,
      /^error: y: model echo has no such input\n  try: echo takes x: FP32 \[any, 3\]/,
    ],
  ])('%s', async (_, args, stdin, code, message) => {
    const result = await cli(args, { stdin });
    expect(result.stderr).toMatch(message);
    expect(result).toMatchObject({ code, stdout: '' });
  });
});

describe('models', () => {
  test('lists what is ready and why the rest is not', async () => {
    const { stdout } = await cli(['models']);
    expect(stdout).toBe(
      [
        'MODEL   VERSION  STATE        INPUTS                                    OUTPUTS',
        'broken        1  UNAVAILABLE',
        'echo          1  READY        x FP32[any, 3]                            x FP32[any, 3]',
        'words         1  READY        text BYTES[any, any], id INT64[any, any]  text BYTES[any, any], id INT64[any, any]',
        '',
        'broken 1: model.onnx: not an ONNX file',
        '',
      ].join('\n'),
    );
  });

  test('tells all about one, with a command that works', async () => {
    const { stdout } = await cli(['models', 'echo']);
    const command = stdout.split('\n').find((line) => line.includes('infer echo')) ?? '';
    const [, json = ''] = /echo '(.*)' \|/.exec(command) ?? [];
    expect(command).toContain(`infer echo --input - --address ${server.address}`);
    expect(await cli(['infer', 'echo', '--input', '-'], { stdin: json })).toMatchObject({ code: exitCode.ok, stderr: '' });
  });

  test('a model that is not ready is told as such, for scripts too', async () => {
    expect(await cli(['models', 'broken', '--json'])).toMatchObject({
      code: exitCode.unavailable,
      stderr: '{"error":{"message":"model broken is not ready","reason":"MODEL_NOT_READY","fix":"npx headrace load broken"}}\n',
    });
  });

  test('--json has the signature', async () => {
    const models = JSON.parse((await cli(['models', '--json'])).stdout) as { name: string }[];
    expect(models.find(({ name }) => name === 'echo')).toEqual({
      name: 'echo',
      version: '1',
      state: 'READY',
      reason: '',
      platform: 'echo',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
      outputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
    });
  });
});

test('load and unload reach the server', async () => {
  expect((await cli(['load', 'echo'])).stdout).toMatch(/^done: load echo in .*, now version 1 READY\n$/);
  expect(JSON.parse((await cli(['unload', 'echo', '--json'])).stdout)).toMatchObject({ model: 'echo', action: 'unload' });
  expect(server.changes).toEqual(['load echo', 'unload echo']);
});

describe('bench', () => {
  test('closed loop answers the number asked for', async () => {
    const { code, stdout } = await cli(['bench', 'echo', '--requests', '200', '--concurrency', '4', '--warmup', '0', '--json']);
    expect(code).toBe(exitCode.ok);
    expect(JSON.parse(stdout)).toMatchObject({ answered: 200, failed: 0, loop: { kind: 'closed', concurrency: 4 }, rowsPerRequest: 1 });
  });

  test('streams carry the same', async () => {
    const { stdout } = await cli(['bench', 'echo', '--requests', '100', '--streams', '3', '--warmup', '0', '--rows', '2', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ answered: 100, failed: 0, rowsPerRequest: 2, transport: '3 streams' });
  });

  test('open loop reports how late the client itself was', async () => {
    const { stdout } = await cli(['bench', 'echo', '--rate', '2000', '--requests', '100', '--warmup', '0']);
    expect(stdout).toContain('open loop, 2,000 arrivals/s (Poisson), 100 requests');
    expect(stdout).toContain('latency counts from when a request should have been sent');
  });

  test('a wrong input is told once, not as failures', async () => {
    expect(await cli(['bench', 'nope', '--requests', '5'])).toMatchObject({ code: exitCode.failed, stdout: '' });
  });
});

describe('top', () => {
  test('without metrics shows means and says so', async () => {
    const { code, stdout } = await cli(['top', '--interval', '0.05']);
    expect(code).toBe(exitCode.ok);
    expect(stdout).toContain('latency is a MEAN, from ModelStatistics');
    expect(stdout).toMatch(/MODEL +VERSION +REQ\/S +FAILED\/S +MEAN +WAIT +ROWS\/RUN\n/);
  });

  test('with metrics shows quantiles and replicas', async () => {
    const metrics = createServer((_, response) =>
      response.end('headrace_gateway_requests_total{model="m",reason="OK"} 5\nheadrace_gateway_backend_ready{backend="replica-0"} 1\n'),
    );
    metrics.listen(0, '127.0.0.1');
    await once(metrics, 'listening');
    const { stdout } = await cli([
      'top',
      '--interval',
      '0.05',
      '--json',
      '--once',
      '--metrics-address',
      `127.0.0.1:${(metrics.address() as AddressInfo).port}`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      source: { kind: 'metrics' },
      models: [{ name: 'm' }],
      replicas: [{ name: 'replica-0', state: 'ready' }],
    });
    metrics.close();
  });

  test('a metrics address that was given and does not answer is an error', async () => {
    expect(await cli(['top', '--metrics-address', '127.0.0.1:1'])).toMatchObject({ code: exitCode.unavailable, stdout: '' });
  });
});

describe('TLS', () => {
  let certificates: TestCertificates;
  let secure: TestServer;
  beforeAll(async () => {
    certificates = await makeCertificates();
    secure = await startTestServer([{ name: 'echo', tensors: [] }], {
      ...certificates.server,
      clientAuthorityFile: certificates.authorityFile,
    });
  });
  afterAll(async () => {
    await secure.close();
    certificates.remove();
  });

  const files = () => [
    '--tls-ca',
    certificates.authorityFile,
    '--tls-cert',
    certificates.client.certificateFile,
    '--tls-key',
    certificates.client.keyFile,
  ];

  test('with the right files the server answers', async () => {
    const { code, stdout } = await cli(['models', '--address', secure.address, ...files()]);
    expect(code).toBe(exitCode.ok);
    expect(stdout).toContain('echo');
  });

  test.each<[string, () => string[]]>([
    ['without TLS', () => []],
    ["without the authority's file", () => ['--tls']],
    ['without a client certificate', () => ['--tls-ca', certificates.authorityFile]],
    ['for another name', () => [...files(), '--tls-server-name', 'other.example']],
  ])('%s nothing is answered, and the exit code says unavailable', async (_, flags) => {
    expect(await cli(['models', '--address', secure.address, '--timeout', '10', ...flags()])).toMatchObject({
      code: exitCode.unavailable,
      stdout: '',
    });
  });

  test('a file that is not there is named', async () => {
    const { code, stderr } = await cli(['models', '--address', secure.address, '--tls-ca', '/nope.pem']);
    expect(code).toBe(exitCode.usage);
    expect(stderr).toContain('--tls-ca /nope.pem: cannot be read (ENOENT)');
  });
});

describe('the program', () => {
  test.each<[string, readonly string[], number, RegExp]>([
    ['suggests for an unknown command', ['modles'], exitCode.usage, /unknown command 'modles'\n\(Did you mean models\?\)/],
    ['points to the help of all', ['serve'], exitCode.usage, /unknown command 'serve'\n {2}try: .* --help\n$/],
    ['points to the help of a command', ['infer'], exitCode.usage, /missing required argument 'model'\n {2}try: .* help infer\n$/],
    [
      'suggests for an unknown flag',
      ['models', '--adress', 'x'],
      exitCode.usage,
      /unknown option '--adress'\n\(Did you mean --address\?\)/,
    ],
    [
      'names the flag with a wrong value',
      ['bench', 'm', '--rate', '-1'],
      exitCode.usage,
      /'--rate <per-second>' argument '-1' is invalid\. Expected a number above 0/,
    ],
    [
      'says what an address looks like',
      ['models', '--address', 'localhost'],
      exitCode.usage,
      /--address "localhost": expected host:port\n  try: /,
    ],
    [
      'says that nobody is there',
      ['models', '--address', '127.0.0.1:1'],
      exitCode.unavailable,
      /^error: nobody answers at 127\.0\.0\.1:1 \(ECONNREFUSED\)\n  try: start it with: npx headrace up/,
    ],
    ['pairs the TLS flags', ['models', '--tls-cert', 'x'], exitCode.usage, /--tls-cert and --tls-key belong together/],
    ['keeps closed and open loop apart', ['bench', 'echo', '--rate', '1', '--concurrency', '1'], exitCode.usage, /exclude each other/],
  ])('%s', async (_, args, code, message) => {
    const result = await cli(args);
    expect(result.stderr).toMatch(message);
    expect(result).toMatchObject({ code, stdout: '' });
  });

  test.each([[['--help']], [['help', 'infer']], [['bench', '--help']], [['up', '-h']]])(
    '%j ends well and tells the exit codes',
    async (args) => {
      const { code, stdout } = await cli(args);
      expect(code).toBe(exitCode.ok);
      expect(stdout).toContain('Examples:');
      expect(stdout).toContain('69 unavailable');
    },
  );

  test('prints its version', async () => {
    expect((await cli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
