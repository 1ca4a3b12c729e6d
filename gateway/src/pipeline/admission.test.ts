import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { KnownTenant } from '../admission/policy/known-tenant.js';
import { Quotas } from '../admission/quota/quotas.js';
import type { Caller } from '../domain/traffic.js';
import { parseTable } from '../table/parse.js';
import type { StandInModel } from '../testing/stand-in-engine.js';
import { Timeline } from '../testing/timeline.js';
import type { Sent, SentWith } from '../testing/timeline.js';

// Minutes of virtual time: how long they take here depends on the machine and is not what is tested.
vi.setConfig({ testTimeout: 120_000 });

const opened: Timeline[] = [];
afterEach(() => {
  for (const timeline of opened.splice(0)) void timeline.pipeline.close();
});

type Models = Readonly<Record<string, readonly StandInModel[]>>;

function tableOf(models: Models, rest: Record<string, unknown>): Parameters<Timeline['pipeline']['setTable']>[0] {
  const backends = Object.keys(models).map((name, i) => ({ name, address: `127.0.0.1:${9000 + i}` }));
  const head = { apiVersion: 'headrace.dev/v1alpha1', kind: 'RoutingTable', backends };
  const routing = { slowStartMs: 0, breaker: { minRuns: 1000 } };
  const parsed = parseTable(JSON.stringify({ ...head, routing, ...rest }), 'test');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
  return parsed.value;
}

function timeline(rest: Record<string, unknown> = {}, models: Models = { a: [m()] }): Timeline {
  const made = new Timeline(tableOf(models, rest), models);
  opened.push(made);
  return made;
}

const m = (more: Partial<StandInModel> = {}): StandInModel => ({ name: 'm', maxBatchRows: 0, overheadMs: 10, perRowMs: 0, ...more });
const one = { model: 'm', values: [1n] };
const reason = (sent: Sent): string | undefined =>
  sent.outcome === undefined ? 'under way' : sent.outcome.ok ? 'OK' : sent.outcome.refusal.reason;
const retryAfter = (sent: Sent): number | undefined => (sent.outcome?.ok === false ? sent.outcome.refusal.retryAfterMs : undefined);
const trailers = (sent: Sent): unknown => sent.outcome?.trailers;
const from = (tenant: string, more: SentWith = {}): SentWith => ({
  caller: { tenant, tier: undefined, proven: true } satisfies Caller,
  ...more,
});
const known = (line: Timeline, name: string): KnownTenant => {
  const tenant = line.pipeline.admission.tenants?.known(name);
  if (tenant === undefined) throw new Error(`no tenant ${name}`);
  return tenant;
};

const twoTiers = {
  tiers: [
    { name: 'gold', weight: 8, requestsPerSecond: 500, burst: 1000 },
    { name: 'free', weight: 1, requestsPerSecond: 10, burst: 2, maxPriority: 3, defaultPriority: 3, deadlineMilliseconds: 500 },
  ],
  tenants: [{ name: 'acme', tier: 'gold' }],
  defaultTier: 'free',
};

