import { refuse } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { describe, expect, it } from 'vitest';
import { Admission } from './admission/admission.js';
import type { GatewayTable } from './domain/gateway-table.js';
import { RequestTrail } from './insight/request-trail.js';
import { parseTable } from './table/parse.js';
import { AdmissionView } from './traffic-view.js';

const backends = [{ name: 'a', address: '127.0.0.1:9000' }];
function tableOf(trafficPolicy?: unknown): GatewayTable {
  const head = { apiVersion: 'headrace.dev/v1alpha1', kind: 'RoutingTable', backends };
  const parsed = parseTable(JSON.stringify({ ...head, ...(trafficPolicy === undefined ? {} : { trafficPolicy }) }), 'test');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
  return parsed.value;
}

const policy = {
  tiers: [{ name: 'gold', weight: 8, requestsPerSecond: 10, burst: 5, concurrency: 3 }, { name: 'free' }],
  tenants: [
    { name: 'acme', tier: 'gold' },
    { name: 'idle', tier: 'gold' },
  ],
  defaultTier: 'free',
};

function rig(trafficPolicy?: unknown) {
  const clock = new FakeClock();
  const table = tableOf(trafficPolicy);
  const admission = new Admission({ table });
  const trail = new RequestTrail(4);
  const view = new AdmissionView({
    clock,
    admission,
    trail,
    models: () => [{ model: 'm', under_way: 2, limit: 7, queued_rows: 3 }],
    authorize: (peer) => (peer.loopback ? undefined : refuse('PERMISSION_DENIED', 'no')),
  });
  const send = (tenant: string, times = 1): void => {
    for (let i = 0; i < times; i++) {
      const nowMs = clock.nowMs();
      const of = admission.tenantOf({ tenant, tier: undefined, proven: true }, nowMs);
      const entrant = { tenant: of, model: 'm', policy: table.defaults, revision: '1', rows: 1, band: 2, returning: false };
      const granted = admission.admit(entrant, nowMs);
      if ('reason' in granted) admission.refused(of, granted);
    }
  };
  return { clock, view, trail, send };
}

describe('limits', () => {
  it('without a policy tell of the models alone', async () => {
    expect(await rig().view.limits('', 20)).toEqual({
      shadow: false,
      quotas: 'none',
      tenants: [],
      models: [{ model: 'm', under_way: 2, limit: 7, queued_rows: 3 }],
      known_tenants: 0,
    });
  });

  it('show what a tenant used, has left and was refused', async () => {
    const { view, send } = rig(policy);
    send('acme', 5);
    const { tenants, quotas, known_tenants: known } = await view.limits('acme', 20);
    expect([quotas, known]).toEqual(['local', 2]);
    expect(tenants).toEqual([
      {
        tenant: 'acme',
        tier: 'gold',
        weight: 8,
        requests: { limit: 10, left: 2, used: 3 },
        compute_ms: { limit: 0, left: 0, used: expect.any(Number) as number },
        in_flight: 3,
        concurrency_limit: 3,
        admitted: 3,
        refused: { CONCURRENCY_LIMITED: 2 },
      },
    ]);
  });

  it("show the policy's tenants, and the busiest of the others", async () => {
    const { view, send } = rig(policy);
    send('quiet');
    send('busy', 9);
    send('', 2);
    send('acme');
    const names = async (most: number): Promise<unknown> => (await view.limits('', most)).tenants?.map(({ tenant }) => tenant);
    expect(await names(20)).toEqual(['acme', 'idle', 'busy', '', 'quiet']);
    expect(await names(1)).toEqual(['acme', 'idle', 'busy']);
    expect((await view.limits('nobody', 20)).tenants).toEqual([]);
  });

  it('are asked for by those who may', () => {
    const { view } = rig(policy);
    const peer = { address: '127.0.0.1:1', loopback: true, secure: false, identities: [] };
    expect([view.authorize(peer), view.authorize({ ...peer, loopback: false })?.reason]).toEqual([undefined, 'PERMISSION_DENIED']);
  });
});

describe('explain', () => {
  it('tells what is remembered of a request, and how far memory goes', async () => {
    const { view, trail, clock } = rig(policy);
    expect(await view.explain('r')).toEqual({ requests: [], remembered: 0, oldest_ms_ago: 0 });
    const nowMs = clock.nowMs();
    trail.note({
      requestId: 'r',
      model: 'm',
      version: '',
      tenant: 'acme',
      tier: 'gold',
      reason: 'RATE_LIMITED',
      message: 'one more came',
      retryAfterMs: 100,
      band: 0,
      loweredFrom: 0,
      identityMs: 0,
      arrivedMs: nowMs,
      queuedMs: Number.NaN,
      startedMs: Number.NaN,
      answeredMs: Number.NaN,
      endedMs: nowMs,
      backend: '',
      batchRows: 0,
      attempts: 0,
    });
    clock.advance(250);
    expect(await view.explain('r')).toMatchObject({
      requests: [
        { request_id: 'r', reason: 'RATE_LIMITED', retry_after_ms: 100, arrived_ms_ago: 250, stages: [{ name: 'admission', ms: 0 }] },
      ],
      remembered: 1,
      oldest_ms_ago: 250,
    });
    expect((await view.explain('other')).requests).toEqual([]);
  });
});
