import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LimitsResponse, TenantUse } from '@headrace/proto';
import { exitCode } from '../exit-code.js';
import { runCli } from '../program.js';
import type { TestServer } from '../testing/oip-server.js';
import { startTestServer } from '../testing/oip-server.js';
import { testIo } from '../testing/test-io.js';

let server: TestServer;
let asked: string[] = [];
let samples = 0;

const acme = (more: Partial<TenantUse>): TenantUse => ({
  tenant: 'acme',
  tier: 'gold',
  weight: 8,
  requests: { limit: 500, left: 120.7, used: 1000 },
  compute_ms: { limit: 0, left: 0, used: 50 },
  in_flight: 14,
  concurrency_limit: 64,
  admitted: 1000,
  refused: { RATE_LIMITED: 5, OVERLOADED: 7 },
  ...more,
});
const replies: readonly LimitsResponse[] = [
  { shadow: false, quotas: 'shared', known_tenants: 1200, tenants: [acme({})] },
  {
    shadow: false,
    quotas: 'shared',
    known_tenants: 1200,
    tenants: [
      acme({ requests: { limit: 500, left: 120.7, used: 1490 }, admitted: 1490, refused: { RATE_LIMITED: 23, OVERLOADED: 8 } }),
      { tenant: '', tier: 'free\u001b[2J', in_flight: 1, admitted: 3, requests: { used: 3 } },
    ],
    models: [{ model: 'ranker', under_way: 15, limit: 41.7, queued_rows: 9 }],
  },
];

beforeAll(async () => {
  server = await startTestServer([], undefined, {
    explain: () => ({}),
    limits: (tenant) => {
      asked.push(tenant);
      return replies[samples++ % replies.length] ?? {};
    },
  });
});
afterAll(() => server.close());

async function limits(...args: string[]) {
  asked = [];
  samples = 0;
  const { io, stdout, stderr } = testIo({ env: { HEADRACE_ADDRESS: server.address } });
  // A second on this clock takes no time: the interval is what the rates are divided by.
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    wallMs: () => io.clock.wallMs(),
    setTimer: (fire: () => void, ms: number) => {
      // The calls' own deadlines are timers too, and must not fire.
      if (ms === 1000)
        setImmediate(() => {
          nowMs += 1000;
          fire();
        });
      return { cancel: () => undefined };
    },
  };
  const code = await runCli(['limits', ...args], { ...io, clock });
  return { code, stdout: stdout(), stderr: stderr() };
}

describe('headrace limits', () => {
  test('rates between two samples, limits, what is left, and why was refused', async () => {
    const { code, stdout } = await limits();
    expect(code).toBe(exitCode.ok);
    const lines = stdout.split('\n').map((line) => line.replace(/ {2,}/g, '  '));
    expect(lines).toEqual([
      `${server.address}  quotas shared (enforced)  1,200 tenants known`,
      '',
      'TENANT  TIER  REQUESTS/S  LEFT  COMPUTE MS/S  IN FLIGHT  REFUSED/S  MOSTLY',
      'acme  gold  490 of 500  120  0.0  14 of 64  19.0  RATE_LIMITED',
      '(nobody named)  free\uFFFD[2J  3.0  -  0.0  1  -',
      '',
      'MODEL  UNDER WAY  LIMIT  QUEUED ROWS',
      'ranker  15  42  9',
      '',
    ]);
  });

  test('one tenant alone, as JSON', async () => {
    const { stdout } = await limits('acme', '--once', '--json');
    expect(asked).toEqual(['acme', 'acme']);
    expect(JSON.parse(stdout)).toMatchObject({
      quotas: 'shared',
      knownTenants: 1200,
      tenants: [
        {
          tenant: 'acme',
          requests: { usedPerSecond: 490, limitPerSecond: 500 },
          refusedBy: [
            { reason: 'RATE_LIMITED', perSecond: 18 },
            { reason: 'OVERLOADED', perSecond: 1 },
          ],
        },
        {},
      ],
    });
  });
});
