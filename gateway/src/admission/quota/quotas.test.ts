import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Quotas } from './quotas.js';
import { tenant, tier } from './testing/policy.js';

/** 'ok' or the reason, with the wait where there is one. */
function take(quotas: Quotas, who: ReturnType<typeof tenant>, nowMs: number, computeMs = 1, model = 'm'): string {
  const refusal = quotas.take(who, model, computeMs, nowMs);
  return refusal === undefined ? 'ok' : `${refusal.reason} ${refusal.retryAfterMs?.toFixed(3)}`;
}

it('admits all without limits, and remembers next to nothing', () => {
  const quotas = new Quotas();
  const who = tenant(tier());
  expect([take(quotas, who, 0, 1e9), quotas.use(who, 0)]).toEqual(['ok', { requestsLeft: Infinity, computeLeftMs: Infinity, underWay: 1 }]);
});

describe('both limits', () => {
  it('are charged together or not at all', () => {
    const quotas = new Quotas();
    const who = tenant(tier({ requestsPerSecond: 10, burst: 2, computeMsPerSecond: 100, computeBurstMs: 50 }));
    expect(take(quotas, who, 0, 30)).toBe('ok');
    expect(take(quotas, who, 0, 30)).toBe('COMPUTE_LIMITED 100.000');
    expect(quotas.use(who, 0)).toMatchObject({ requestsLeft: 1, computeLeftMs: 20 });
    expect(take(quotas, who, 0, 10)).toBe('ok');
    expect(take(quotas, who, 0, 5)).toBe('RATE_LIMITED 100.000');
    expect(quotas.use(who, 0)).toMatchObject({ requestsLeft: 0, computeLeftMs: 10 });
  });
  it('name the one that holds back longest', () => {
    const quotas = new Quotas();
    const who = tenant(tier({ requestsPerSecond: 1, burst: 1, computeMsPerSecond: 10, computeBurstMs: 20 }));
    take(quotas, who, 0, 20);
    expect([take(quotas, who, 0, 20), take(quotas, who, 0, 5)]).toEqual(['COMPUTE_LIMITED 2000.000', 'RATE_LIMITED 1000.000']);
  });
  it('pass a request larger than the compute burst once the bucket is full', () => {
    const quotas = new Quotas();
    const who = tenant(tier({ computeMsPerSecond: 100, computeBurstMs: 50 }));
    take(quotas, who, 0, 1);
    expect([take(quotas, who, 0, 500), take(quotas, who, 10, 500), take(quotas, who, 10, 1)]).toEqual([
      'COMPUTE_LIMITED 10.000',
      'ok',
      'COMPUTE_LIMITED 4510.000',
    ]);
  });
  it('hold for one model beside those of all', () => {
    const quotas = new Quotas();
    const who = tenant(tier({ requestsPerSecond: 10, burst: 10 }, { big: { requestsPerSecond: 1, burst: 1 } }));
    expect([take(quotas, who, 0, 1, 'big'), take(quotas, who, 0, 1, 'big'), take(quotas, who, 0, 1, 'small')]).toEqual([
      'ok',
      'RATE_LIMITED 1000.000',
      'ok',
    ]);
    expect(quotas.use(who, 0).requestsLeft).toBe(8);
  });
});

describe('concurrency', () => {
  it('counts requests under way, and says in what time of late one ended', () => {
    const quotas = new Quotas();
    const who = tenant(tier({ concurrency: 2 }));
    expect([take(quotas, who, 0), take(quotas, who, 0), take(quotas, who, 0)]).toEqual(['ok', 'ok', 'CONCURRENCY_LIMITED 100.000']);
    quotas.release(who, 'm', 0);
    expect(take(quotas, who, 0)).toBe('ok');
    quotas.release(who, 'm', 20);
    quotas.release(who, 'm', 40);
    quotas.release(who, 'm', 60);
    expect(quotas.use(who, 60).underWay).toBe(0);
  });
  it('of a model holds beside that of all', () => {
    const quotas = new Quotas();
    const who = tenant(tier({ concurrency: 10 }, { big: { concurrency: 1 } }));
    expect([take(quotas, who, 0, 1, 'big'), take(quotas, who, 0, 1, 'big').slice(0, 19), take(quotas, who, 0, 1, 'm')]).toEqual([
      'ok',
      'CONCURRENCY_LIMITED',
      'ok',
    ]);
    quotas.release(who, 'big', 0);
    expect(take(quotas, who, 0, 1, 'big')).toBe('ok');
  });
  it('a concurrency of 0 refuses all', () => expect(take(new Quotas(), tenant(tier({ concurrency: 0 })), 0)).toMatch(/^CONCURRENCY/));
});

