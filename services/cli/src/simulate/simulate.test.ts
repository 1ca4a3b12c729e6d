import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { exitCode } from '../exit-code.js';
import { runCli } from '../program.js';
import { testIo } from '../testing/test-io.js';

// The first one loads the gateway and, for a plot, its library.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-simulate-'));
  const table = (batching: string): string => `apiVersion: headrace.dev/v1alpha1
kind: RoutingTable
backends:
  - { name: cpu-0, address: "10.0.0.5:8001" }
models:
  - name: ranker
    backends: [cpu-0]
    batching: ${batching}
`;
  writeFileSync(join(folder, 'table.yaml'), table('{ maxQueuedRows: 64 }'));
  writeFileSync(join(folder, 'tight.yaml'), table('{ maxQueuedRows: 4 }'));
  writeFileSync(join(folder, 'wrong.yaml'), table('{ maxQueuedRows: many, maxLane: 3 }'));
  const policy = (mode: string, rate: string): string => `apiVersion: headrace.dev/v1alpha1
kind: TrafficPolicy
metadata: { name: shop }
spec:
  mode: ${mode}
  tiers: [{ name: gold, weight: 4 }, { name: free, requestsPerSecond: ${rate} }]
  defaultTier: free
  tenants: [{ name: a, tier: gold }]
`;
  writeFileSync(join(folder, 'policy.yaml'), policy('Enforce', '10'));
  writeFileSync(join(folder, 'shadow.yaml'), policy('Shadow', '10'));
  writeFileSync(join(folder, 'bad-policy.yaml'), policy('Enforce', 'ten'));
  writeFileSync(join(folder, 'none.yaml'), 'apiVersion: headrace.dev/v1alpha1\nkind: RoutingTable\n');
  writeFileSync(join(folder, 'good.csv'), 'timestamp,tenant,ContextTokens\n0,a,5\n0.1,b,5\n0.2,a,5\n');
  writeFileSync(join(folder, 'bad.csv'), 'timestamp,rows\n0,1\n0.1,zero\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function cli(...args: readonly string[]) {
  const io = testIo({ cwd: folder });
  const code = await runCli(['simulate', 'traffic', ...args], io.io);
  return { code, stdout: io.stdout(), stderr: io.stderr() };
}

const steady = ['--trace', 'poisson:rate=50', '--duration', '5'];
const overload = ['--trace', 'bursts:rate=4000,deadline=50ms,tenants=a*3+b', '--duration', '2', '--backend', 'name=cpu-0,a=2ms,k=0.5ms'];

test('a table of figures: a load that the backend carries with ease', async () => {
  const { code, stdout, stderr } = await cli('table.yaml', ...steady);
  expect([code, stderr]).toEqual([exitCode.ok, '']);
  expect(stdout).toContain('trace     poisson:rate=50\nbackends  1 with 1 instance of 2 ms + 0.2 ms a row\nseed      1\n');
  expect(stdout).toMatch(/\nsimulated time {2,}5\.00 s\n/);
  expect(stdout).toMatch(/\nattainment {2,}100 %\nrefused {2,}0 \(0 %\)\n/);
  expect(stdout).toMatch(/\ncpu-0 {2,}\d+\.\d+ % {2,}\d+ {2,}1\.\d\d\n/);
});

test('JSON for scripts is the same, byte for byte, when made again, and another for another seed', async () => {
  const first = await cli('table.yaml', ...overload, '--format', 'json', '--retries', '2');
  expect(first.code).toBe(exitCode.ok);
  expect((await cli('table.yaml', ...overload, '--format', 'json', '--retries', '2')).stdout).toBe(first.stdout);
  expect((await cli('table.yaml', ...overload, '--format', 'json', '--retries', '2', '--seed', '2')).stdout).not.toBe(first.stdout);
  const report = JSON.parse(first.stdout) as { policies: readonly { report: { total: { offered: number; refused: number } } }[] };
  expect(report.policies[0]?.report.total.refused).toBeGreaterThan(0);
});

test('two policies stand side by side under the same requests', async () => {
  const { code, stdout } = await cli('table.yaml', ...overload, '--compare', 'tight.yaml');
  expect(code).toBe(exitCode.ok);
  expect(stdout).toMatch(/\nPOLICY {2,}table\.yaml {2,}tight\.yaml\n/);
  const [, left, right] = /\nrequests {2,}(\S+) {2,}(\S+)\n/.exec(stdout) ?? [];
  expect(left).toBe(right);
  expect(stdout).toMatch(/\nREFUSED BECAUSE {2,}REQUESTS A {2,}REQUESTS B\n/);
  expect(stdout).toMatch(/\nTENANT {2,}REQUESTS {2,}IN TIME A.*REFUSED B\na {2,}/);
  expect(stdout).toContain('\nA = table.yaml, B = tight.yaml\n');
});

test('a file to its end, with the columns that mean nothing', async () => {
  const { code, stdout } = await cli('table.yaml', '--trace', 'good.csv');
  expect(code).toBe(exitCode.ok);
  expect(stdout).toMatch(/\nrequests {2,}3\n/);
  expect(stdout).toContain('columns of the trace that mean nothing here: ContextTokens');
});

