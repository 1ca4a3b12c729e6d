import { describe, expect, it } from 'vitest';
import { parseTable } from './parse.js';

const head = 'apiVersion: headrace.dev/v1alpha1\nkind: RoutingTable\n';
const backends = 'backends:\n  - {name: a, address: "127.0.0.1:9001"}\n';
const problems = (text: string): string[] => {
  const parsed = parseTable(text, 't.yaml');
  return parsed.ok ? [] : parsed.refusal.map(({ path, message }) => `${path}: ${message}`);
};

describe('parseTable', () => {
  it('fills in every default', () => {
    const parsed = parseTable(head + backends, 't.yaml');
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        backends: [{ name: 'a', address: '127.0.0.1:9001', podClass: 'default', instances: undefined, tls: undefined }],
        defaults: {
          backends: undefined,
          timeoutMs: 30_000,
          idempotent: true,
          batching: { maxBatchRows: undefined, maxQueuedRows: 4096, maxLanes: 256, agingMs: 1000 },
          priority: { bands: 4, defaultBand: 3, bypassBand: 1, bypassMaxShare: 0.2 },
        },
        routing: { slowStartMs: 5000, retryBudget: { share: 0.2, minPerSecond: 10 }, outlier: { maxEjectedPercent: 50 } },
        maxQueuedBytes: 268_435_456,
      },
    });
  });

  it("lets a model's own word win key by key, not block by block", () => {
    const text = `${head}${backends}defaults: {timeoutMs: 1000, batching: {agingMs: 5, maxQueuedRows: 9}}\nmodels:\n  - {name: m, batching: {agingMs: 7}}\n`;
    const parsed = parseTable(text, 't.yaml');
    expect(parsed.ok && parsed.value.models.get('m')).toMatchObject({ timeoutMs: 1000, batching: { agingMs: 7, maxQueuedRows: 9 } });
  });

  const bands: readonly [string, number][] = [
    ['1', 1],
    ['2', 2],
    ['3', 2],
    ['4', 3],
    ['5', 3],
  ];
  it.each(bands)('takes the middle of %s bands as the default', (count, expected) => {
    const parsed = parseTable(`${head}${backends}defaults: {priority: {bands: ${count}}}\n`, 't.yaml');
    expect(parsed.ok && parsed.value.defaults.priority.defaultBand).toBe(expected);
  });

  it('tells all problems at once, each with its place', () => {
    const text = `${head}backends:
  - {name: a, address: nowhere}
  - {name: a, address: "h:99999"}
  - {name: c, address: "h:1", tls: {certificateFile: c.pem}}
defaults: {priority: {bands: 2, default: 3, bypass: 4}}
models:
  - {name: m, backends: [a, x]}
  - {name: m, priority: {bands: 3, map: [{priority: 9, band: 7}]}}
`;
    const found = problems(text).map((line) => line.split(': ')[0]);
    expect(found).toEqual([
      'backends[1].name',
      'models[1].name',
      'backends[0].address',
      'backends[1].address',
      'backends[2].tls.keyFile',
      'defaults.priority.default',
      'defaults.priority.bypass',
      'models[0].backends[1]',
      'models[1].priority.bypass',
      'models[1].priority.map[0].band',
    ]);
  });

  const cases: readonly [string, string, RegExp][] = [
    ['an unknown key, with a suggestion', `${head}${backends}defalts: {}\n`, /defalts: is unknown; did you mean "defaults"/],
    ['a wrong type', `${head}${backends}defaults: {timeoutMs: soon}\n`, /defaults\.timeoutMs: expected an integer/],
    ['no backend', `${head}backends: []\n`, /backends: expected at least 1/],
    ['another kind', `apiVersion: headrace.dev/v1alpha1\nkind: Route\n${backends}`, /kind: expected one of/],
    ['text that is no YAML', '{', /./],
  ];
  it.each(cases)('refuses %s', (_name, text, expected) => {
    expect(problems(text).join('\n')).toMatch(expected);
  });

  const addresses: readonly [string, boolean][] = [
    ['127.0.0.1:80', true],
    ['[::1]:80', true],
    ['dns:///pods.shop.svc:8001', true],
    ['host:0', false],
    ['host', false],
    ['http://host:80', false],
    ['::1:80', false],
  ];
  it.each(addresses)('address %s: %s', (address, valid) => {
    expect(problems(`${head}backends: [{name: a, address: "${address}"}]\n`).length === 0).toBe(valid);
  });
});