describe('quotas', () => {
  it('refuse what is above a rate, and say when it would pass: then it does', () => {
    const line = timeline({ trafficPolicy: twoTiers });
    const sent = [1, 2, 3].map(() => line.send(one, Infinity, from('visitor')));
    expect(sent.map(reason)).toEqual(['under way', 'under way', 'RATE_LIMITED']);
    const waitMs = retryAfter(sent[2] as Sent) ?? Number.NaN;
    expect(waitMs).toBeCloseTo(100, 6);
    line.clock.advance(waitMs - 1);
    expect(reason(line.send(one, Infinity, from('visitor')))).toBe('RATE_LIMITED');
    line.clock.advance(1);
    expect(reason(line.send(one, Infinity, from('visitor')))).toBe('under way');
  });

  it('of one tenant say nothing of another, nor of one whom nothing names', () => {
    const line = timeline({ trafficPolicy: twoTiers });
    for (let i = 0; i < 5; i++) line.send(one, Infinity, from('visitor'));
    const others = [from('stranger'), from('acme'), {}].map((who) => reason(line.send(one, Infinity, who)));
    expect(others).toEqual(['under way', 'under way', 'under way']);
  });

  it('charge nothing for what there is no memory for', () => {
    const line = timeline({
      trafficPolicy: { tiers: [{ name: 't', requestsPerSecond: 0.001, burst: 5, concurrency: 5 }], defaultTier: 't' },
      limits: { maxMessageBytes: 1024, maxQueuedBytes: 3_000 },
    });
    const sent = Array.from({ length: 20 }, () => line.send(one, Infinity, from('x')));
    const held = sent.filter((each) => reason(each) === 'under way').length;
    expect(held).toBeLessThan(5);
    expect(new Set(sent.map(reason))).toEqual(new Set(['under way', 'QUEUE_FULL']));
    expect(known(line, 'x')).toMatchObject({ admitted: held, underWay: held });
    line.clock.advance(1000);
    expect(line.pipeline.admission.quotas.use(known(line, 'x'), line.clock.nowMs())).toMatchObject({ underWay: 0 });
    const after = Array.from({ length: 6 - held }, () => {
      const each = line.send(one, Infinity, from('x'));
      line.clock.advance(100);
      return reason(each);
    });
    expect(after).toEqual([...Array<string>(5 - held).fill('OK'), 'RATE_LIMITED']);
  });

  it('charge nothing for what the queue refuses', () => {
    const line = timeline({
      trafficPolicy: { tiers: [{ name: 't', requestsPerSecond: 0.001, burst: 5 }], defaultTier: 't' },
      models: [{ name: 'm', batching: { maxQueuedRows: 1 } }],
    });
    const sent = Array.from({ length: 20 }, () => line.send(one, Infinity, from('x')));
    // Two at the backend and one that waits. The queue is full for its own tenant too.
    expect(sent.map(reason).filter((each) => each === 'under way')).toHaveLength(3);
    expect(new Set(sent.map(reason))).toEqual(new Set(['under way', 'QUEUE_FULL']));
    expect([known(line, 'x').admitted, known(line, 'x').refused?.get('QUEUE_FULL')]).toEqual([3, 17]);
    line.clock.advance(1000);
    expect([reason(line.send(one, Infinity, from('x'))), reason(line.send(one, Infinity, from('x')))]).toEqual(['under way', 'under way']);
    expect(reason(line.send(one, Infinity, from('x')))).toBe('RATE_LIMITED');
  });

  it('count and refuse nothing in shadow mode', async () => {
    const line = timeline({ trafficPolicy: { ...twoTiers, mode: 'Shadow' } });
    const sent = Array.from({ length: 6 }, () => line.send(one, Infinity, from('visitor')));
    line.clock.advance(100);
    expect(sent.map(reason)).toEqual(Array(6).fill('OK'));
    expect(known(line, 'visitor').refused).toEqual(new Map([['RATE_LIMITED', 4]]));
    expect(known(line, 'visitor').underWay).toBe(0);
    expect(await line.registry.exposition()).toMatch(/headrace_gateway_shadow_refusals_total\{model="m",reason="RATE_LIMITED"\} 4/);
  });

  it('hold for a table that is reloaded, and go with its policy', () => {
    const models = { a: [m()] };
    const line = timeline({ trafficPolicy: twoTiers }, models);
    const before = [1, 2].map(() => line.send(one, Infinity, from('visitor')));
    line.pipeline.setTable(tableOf(models, { trafficPolicy: { ...twoTiers, mode: 'Enforce' } }));
    expect(reason(line.send(one, Infinity, from('visitor')))).toBe('RATE_LIMITED');
    const visitor = known(line, 'visitor');
    expect(visitor.underWay).toBe(2);
    line.pipeline.setTable(tableOf(models, {}));
    expect(reason(line.send(one, Infinity, from('visitor')))).toBe('under way');
    line.clock.advance(1000);
    expect(before.map(reason)).toEqual(['OK', 'OK']);
    expect(visitor.underWay).toBe(0);
  });
});