describe('the plot', () => {
  test('is an SVG with a title, units, and a name for each colour', async () => {
    const { code, stdout } = await cli('table.yaml', ...overload, '--plot', 'out.svg');
    expect(code).toBe(exitCode.ok);
    expect(stdout).toContain('\nplot: out.svg\n');
    const svg = readFileSync(join(folder, 'out.svg'), 'utf8');
    expect(svg.startsWith('<svg')).toBe(true);
    const words = [
      'Simulated traffic: table.yaml',
      'requests/s',
      'answered in time',
      'QUEUE_FULL',
      'offered',
      'p99',
      'simulated time, seconds',
      'rows waiting',
    ];
    for (const word of words) expect(svg).toContain(`>${word}<`);
  });

  test('is a page that needs nothing else, and that a name from outside cannot write', async () => {
    const { code } = await cli(
      'table.yaml',
      '--trace',
      'poisson:rate=20,tenants=<script>+b',
      '--duration',
      '2',
      '--plot',
      'out.html',
      '--compare',
      'tight.yaml',
    );
    expect(code).toBe(exitCode.ok);
    const page = readFileSync(join(folder, 'out.html'), 'utf8');
    expect(page).toContain('<title>Simulated traffic: table.yaml and tight.yaml</title>');
    expect(page).toContain('&lt;script&gt;');
    expect(page).not.toMatch(/<script|<link|src=|href="http/);
  });
});

test('Ctrl-C ends it with the figures until then', async () => {
  const io = testIo({ cwd: folder });
  const running = runCli(
    ['simulate', 'traffic', 'table.yaml', '--trace', 'poisson:rate=50', '--duration', '1000000', '--compare', 'tight.yaml'],
    io.io,
  );
  const press = setInterval(io.interrupt, 5);
  const code = await running;
  clearInterval(press);
  expect(code).toBe(exitCode.ok);
  expect(io.stdout()).toMatch(/\nsimulated time {2,}.* \(stopped\)\n/);
  expect(io.stdout()).toContain('stopped before the end of the trace: these are the figures until then\ntight.yaml: not simulated\n');
});

test.each<readonly [string, readonly string[], string]>([
  ['no trace', ['table.yaml'], '--trace: expected a file or a trace to make, got none'],
  ['a trace of no kind', ['table.yaml', '--trace', 'posson:rate=2'], 'did you mean poisson?'],
  ['a file that is not there', ['table.yaml', '--trace', 'no.csv'], '--trace no.csv: no such file'],
  ['a bad line', ['table.yaml', '--trace', 'bad.csv'], '--trace bad.csv: line 3: rows: expected a number from 1 to 65536, got "zero"'],
  ['no policy of that name', ['no.yaml', ...steady], 'no.yaml: no such file'],
  ['a policy with errors', ['wrong.yaml', ...steady], 'wrong.yaml:8:32: models[0].batching.maxQueuedRows: expected an integer, got "many"'],
  ['a policy without backends', ['none.yaml', ...steady], 'none.yaml: backends: expected at least one'],
  ['a TrafficPolicy without a backend', ['policy.yaml', ...steady], 'policy.yaml: backends: expected at least one'],
  [
    'a TrafficPolicy with errors',
    ['bad-policy.yaml', ...steady],
    'bad-policy.yaml:6:71: spec.tiers[1].requestsPerSecond: expected a number',
  ],
  [
    'a backend that the policy does not use',
    ['table.yaml', ...steady, '--backend', 'a=1ms'],
    'models: ranker runs on cpu-0 alone, and no --backend has that name',
  ],
  [
    'a backend of no speed',
    ['table.yaml', ...steady, '--backend', 'a=fast'],
    '--backend: a: expected a time such as 0.2ms, 5s or 2m of 0 or more, got "fast"',
  ],
  ['a plot of no form', ['table.yaml', ...steady, '--plot', 'out.png'], '--plot out.png: expected a name that ends in .svg or .html'],
  ['a plot in no folder', ['table.yaml', ...steady, '--plot', 'no/out.svg'], '--plot no/out.svg: cannot be written (ENOENT)'],
  ['no duration', ['table.yaml', '--trace', 'poisson', '--duration', '0'], 'Expected seconds, above 0'],
])('%s is told before or instead of figures', async (_, args, message) => {
  const { code, stderr } = await cli(...args);
  expect(code).toBe(exitCode.usage);
  expect(stderr).toContain(message);
});

test('a policy without backends is simulated on those of --backend', async () => {
  const { code, stdout } = await cli('none.yaml', ...steady, '--backend', 'a=1ms,k=0.1ms,instances=2,count=2');
  expect(code).toBe(exitCode.ok);
  expect(stdout).toContain('backends  2 with 2 instances of 1 ms + 0.1 ms a row');
});

test('a TrafficPolicy is tried with the table that is named, in shadow mode too', async () => {
  const load = ['--trace', 'poisson:rate=60,tenants=a+b', '--duration', '5', '--table', 'table.yaml'];
  const { code, stdout, stderr } = await cli('policy.yaml', ...load, '--compare', 'shadow.yaml');
  expect([code, stderr]).toEqual([exitCode.ok, '']);
  expect(stdout).toMatch(/\nTIER .*\nfree .*\ngold .*/);
  expect(stdout).toMatch(/\nREFUSED BECAUSE .*\nRATE_LIMITED +\d+ +0\n/);
  const [, enforced] = /\nREFUSED BECAUSE .*\nRATE_LIMITED +(\d+) +0\n/.exec(stdout) ?? [];
  const [, shadowed] = /\nSHADOW MODE LET IN DESPITE .*\nRATE_LIMITED +0 +(\d+)\n/.exec(stdout) ?? [];
  expect(Number(enforced)).toBeGreaterThan(50);
  expect(shadowed).toBe(enforced);
});

test("a table's own traffic policy counts", async () => {
  writeFileSync(
    join(folder, 'whole.yaml'),
    `${readFileSync(join(folder, 'table.yaml'), 'utf8')}trafficPolicy: { tiers: [{ name: free, requestsPerSecond: 5 }], defaultTier: free }\n`,
  );
  const { code, stdout } = await cli('whole.yaml', ...steady);
  expect(code).toBe(exitCode.ok);
  expect(stdout).toMatch(/\nRATE_LIMITED +\d+\n/);
});
