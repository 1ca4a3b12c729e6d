import { refuse } from '@headrace/runtime';
import type { Refusal } from '@headrace/runtime';
import { describe, expect, it } from 'vitest';
import type { GatewayTable } from '../domain/gateway-table.js';
import type { SharedQuotaPolicy } from '../domain/traffic.js';
import { parseTable } from '../table/parse.js';
import { Admission } from './admission.js';
import type { AdmissionOptions, Grant } from './admission.js';
import type { KnownTenant } from './policy/known-tenant.js';
import { Quotas } from './quota/quotas.js';

function tableOf(rest: Record<string, unknown> = {}): GatewayTable {
  const backends = [{ name: 'a', address: '127.0.0.1:9000' }];
  const parsed = parseTable(JSON.stringify({ apiVersion: 'headrace.dev/v1alpha1', kind: 'RoutingTable', backends, ...rest }), 'test');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
  return parsed.value;
}

const slo = { models: [{ name: 'm', slo: { percentile: 95, latencyMilliseconds: 50, attainmentPercent: 99 } }] };
const policy = (tier: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  trafficPolicy: { tiers: [{ name: 't', ...tier }], defaultTier: 't', ...more },
});

function rig(rest: Record<string, unknown> = {}, options: Partial<AdmissionOptions> = {}) {
  let table = tableOf(rest);
  const admission = new Admission({ table, ...options });
  const of = (name: string, nowMs = 0): KnownTenant =>
    admission.tenantOf({ tenant: name, tier: undefined, proven: true }, nowMs) as KnownTenant;
  const ask = (name: string, nowMs = 0, rows = 1): Grant | Refusal => {
    const modelPolicy = table.models.get('m') ?? table.defaults;
    const tenant = admission.tenantOf({ tenant: name, tier: undefined, proven: true }, nowMs);
    return admission.admit({ tenant, model: 'm', policy: modelPolicy, revision: '1', rows, band: 2, returning: false }, nowMs);
  };
  const reload = (next: Record<string, unknown>): void => {
    table = tableOf(next);
    admission.setTable(table);
  };
  return { admission, of, ask, reload };
}

const reason = (answer: Grant | Refusal): string => ('reason' in answer ? answer.reason : 'in');
const granted = (answer: Grant | Refusal): Grant => {
  if ('reason' in answer) throw new Error(answer.reason);
  return answer;
};
const full = refuse('QUEUE_FULL', 'full');
const silent = { latencyMs: undefined, serviceMs: undefined, used: true };

/** Fills the model's limit. */
function fill(ask: (name: string) => Grant | Refusal): Grant[] {
  const grants: Grant[] = [];
  for (let i = 0; i < 10_000; i++) {
    const answer = ask('filler');
    if ('reason' in answer) return grants;
    grants.push(answer);
  }
  throw new Error('no limit');
}