describe('tiers', () => {
  it('lower a priority that they do not allow, and say so', () => {
    const line = timeline({ trafficPolicy: twoTiers });
    const high = { ...one, parameters: { priority: 1n } };
    const [lowered, allowed] = [line.send(high, Infinity, from('visitor')), line.send(high, Infinity, from('acme'))];
    line.clock.advance(100);
    expect([trailers(lowered), trailers(allowed)]).toEqual([{ 'x-headrace-lowered-priority': '1 -> 3' }, undefined]);
  });

  it('limit how long a request may take', () => {
    const line = timeline({ trafficPolicy: twoTiers }, { a: [m({ overheadMs: 2_000 })] });
    const [visitor, acme] = [line.send(one, Infinity, from('visitor')), line.send(one, Infinity, from('acme'))];
    line.clock.advance(5_000);
    expect([reason(visitor), visitor.doneAtMs - 1_000, reason(acme)]).toEqual(['DEADLINE_EXCEEDED', 500, 'OK']);
  });

  it('share a model by weight while there is more than can be served, and let nobody starve', () => {
    const line = timeline({
      trafficPolicy: {
        tiers: [
          { name: 'gold', weight: 4 },
          { name: 'free', weight: 1 },
        ],
        tenants: [{ name: 'acme', tier: 'gold' }],
        defaultTier: 'free',
      },
    });
    const sent = { acme: [] as Sent[], visitor: [] as Sent[] };
    for (let i = 0; i < 400; i++) for (const name of ['acme', 'visitor'] as const) sent[name].push(line.send(one, Infinity, from(name)));
    line.clock.advance(2_000);
    const answered = (name: 'acme' | 'visitor'): number => sent[name].filter((each) => reason(each) === 'OK').length;
    expect(answered('acme') / answered('visitor')).toBeGreaterThan(3.6);
    expect(answered('acme') / answered('visitor')).toBeLessThan(4.4);
    expect(answered('acme') + answered('visitor')).toBe(200);
  });
});

it('is closed only when what is held of a fleet has gone back', async () => {
  let returned = false;
  const giveBack = async (): Promise<void> => {
    await sleep(5);
    returned = true;
  };
  const line = new Timeline(
    tableOf({ a: [m()] }, {}),
    { a: [m()] },
    { openQuotas: () => Object.assign(new Quotas(), { close: giveBack }) },
  );
  await line.pipeline.close();
  expect(returned).toBe(true);
});

describe('deadlines', () => {
  it('are refused on arrival where what waits leaves no room, of the same tenant, and not of another whose turn comes first', () => {
    const line = timeline({ trafficPolicy: { tiers: [{ name: 't' }], defaultTier: 't' } });
    for (let i = 0; i < 20; i++) {
      line.send(one, Infinity, from('warm'));
      line.clock.advance(100);
    }
    const sent = Array.from({ length: 60 }, () => line.send(one, 300, from('many')));
    const few = line.send(one, 120, from('few'));
    const late = sent.at(-1) as Sent;
    expect(reason(late)).toBe('DEADLINE_UNREACHABLE');
    expect(retryAfter(late)).toBeGreaterThan(0);
    line.clock.advance(1_000);
    expect(reason(few)).toBe('OK');
    // 30 fit; a burst is taken for more to come, and room is kept for the turns of others. What was let in was in time.
    expect(sent.filter((each) => reason(each) === 'OK').length).toBeGreaterThan(20);
    expect(sent.filter((each) => reason(each) === 'DEADLINE_EXCEEDED').length).toBeLessThan(3);
  });
});

