import { trafficService } from '@headrace/proto';
import type { ExplainResponse, LimitsResponse, TenantUse } from '@headrace/proto';
import { silentLogger } from '@headrace/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeExplanations, mergeLimits } from './merge-traffic.js';
import type { QuestionKind } from './messages.js';
import type { Siblings } from './sibling-questions.js';
import { relayTraffic } from './traffic-relay.js';
import type { TrafficAnswers } from './traffic-relay.js';

const { Limits, Explain } = trafficService.methods;
type LimitsPart = ReturnType<typeof Limits.response.decode>;
type ExplainPart = ReturnType<typeof Explain.response.decode>;

function limits(part: LimitsResponse): LimitsPart {
  return Limits.response.decode(Limits.response.encode(part));
}

function explained(part: ExplainResponse): ExplainPart {
  return Explain.response.decode(Explain.response.encode(part));
}

const policyNames = { named: (tenant: string) => tenant === 'acme', mostOthers: 2 };
const acme: TenantUse = {
  tenant: 'acme',
  tier: 'gold',
  weight: 4,
  requests: { limit: 100, left: 10, used: 40 },
  compute_ms: { limit: 0, left: 0, used: 7 },
  in_flight: 2,
  concurrency_limit: 8,
  admitted: 40,
  refused: { RATE_LIMITED: 3 },
};

describe('limits of several workers', () => {
  it('sum what is counted by tenant, and take the policy as it is', () => {
    const other = {
      ...acme,
      tier: 'stale',
      weight: 9,
      requests: { limit: 90, left: 5, used: 2 },
      refused: { RATE_LIMITED: 1, QUEUE_FULL: 2 },
    };
    const merged = mergeLimits([limits({ tenants: [acme] }), limits({ tenants: [other] })], policyNames);
    expect(merged?.tenants).toEqual([
      {
        tenant: 'acme',
        tier: 'gold',
        weight: 4,
        requests: { limit: 100, left: 15, used: 42 },
        compute_ms: { limit: 0, left: 0, used: 14 },
        in_flight: '4',
        concurrency_limit: '8',
        admitted: '80',
        refused: { RATE_LIMITED: '4', QUEUE_FULL: '2' },
      },
    ]);
  });

  it('tell of named tenants, and of the busiest of the others, those first that most came for', () => {
    const use = (tenant: string, admitted: number, refused = 0): TenantUse => ({ tenant, admitted, refused: { RATE_LIMITED: refused } });
    const parts = [
      [use('a', 5), use('b', 9)],
      [use('c', 1, 11), use('a', 5), use('acme', 0)],
    ];
    const merged = mergeLimits(
      parts.map((tenants) => limits({ tenants })),
      policyNames,
    );
    expect(merged?.tenants.map(({ tenant }) => tenant)).toEqual(['acme', 'c', 'a']);
  });

  it('sum models', () => {
    const part = limits({ models: [{ model: 'm', under_way: 3, limit: 12.5, queued_rows: 4 }] });
    const second = limits({
      models: [
        { model: 'n', under_way: 1 },
        { model: 'm', under_way: 2, limit: 10, queued_rows: 1 },
      ],
    });
    expect(mergeLimits([part, second], policyNames)?.models).toEqual([
      { model: 'm', under_way: '5', limit: 22.5, queued_rows: 5 },
      { model: 'n', under_way: '1', limit: 0, queued_rows: 0 },
    ]);
  });

  it.each<[string, readonly string[], string]>([
    ['shared, where all share', ['shared', 'shared'], 'shared'],
    ['a local share, where one goes on alone', ['shared', 'local share'], 'local share'],
    ['what the own one says, in the middle of a reload', ['none', 'shared'], 'none'],
  ])('say of quotas: %s', (_, each, quotas) => {
    const parts = each.map((text) => limits({ quotas: text, shadow: true, known_tenants: 3 }));
    expect(mergeLimits(parts, policyNames)).toMatchObject({ quotas, shadow: true, known_tenants: '3' });
  });

  it('are those of one worker where the others are silent, and none where nobody is', () => {
    const part = limits({ quotas: 'shared', tenants: [acme], models: [{ model: 'm' }], known_tenants: 1 });
    expect([mergeLimits([part], policyNames), mergeLimits([], policyNames)]).toEqual([part, undefined]);
  });

  it('know at least those tenants that they tell of', () => {
    const parts = ['a', 'b'].map((tenant) => limits({ tenants: [{ tenant }], known_tenants: 1 }));
    expect(mergeLimits(parts, policyNames)?.known_tenants).toBe('2');
  });

  it('add up whatever the parts are', () => {
    const use = fc.record({
      tenant: fc.constantFrom('', 'acme', '__proto__', 'b'),
      admitted: fc.maxSafeNat(),
      refused: fc.dictionary(fc.constantFrom('RATE_LIMITED', 'constructor', 'x'), fc.maxSafeNat(), { noNullPrototype: true }),
    });
    const everything = (parts: readonly LimitsPart[]): bigint =>
      parts
        .flatMap(({ tenants }) => tenants)
        .flatMap(({ admitted, refused }) => [admitted, ...Object.values(refused)])
        .reduce((total, count) => total + BigInt(count), 0n);
    fc.assert(
      fc.property(fc.array(fc.uniqueArray(use, { selector: ({ tenant }) => tenant }), { minLength: 1, maxLength: 5 }), (each) => {
        const parts = each.map((tenants) => limits({ tenants }));
        const merged = mergeLimits(parts, { named: () => false, mostOthers: 10 });
        expect(merged === undefined ? -1n : everything([merged])).toBe(everything(parts));
        expect(new Set(merged?.tenants.map(({ tenant }) => tenant)).size).toBe(merged?.tenants.length);
      }),
    );
  });
});