describe('Admission', () => {
  it('makes nothing and asks nobody without a policy and an SLO', () => {
    const { admission, ask } = rig();
    expect(admission.tenantOf({ tenant: 'x', tier: undefined, proven: true }, 0)).toBeUndefined();
    const first = ask('x');
    expect(ask('y')).toBe(first);
    admission.release(granted(first), silent, 0);
    admission.giveBack(granted(first), 0);
    expect([admission.tenants, admission.limitedModels()]).toEqual([undefined, []]);
  });

  it('asks the quota before the limit: who is above a rate is told so however full the model is', () => {
    const { ask } = rig({
      ...slo,
      ...policy({ requestsPerSecond: 0.001, burst: 1 }, { tenants: [{ name: 'filler', requestsPerSecond: 1e9, burst: 1e9 }] }),
    });
    expect(reason(ask('x'))).toBe('in');
    fill(ask);
    expect(reason(ask('x'))).toBe('RATE_LIMITED');
  });

  it('gives a quota back where the limit refuses', () => {
    const { admission, ask, of } = rig({
      ...slo,
      ...policy({ requestsPerSecond: 0.001, burst: 3 }, { tenants: [{ name: 'filler', requestsPerSecond: 1e9, burst: 1e9 }] }),
    });
    const grants = fill(ask);
    for (let i = 0; i < 10; i++) expect(reason(ask('x'))).toBe('OVERLOADED');
    expect([of('x').underWay, of('x').admitted, of('x').computeMs]).toEqual([0, 0, 0]);
    for (const grant of grants) admission.release(grant, silent, 0);
    expect(admission.limitOf('m')?.underWay).toBe(0);
    expect(admission.quotas.use(of('x'), 0)).toMatchObject({ requestsLeft: 3, underWay: 0 });
  });

  it('gives all back where a later step refuses, and counts a refusal when it is told', () => {
    const { admission, ask, of } = rig({
      ...slo,
      ...policy({ requestsPerSecond: 0.001, burst: 1, concurrency: 1, computeMillisecondsPerSecond: 1, computeBurstMilliseconds: 100 }),
    });
    for (let i = 0; i < 5; i++) {
      admission.giveBack(granted(ask('x')), 0);
      admission.refused(of('x'), full);
    }
    const { underWay, admitted, computeMs, refused } = of('x');
    expect([underWay, admitted, computeMs, refused]).toEqual([0, 0, 0, new Map([['QUEUE_FULL', 5]])]);
    expect(admission.quotas.use(of('x'), 0)).toMatchObject({ requestsLeft: 1, computeLeftMs: 100, underWay: 0 });
    expect(admission.limitOf('m')?.underWay).toBe(0);
  });

  it('does not forget an idle tenant before its quota is whole again', () => {
    const { admission, ask } = rig(policy({ requestsPerSecond: 0.001, burst: 2 }));
    admission.release(granted(ask('x')), silent, 0);
    const knownAt = (nowMs: number): boolean => {
      admission.sweep(nowMs);
      return admission.tenants?.known('x') !== undefined;
    };
    expect([knownAt(999_000), knownAt(1_999_000)]).toEqual([true, false]);
  });

  it('in shadow mode lets all in, counts what it would not, and gives back only what was charged', () => {
    const seen: string[] = [];
    const { admission, ask, of } = rig(
      { ...slo, ...policy({ requestsPerSecond: 0.001, burst: 2, concurrency: 2 }, { mode: 'Shadow' }) },
      { onShadow: ({ name }, model, why) => seen.push(`${name} ${model} ${why}`) },
    );
    const grants = Array.from({ length: 4 }, () => granted(ask('x')));
    expect(seen).toEqual(['x m CONCURRENCY_LIMITED', 'x m CONCURRENCY_LIMITED']);
    expect(grants.map(({ quotas }) => quotas !== undefined)).toEqual([true, true, false, false]);
    expect(of('x')).toMatchObject({ underWay: 4, admitted: 4 });
    // Past the model's limit too, which what it let in despite itself does not count against.
    const more = Array.from({ length: 500 }, () => granted(ask('x')));
    expect(seen).toContain('x m OVERLOADED');
    const counted = admission.limitOf('m')?.underWay ?? 0;
    const free = more.filter(({ limit }) => limit === undefined);
    expect([counted, free.length > 0]).toEqual([grants.length + more.length - free.length, true]);
    for (const grant of free) admission.release(grant, silent, 0);
    expect(admission.limitOf('m')?.underWay).toBe(counted);
    for (const grant of [...grants, ...more]) if (!free.includes(grant)) admission.release(grant, silent, 0);
    expect([of('x').underWay, admission.limitOf('m')?.underWay, admission.quotas.use(of('x'), 0).underWay]).toEqual([0, 0, 0]);
  });

  it('limits a model without a policy for everybody alike', () => {
    const { admission, ask } = rig(slo);
    const grants = fill(ask);
    expect(grants.length).toBeGreaterThan(1);
    for (const grant of grants) admission.release(grant, silent, 0);
    expect(admission.limitOf('m')?.underWay).toBe(0);
  });

  it('goes on with what a tenant has left when the policy is reloaded, under the new limits', () => {
    const { ask, of, reload, admission } = rig(policy({ requestsPerSecond: 0.001, burst: 4 }));
    const grants = [ask('x'), ask('x'), ask('x')].map(granted);
    reload(policy({ requestsPerSecond: 0.001, burst: 2 }));
    grants.push(granted(ask('x')));
    expect(reason(ask('x'))).toBe('RATE_LIMITED');
    expect(of('x').underWay).toBe(4);
    for (const grant of grants) admission.release(grant, silent, 0);
    expect([of('x').underWay, admission.quotas.use(of('x'), 0).underWay]).toEqual([0, 0]);
  });

  it("opens a fleet's quotas anew only where their address changes, and ends what the old ones were charged at the old ones", () => {
    const opened: (SharedQuotaPolicy | undefined)[] = [];
    let closed = 0;
    const openQuotas = (shared: SharedQuotaPolicy | undefined): Quotas => {
      opened.push(shared);
      return new Quotas({ onClosed: () => (closed += 1) });
    };
    const shared = (address: string) => ({ shared: { redis: { addresses: [address] } } });
    const { ask, reload, of, admission } = rig(policy({ requestsPerSecond: 0.001, burst: 1 }, shared('one:6379')), { openQuotas });
    const before = granted(ask('x'));
    reload(policy({ requestsPerSecond: 0.001, burst: 1, weight: 2 }, shared('one:6379')));
    expect([opened.length, closed]).toEqual([1, 0]);
    expect(reason(ask('x'))).toBe('RATE_LIMITED');
    reload(policy({ requestsPerSecond: 0.001, burst: 1, concurrency: 1 }, shared('two:6379')));
    expect(opened.map((each) => each?.redis.addresses)).toEqual([['one:6379'], ['two:6379']]);
    const after = granted(ask('x'));
    admission.release(before, silent, 0);
    expect(admission.quotas.use(of('x'), 0).underWay).toBe(1);
    expect(reason(ask('x'))).toBe('CONCURRENCY_LIMITED');
    admission.release(after, silent, 0);
    expect([admission.quotas.use(of('x'), 0).underWay, of('x').underWay]).toEqual([0, 0]);
    reload({});
    expect([opened.length, opened.at(-1), admission.tenants]).toEqual([3, undefined, undefined]);
  });
});