it('gives back what a later step refuses', () => {
  const quotas = new Quotas();
  const who = tenant(
    tier(
      { requestsPerSecond: 1, burst: 1, computeMsPerSecond: 1, computeBurstMs: 7, concurrency: 1 },
      { m: { requestsPerSecond: 1, burst: 1 } },
    ),
  );
  for (let round = 0; round < 3; round += 1) {
    expect(take(quotas, who, 0, 7)).toBe('ok');
    quotas.giveBack(who, 'm', 7, 0);
  }
  expect([quotas.use(who, 0).requestsLeft, quotas.use(who, 0).computeLeftMs, quotas.use(who, 0).underWay]).toEqual([1, 7, 0]);
});

describe('a reload', () => {
  it('keeps what was used: no free burst, at all models or at one', () => {
    const quotas = new Quotas();
    const who = tenant(tier({ requestsPerSecond: 10, burst: 2 }, { m: { requestsPerSecond: 10, burst: 2 } }));
    take(quotas, who, 0);
    take(quotas, who, 0);
    who.policy = tier({ requestsPerSecond: 100, burst: 50 }, { m: { requestsPerSecond: 100, burst: 50 } });
    expect([take(quotas, who, 0), take(quotas, who, 10)]).toEqual(['RATE_LIMITED 10.000', 'ok']);
  });
  it('can lift a limit, and forget those of a model', () => {
    const quotas = new Quotas();
    const who = tenant(tier({ requestsPerSecond: 1, burst: 1 }, { m: { concurrency: 1 } }));
    take(quotas, who, 0);
    who.policy = tier();
    expect(take(quotas, who, 0)).toBe('ok');
    quotas.release(who, 'm', 0);
    quotas.release(who, 'm', 0);
    expect(quotas.use(who, 0).underWay).toBe(0);
  });
  it('does not lose count when a limit of a model comes while requests are under way', () => {
    const quotas = new Quotas();
    const who = tenant(tier());
    take(quotas, who, 0);
    who.policy = tier({}, { m: { concurrency: 1 } });
    quotas.release(who, 'm', 0);
    expect([take(quotas, who, 0), take(quotas, who, 0).slice(0, 11)]).toEqual(['ok', 'CONCURRENCY']);
  });
});

it('counts refusals by reason, and charges them nothing, which is all that shadow mode needs', () => {
  const quotas = new Quotas();
  const who = tenant(tier({ requestsPerSecond: 1, burst: 1 }));
  for (let each = 0; each < 5; each += 1) take(quotas, who, 0);
  expect([quotas.refused, quotas.use(who, 0)]).toMatchObject([
    { RATE_LIMITED: 4, COMPUTE_LIMITED: 0, CONCURRENCY_LIMITED: 0, LIMITER_UNAVAILABLE: 0 },
    { requestsLeft: 0, underWay: 1 },
  ]);
});

it('may be forgotten when all is back, and not before', () => {
  const quotas = new Quotas();
  const who = tenant(tier({ requestsPerSecond: 1, burst: 1 }));
  expect(quotas.atRest(who, 0)).toBe(true);
  take(quotas, who, 0);
  expect(quotas.atRest(who, 5_000)).toBe(false);
  quotas.release(who, 'm', 1);
  expect([quotas.atRest(who, 999), quotas.atRest(who, 1_000)]).toEqual([false, true]);
});

it('the wait of a refusal is exact for any limits: the same request passes then', () => {
  const limit = fc.double({ min: 0.5, max: 1e4, noNaN: true });
  const quota = fc.record({ requestsPerSecond: limit, burst: limit, computeMsPerSecond: limit, computeBurstMs: limit });
  fc.assert(
    fc.property(quota, quota, fc.array(fc.tuple(fc.nat(200), limit), { maxLength: 40 }), (all, one, offers) => {
      const quotas = new Quotas();
      const who = tenant(tier(all, { m: one }));
      let nowMs = 0;
      for (const [gapMs, computeMs] of offers) {
        nowMs += gapMs;
        const refusal = quotas.take(who, 'm', computeMs, nowMs);
        if (refusal === undefined) continue;
        expect(refusal.retryAfterMs).toBeGreaterThan(0);
        nowMs += refusal.retryAfterMs ?? 0;
        expect(quotas.take(who, 'm', computeMs, nowMs)).toBeUndefined();
      }
    }),
  );
});