it('explanations of several workers: the latest first, remembered by all, since when all do', () => {
  const parts = [
    explained({
      requests: [
        { request_id: 'x', arrived_ms_ago: 5 },
        { request_id: 'x', arrived_ms_ago: 50 },
      ],
      remembered: 100,
      oldest_ms_ago: 900,
    }),
    explained({ requests: [{ request_id: 'x', arrived_ms_ago: 20 }], remembered: 7, oldest_ms_ago: 400 }),
    // It has served nothing yet.
    explained({ requests: [], remembered: 0, oldest_ms_ago: 0 }),
  ];
  const merged = mergeExplanations(parts);
  expect(merged.requests.map(({ arrived_ms_ago: ms }) => ms)).toEqual([5, 20, 50]);
  expect(merged).toMatchObject({ remembered: '107', oldest_ms_ago: 400 });
  expect(mergeExplanations([])).toEqual({ requests: [], remembered: '0', oldest_ms_ago: 0 });
});

describe('a relay of traffic questions', () => {
  function answers(worker: number): TrafficAnswers {
    return {
      limits: async (tenant, mostOthers) => ({ quotas: 'shared', tenants: [{ tenant: tenant || `of-${worker}`, admitted: mostOthers }] }),
      explain: async (requestId) => ({
        requests: [{ request_id: requestId, backend: `b${worker}`, arrived_ms_ago: worker }],
        remembered: 1,
      }),
    };
  }

  /** A relay at each of two workers, joined without a channel between them. */
  function joined(): readonly TrafficAnswers[] {
    const handlers = [1, 2].map(() => new Map<QuestionKind, (body: Buffer) => Promise<Buffer>>());
    return handlers.map((own, at) => {
      const siblings: Siblings = {
        answer: (kind, answer) => void own.set(kind, answer),
        askSiblings: async (kind, body) => {
          const answer = await handlers[1 - at]?.get(kind)?.(body);
          return [...(answer === undefined ? [] : [answer]), Buffer.from([0xff])];
        },
      };
      return relayTraffic({ own: answers(at + 1), siblings, logger: silentLogger, named: () => false });
    });
  }

  it('answers for all, asked at any of them, and leaves out what it cannot read', async () => {
    const [first, second] = joined();
    expect((await second?.limits('acme', 3))?.tenants).toMatchObject([{ tenant: 'acme', admitted: '6' }]);
    expect((await first?.limits('', 5))?.tenants?.map(({ tenant }) => tenant)).toEqual(['of-1', 'of-2']);
    expect((await first?.explain('id'))?.requests).toMatchObject([
      { request_id: 'id', backend: 'b1' },
      { request_id: 'id', backend: 'b2' },
    ]);
  });
});
