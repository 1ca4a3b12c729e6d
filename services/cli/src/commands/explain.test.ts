import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Explanation } from '@headrace/proto';
import { exitCode } from '../exit-code.js';
import { runCli } from '../program.js';
import type { TestServer } from '../testing/oip-server.js';
import { startTestServer } from '../testing/oip-server.js';
import { testIo } from '../testing/test-io.js';

const answered: Explanation = {
  request_id: 'checkout-42',
  model: 'ranker',
  version: '1',
  tenant: 'acme',
  tier: 'gold',
  arrived_ms_ago: 2100,
  reason: 'OK',
  band: 2,
  lowered_from: 1,
  stages: [
    { name: 'admission', ms: 0.03 },
    { name: 'queue', ms: 2 },
    { name: 'run', ms: 8 },
    { name: 'reply', ms: 0.02 },
  ],
  backend: 'server-0',
  batch_rows: 7,
  attempts: 2,
};
const refused: Explanation = {
  request_id: 'checkout-43',
  model: 'ranker',
  tenant: '',
  tier: 'free',
  arrived_ms_ago: 40,
  reason: 'QUEUE_FULL',
  message: 'queue of the model: \u001b[2Jexpected less',
  retry_after_ms: 120,
  stages: [{ name: 'admission', ms: 0.05 }],
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer([], undefined, {
    explain: (id) => ({
      requests: [answered, refused].filter(({ request_id }) => request_id === id),
      remembered: 16_384,
      oldest_ms_ago: 61_000,
    }),
    limits: () => ({}),
  });
});
afterAll(() => server.close());

async function explain(...args: string[]) {
  const { io, stdout, stderr } = testIo({ env: { HEADRACE_ADDRESS: server.address } });
  const code = await runCli(['explain', ...args], io);
  return { code, stdout: stdout(), stderr: stderr() };
}

describe('headrace explain', () => {
  test('an answered request: who, where, and how long each stage took', async () => {
    const { code, stdout } = await explain('checkout-42');
    expect(code).toBe(exitCode.ok);
    expect(stdout).toBe(`OK in 10.0 ms, 2.10 s ago
  request  checkout-42
  model    ranker 1
  tenant   acme (gold), band 2; asked for priority 1, which the tier does not allow
  ran on   server-0, in a batch of 7 rows, at attempt 2

  admission    0.03 ms
  queue        2.00 ms  ##########
  run          8.00 ms  ########################################
  reply        0.02 ms
`);
  });

  test('a refused one: why, what that means, and when it would have come in; its text cannot command the terminal', async () => {
    const { stdout } = await explain('checkout-43');
    expect(stdout).toContain('QUEUE_FULL after 0.05 ms, 40.0 ms ago\n');
    expect(stdout).toContain('  why      queue of the model: \uFFFD[2Jexpected less\n');
    expect(stdout).toContain('  meaning  A bounded queue is full.');
    expect(stdout).toContain('  retry    it would have come in 120 ms later\n');
    expect(stdout).toContain('  tenant   (nobody named) (free)\n');
    expect(stdout).not.toContain('ran on');
  });

  test('an id that is not known says how far the memory goes, and where else to look', async () => {
    const { code, stderr } = await explain('gone');
    expect(code).toBe(exitCode.failed);
    expect(stderr).toContain('no request gone among the 16,384 that the gateway remembers, back to 61.0 s ago');
    expect(stderr).toContain('another one may have served it');
  });

  test('JSON for scripts', async () => {
    const { stdout } = await explain('checkout-42', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      requests: [{ reason: 'OK', batch_rows: 7, stages: [{ name: 'admission', ms: 0.03 }, {}, {}, {}] }],
    });
  });

  test('a server without it is named as such', async () => {
    const plain = await startTestServer([]);
    const { io, stderr } = testIo({ env: { HEADRACE_ADDRESS: plain.address } });
    expect(await runCli(['explain', 'x'], io)).not.toBe(exitCode.ok);
    expect(stderr()).toMatch(/explain x: .*UNIMPLEMENTED/);
    await plain.close();
  });
});
