import { describe, expect, it, test } from 'vitest';
import type { Arrival } from './arrival.js';
import { parseBackends, parseModels } from './backend-spec.js';
import { parseDurationMs } from './settings.js';
import { isTraceSpec, parseTraceSpec, slowedBackends } from './trace-spec.js';

function first(text: string, count: number): readonly Arrival[] {
  const parsed = parseTraceSpec(text);
  if (!parsed.ok) throw new Error(parsed.refusal.join('\n'));
  const found: Arrival[] = [];
  for (const arrival of parsed.value.arrivals(1, 0)) {
    found.push(arrival);
    if (found.length === count) return found;
  }
  return found;
}

const share = (arrivals: readonly Arrival[], of: (arrival: Arrival) => boolean): number => arrivals.filter(of).length / arrivals.length;

test.each([
  ['0.2ms', 0.2],
  ['5s', 5000],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['50us', 0.05],
  ['5', NaN],
  ['-5s', NaN],
  ['1e3s', NaN],
  ['', NaN],
])('%j is %d ms', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.each([
  ['poisson', true],
  ['bursts:rate=5', true],
  ['posson:rate=5', true],
  ['requests.csv', false],
  ['/data/a:b.csv', false],
])('%j is a made trace: %s', (text, made) => {
  expect(isTraceSpec(text)).toBe(made);
});

describe('a made trace', () => {
  it('draws tenants, priorities, rows, deadlines and models by their weights, each by itself', () => {
    const arrivals = first('poisson:rate=50,tenants=gold*3+free,priority=1+3,rows=1*9+16,deadline=50ms+2s,model=a+b,tier=t', 20_000);
    expect(share(arrivals, ({ tenant }) => tenant === 'gold')).toBeCloseTo(0.75, 1);
    expect(share(arrivals, ({ priority }) => priority === 1)).toBeCloseTo(0.5, 1);
    expect(share(arrivals, ({ rows }) => rows === 16)).toBeCloseTo(0.1, 1);
    expect(share(arrivals, ({ deadlineMs }) => deadlineMs === 2000)).toBeCloseTo(0.5, 1);
    expect(share(arrivals, ({ model }) => model === 'b')).toBeCloseTo(0.5, 1);
    expect(share(arrivals, ({ tier }) => tier === 't')).toBe(1);
    expect(share(arrivals, ({ tenant, rows }) => tenant === 'gold' && rows === 16)).toBeCloseTo(0.075, 2);
  });

  it('has one tenant at a multiple of what each other asks for', () => {
    const arrivals = first('heavy-tenant:rate=100,tenants=5,factor=6', 20_000);
    expect(share(arrivals, ({ tenant }) => tenant === 'heavy')).toBeCloseTo(0.6, 1);
    expect(new Set(arrivals.map(({ tenant }) => tenant)).size).toBe(5);
  });

  it('keeps its moments when who asks for what changes', () => {
    const moments = (text: string): number[] => first(text, 100).map(({ atMs }) => atMs);
    expect(moments('poisson:rate=10,rows=1+2,tenants=3')).toEqual(moments('poisson:rate=10'));
  });

  it('slows the backend it names', () => {
    const backends = parseBackends(['count=2']);
    const trace = parseTraceSpec('slow-backend:factor=3,at=1s,for=2s,backend=2');
    if (!trace.ok || !backends.ok) throw new Error('expected both to be read');
    expect(slowedBackends(trace.value, backends.value)).toMatchObject({
      value: [{ slow: [] }, { slow: [{ fromMs: 1000, untilMs: 3000, factor: 3 }] }],
    });
    expect(slowedBackends(trace.value, backends.value.slice(1))).toEqual({
      ok: false,
      refusal: ['--trace slow-backend: backend: expected 1 to 1, got 2'],
    });
  });

  test.each<readonly [string, readonly string[]]>([
    [
      'posson:rate=3',
      [
        '--trace: expected one of poisson, bursts, diurnal, heavy-tenant, slow-backend, flash or a file, got "posson"; did you mean poisson?',
      ],
    ],
    ['poisson:rate=0', ['--trace poisson: rate: expected a number from 0 to 1000000, got "0"']],
    ['poisson:rate=Infinity', ['--trace poisson: rate: expected a number from 0 to 1000000, got "Infinity"']],
    ['poisson:rate', ['--trace poisson: rate: expected rate=VALUE']],
    ['poisson:rate=1,rate=2', ['--trace poisson: rate: is given twice']],
    [
      'poisson:factor=2',
      ['--trace poisson: factor: is not known here; expected one of deadline, model, priority, rate, rows, tenants, tier'],
    ],
    ['bursts:factr=2', ['--trace bursts: factr: is not known here; did you mean factor?']],
    [
      'diurnal:depth=2,period=5,rows=0',
      [
        '--trace diurnal: period: expected a time such as 0.2ms, 5s or 2m above 0, got "5"',
        '--trace diurnal: depth: expected a number from 0 to 1, got "2"',
        '--trace diurnal: rows: expected a whole number from 1 to 65536, or several with weights such as A*3+B, got "0"',
      ],
    ],
    [
      'poisson:rows=1*-1',
      ['--trace poisson: rows: expected a whole number from 1 to 65536, or several with weights such as A*3+B, got "1*-1"'],
    ],
    ['poisson:tenants=0', ['--trace poisson: tenants: expected a number from 1 to 100000, got "0"']],
    [
      'poisson:rate=',
      ['--trace poisson: rate: expected a value, got nothing', '--trace poisson: rate: expected a number from 0 to 1000000, got ""'],
    ],
  ])('%j is refused with all that is wrong', (text, refusal) => {
    expect(parseTraceSpec(text)).toEqual({ ok: false, refusal });
  });
});

describe('backends', () => {
  it('take what is given, and what is ordinary for the rest', () => {
    expect(
      parseBackends(['a=1ms,k=0.2ms,instances=2,count=2', 'name=x,slow=5@20s-40s+2@50s-,lost=1s-2s', 'scatter=0.1,network=1ms']),
    ).toMatchObject({
      value: [
        { name: 'backend-1-1', instances: 2, cost: { overheadMs: 1, perRowMs: 0.2 } },
        { name: 'backend-1-2' },
        {
          name: 'x',
          slow: [
            { fromMs: 20_000, untilMs: 40_000, factor: 5 },
            { fromMs: 50_000, untilMs: Infinity, factor: 2 },
          ],
          lost: [{ fromMs: 1000, untilMs: 2000 }],
          cost: { overheadMs: 2, perRowMs: 0.2, scatter: 0, networkMs: 0 },
        },
        { cost: { scatter: 0.1, networkMs: 1 } },
      ],
    });
  });

  test.each<readonly [readonly string[], readonly string[]]>([
    [['a=0ms,k=0ms'], ['--backend: a: expected a and k to make a run of one row at least 1us']],
    [
      ['a=5', 'slow=5'],
      [
        '--backend (1 of 2): a: expected a time such as 0.2ms, 5s or 2m of 0 or more, got "5"',
        '--backend (2 of 2): slow: expected a stretch of time such as 20s-40s, or 20s- for all that follows, got ""',
      ],
    ],
    [['lost=5s-3s'], ['--backend: lost: expected a stretch of time such as 20s-40s, or 20s- for all that follows, got "5s-3s"']],
    [['name=x', 'name=x'], ['--backend: name: x is given twice']],
    [['count=600', 'count=600'], ['--backend (2 of 2): count: expected at most 1000 backends in all']],
  ])('%j are refused', (texts, refusal) => {
    expect(parseBackends(texts)).toEqual({ ok: false, refusal });
  });
});

test.each([
  [['ranker'], { ok: true, value: [{ name: 'ranker', maxBatchRows: 32, costFactor: 1 }] }],
  [['name=a,max-batch=0,cost=2'], { ok: true, value: [{ name: 'a', maxBatchRows: 0, costFactor: 2 }] }],
  [['max-batch=5'], { ok: false, refusal: ["--model: name: expected name=MODEL, the model's name"] }],
  [['a', 'a'], { ok: false, refusal: ['--model: name: the same name is given twice'] }],
])('models %j', (texts, result) => {
  expect(parseModels(texts)).toEqual(result);
});