describe("a model's limit", () => {
  const slo = { name: 'm', slo: { percentile: 95, latencyMilliseconds: 60, attainmentPercent: 99 } };

  /** Sends so many requests a millisecond by turns of tenants, for so long. */
  function flood(
    line: Timeline,
    forMs: number,
    who: readonly { readonly tenant: string; readonly priority?: bigint }[],
  ): Map<string, string[]> {
    const sent = who.map(({ tenant }) => [tenant, [] as Sent[]] as const);
    for (let ms = 0; ms < forMs; ms++) {
      who.forEach(({ tenant, priority }, i) =>
        sent[i]?.[1].push(line.send({ ...one, ...(priority === undefined ? {} : { parameters: { priority } }) }, Infinity, from(tenant))),
      );
      line.clock.advance(1);
    }
    line.clock.advance(2_000);
    return new Map(sent.map(([tenant, each]) => [tenant, each.map((one) => reason(one) ?? '')]));
  }
  const share = (reasons: readonly string[] | undefined): number =>
    (reasons ?? []).filter((each) => each === 'OK').length / (reasons?.length ?? 1);

  it('sheds the lowest priority first, and says how long to wait', () => {
    const line = timeline({ models: [slo], trafficPolicy: { tiers: [{ name: 't' }], defaultTier: 't' } });
    // 100 a second can be served; 2,000 come, half of them urgent.
    const reasons = flood(line, 4_000, [
      { tenant: 'urgent', priority: 1n },
      { tenant: 'patient', priority: 4n },
    ]);
    expect(reasons.get('patient')).toContain('OVERLOADED');
    expect(share(reasons.get('urgent'))).toBeGreaterThan(3 * share(reasons.get('patient')));
    expect(known(line, 'patient').underWay + known(line, 'urgent').underWay).toBe(0);
    expect(line.pipeline.admission.limitOf('m')?.underWay).toBe(0);
  });

  it('gives back what a refused request was charged', () => {
    const line = timeline({
      models: [slo],
      trafficPolicy: { tiers: [{ name: 't', requestsPerSecond: 1_000_000, concurrency: 100_000 }], defaultTier: 't' },
    });
    flood(line, 2_000, [{ tenant: 'x' }, { tenant: 'x' }]);
    const { admitted, refused } = known(line, 'x');
    expect(refused?.get('OVERLOADED')).toBeGreaterThan(0);
    expect(admitted + [...(refused?.values() ?? [])].reduce((sum, count) => sum + count, 0)).toBe(4_000);
    expect(line.pipeline.admission.quotas.use(known(line, 'x'), line.clock.nowMs()).underWay).toBe(0);
  });

  it('is forgotten with the SLO', async () => {
    const models = { a: [m()] };
    const line = timeline({ models: [slo] }, models);
    line.send(one);
    line.clock.advance(1_000);
    expect(await line.registry.exposition()).toMatch(/headrace_gateway_concurrency_limit\{model="m"\} \d/);
    line.pipeline.setTable(tableOf(models, {}));
    expect(line.pipeline.admission.limitedModels()).toEqual([]);
    expect(await line.registry.exposition()).not.toMatch(/headrace_gateway_concurrency_limit\{/);
  });
});

describe('a fallback', () => {
  const small = m({ name: 'small', overheadMs: 1 });
  const withFallback = { models: [{ name: 'm', fallback: 'small', batching: { maxQueuedRows: 1 } }, { name: 'small' }] };

  it('answers where the queue of the first is full, and says so', () => {
    const line = timeline(withFallback, { a: [m(), small] });
    const sent = Array.from({ length: 5 }, () => line.send(one));
    line.clock.advance(1_000);
    expect(sent.map(reason)).toEqual(Array(5).fill('OK'));
    expect(sent.map(trailers)).toEqual([
      undefined,
      undefined,
      undefined,
      ...Array<unknown>(2).fill({ 'x-headrace-fallback-model': 'small' }),
    ]);
    expect(line.engine('a').runs.filter(({ model }) => model === 'small')).toHaveLength(2);
  });

  it('does not help who is at the end of its own quota, and is charged like any other request', () => {
    const policy = { tiers: [{ name: 't', requestsPerSecond: 0.001, burst: 4 }], defaultTier: 't' };
    const line = timeline({ ...withFallback, trafficPolicy: policy }, { a: [m(), small] });
    const sent = Array.from({ length: 6 }, () => line.send(one, Infinity, from('x')));
    line.clock.advance(1_000);
    expect(sent.map(reason)).toEqual(['OK', 'OK', 'OK', 'OK', 'RATE_LIMITED', 'RATE_LIMITED']);
    expect([known(line, 'x').admitted, known(line, 'x').underWay]).toEqual([4, 0]);
  });

  const anybody = { tiers: [{ name: 't' }], tenants: [{ name: 'x' }], defaultTier: 't' };
  const counted = async (line: Timeline, name: string): Promise<readonly string[]> =>
    (await line.registry.exposition()).split('\n').filter((each) => each.startsWith(`headrace_gateway_${name}_total{`));

  it.each([
    ['its queue is full', { a: [m(), small] }, [3, 2], 'QUEUE_FULL'],
    ['it is gone', { a: [small] }, [0, 5], 'MODEL_NOT_FOUND'],
  ] as const)('counts a request once, as admitted, where the first does not take it: %s', async (_, models, [first, second], why) => {
    const line = timeline({ ...withFallback, trafficPolicy: anybody }, models);
    const sent = Array.from({ length: 5 }, () => line.send(one, Infinity, from('x')));
    line.clock.advance(1_000);
    expect(sent.map(reason)).toEqual(Array(5).fill('OK'));
    expect([known(line, 'x').admitted, known(line, 'x').refused ?? new Map()]).toEqual([5, new Map()]);
    expect(await counted(line, 'tenant_requests')).toEqual(['headrace_gateway_tenant_requests_total{tenant="x",tier="t",reason="OK"} 5']);
    expect(await counted(line, 'fallbacks')).toEqual([
      `headrace_gateway_fallbacks_total{model="m",fallback="small",reason="${why}"} ${second}`,
    ]);
    expect(line.engine('a').runs.filter(({ model }) => model === 'm')).toHaveLength(first);
  });

  it('that refuses as well leaves one refusal, with the reason of the first', async () => {
    const both = { models: [withFallback.models[0], { name: 'small', batching: { maxQueuedRows: 1 } }], trafficPolicy: anybody };
    const line = timeline(both, { a: [m(), { ...small, overheadMs: 10 }] });
    const sent = Array.from({ length: 10 }, () => line.send(one, Infinity, from('x')));
    line.clock.advance(1_000);
    const answered = sent.filter((each) => reason(each) === 'OK').length;
    expect([known(line, 'x').admitted, known(line, 'x').refused]).toEqual([answered, new Map([['QUEUE_FULL', 10 - answered]])]);
  });

  it('is no help in vain: what neither serves is refused once', () => {
    const line = timeline({ ...withFallback, trafficPolicy: anybody }, { a: [m({ name: 'else' })] });
    const sent = line.send(one, Infinity, from('x'));
    expect([reason(sent), known(line, 'x').admitted, known(line, 'x').refused]).toEqual([
      'MODEL_NOT_FOUND',
      0,
      new Map([['MODEL_NOT_FOUND', 1]]),
    ]);
  });
});

describe('stage times', () => {
  const durations = (sent: Sent): [string, number][] =>
    String(sent.outcome?.trailers?.['server-timing'])
      .split(', ')
      .map((stage) => stage.split(';dur=') as [string, string])
      .map(([name, ms]) => [name, Number(ms)]);

  it.each([
    ['answered', 3, 10, Infinity, ['admission', 'queue', 'run', 'reply']],
    ['late while it ran', 0, 10, 7, ['admission', 'queue', 'run']],
    ['late while it waited', 3, 100, 50, ['admission', 'queue']],
  ])('of one that was %s add up to its time', (_name, before, overheadMs, deadlineInMs, names) => {
    const line = timeline({}, { a: [m({ overheadMs })] });
    for (let i = 0; i < before; i++) line.send(one);
    line.clock.advance(3);
    const arrivedMs = line.clock.nowMs();
    const sent = line.send(one, deadlineInMs, { wantsStageTimes: true });
    line.clock.advance(1_000);
    expect(durations(sent).map(([name]) => name)).toEqual(names);
    expect(durations(sent).reduce((sum, [, ms]) => sum + ms, 0)).toBeCloseTo(sent.doneAtMs - arrivedMs, 6);
  });
});

describe('after any story', () => {
  const tenants = ['', 'acme', 'b', 'c'];
  const policies: readonly Record<string, unknown>[] = [
    { tiers: [{ name: 't', concurrency: 4, requestsPerSecond: 200 }], defaultTier: 't' },
    { ...twoTiers, mode: 'Shadow' },
    { tiers: [{ name: 't', models: [{ name: 'm', concurrency: 2 }], deadlineMilliseconds: 40 }], defaultTier: 't' },
  ];
  const models: Models = {
    a: [m({ maxBatchRows: 4 }), m({ name: 'small', overheadMs: 2 })],
    b: [m({ maxBatchRows: 4 }), m({ name: 'small', overheadMs: 2 })],
  };
  const rest = {
    models: [
      {
        name: 'm',
        fallback: 'small',
        batching: { maxQueuedRows: 6, maxLanes: 3 },
        slo: { percentile: 90, latencyMilliseconds: 50, attainmentPercent: 99 },
      },
      { name: 'small' },
    ],
    limits: { maxQueuedBytes: 30_000 },
  };
  const send = fc.record({
    do: fc.constant('send' as const),
    tenant: fc.constantFrom(...tenants),
    priority: fc.bigInt(0n, 4n),
    rows: fc.integer({ min: 1, max: 6 }),
    deadlineMs: fc.constantFrom(5, 30, 100, Infinity),
    sequence: fc.constantFrom(0n, 0n, 0n, 1n, 2n),
    returning: fc.boolean(),
  });
  const step = fc.oneof(
    { weight: 12, arbitrary: send },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), backend: fc.constantFrom('a', 'b') }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), backend: fc.constantFrom('a', 'b') }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('policy' as const), which: fc.integer({ min: 0, max: policies.length }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), code: fc.constantFrom(13, 14) }) },
  );

  it('nothing is left of a tenant, a limit or memory, and every request was answered once', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 120 }), fc.boolean(), (story, drained) => {
        const line = timeline({ ...rest, trafficPolicy: policies[0] }, models);
        const { pipeline, clock } = line;
        const seen = new Set<KnownTenant>();
        const limits = new Set<NonNullable<ReturnType<typeof pipeline.admission.limitOf>>>();
        const sent: Sent[] = [];
        const cancelled = new Set<Sent>();
        for (const each of story) {
          if (each.do === 'advance') clock.advance(each.ms);
          else if (each.do === 'cut') line.cut(each.backend);
          else if (each.do === 'restore') line.restore(each.backend);
          else if (each.do === 'fail') line.engine('a').failures.push({ code: each.code, message: 'planned' });
          else if (each.do === 'policy') {
            const trafficPolicy = policies[each.which];
            pipeline.setTable(tableOf(models, { ...rest, ...(trafficPolicy === undefined ? {} : { trafficPolicy }) }));
          } else if (each.do === 'cancel') {
            const one = sent[each.which % Math.max(sent.length, 1)];
            if (one?.cancel() === true) cancelled.add(one);
          } else {
            const values = Array.from({ length: each.rows }, (_, row) => BigInt(row));
            const parameters = {
              priority: each.priority,
              ...(each.sequence === 0n ? {} : { sequence_id: each.sequence, sequence_start: true }),
            };
            sent.push(line.send({ model: 'm', values, parameters }, each.deadlineMs, from(each.tenant, { returning: each.returning })));
          }
          const { tenants: directory } = pipeline.admission;
          if (directory !== undefined) for (const tenant of [directory.anonymous, ...directory.all()]) seen.add(tenant);
          const limit = pipeline.admission.limitOf('m');
          if (limit !== undefined) limits.add(limit);
        }
        if (drained) void pipeline.drain();
        else for (const backend of ['a', 'b']) line.restore(backend);
        clock.advance(10_000);
        expect(sent.filter((each) => each.outcome === undefined && !cancelled.has(each))).toEqual([]);
        expect(sent.filter((each) => each.outcome !== undefined && cancelled.has(each))).toEqual([]);
        expect([...seen].filter(({ underWay }) => underWay !== 0)).toEqual([]);
        expect(
          [...seen].map((tenant) => pipeline.admission.quotas.use(tenant, clock.nowMs()).underWay).filter((count) => count !== 0),
        ).toEqual([]);
        expect([...limits].filter(({ underWay }) => underWay !== 0)).toEqual([]);
        expect([pipeline.heldBytes, pipeline.heldRequests, pipeline.queuedRows]).toEqual([0, 0, 0]);
        void pipeline.close();
      }),
      { numRuns: 60 },
    );
  });
});
