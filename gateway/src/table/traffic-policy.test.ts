import { describe, expect, it } from 'vitest';
import { parseTable } from './parse.js';
import { parseTrafficPolicy } from './traffic-policy.js';

const head = 'apiVersion: headrace.dev/v1alpha1\nkind: TrafficPolicy\nmetadata: { name: tiers, namespace: shop }\nspec:\n';
const parse = (spec: string) => parseTrafficPolicy(`${head}${spec.replaceAll(/^/gm, '  ')}\n`, 'p.yaml');
const value = (spec: string) => {
  const parsed = parse(spec);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
  return parsed.value;
};
const problems = (spec: string): string[] => {
  const parsed = parse(spec);
  return parsed.ok ? [] : parsed.refusal.map(({ path, message }) => `${path}: ${message}`);
};

describe('parseTrafficPolicy', () => {
  it('makes a policy of one rate and a default tier', () => {
    const policy = value('tiers: [{ name: free, requestsPerSecond: 20 }]\ndefaultTier: free');
    expect(policy).toEqual({
      identity: [],
      requireIdentity: false,
      tiers: new Map([['free', policy.defaultTier]]),
      tenants: new Map(),
      defaultTier: {
        name: 'free',
        weight: 1,
        requestsPerSecond: 20,
        burst: 20,
        computeMsPerSecond: Infinity,
        computeBurstMs: Infinity,
        concurrency: Infinity,
        defaultPriority: undefined,
        maxPriority: 1,
        deadlineMs: Infinity,
        models: new Map(),
      },
      shared: undefined,
      bypassMaxShare: undefined,
      shadow: false,
    });
  });

  it('reads the example that people are shown', () => {
    const policy =
      value(`identity: [{ clientCertificate: uri }, { jwt: { issuer: https://id.example.com, claim: tenant, jwksFile: k } }, { header: x-headrace-tenant, trustHeader: true }]
tiers:
  - { name: gold, weight: 8, requestsPerSecond: 500, burst: 1000, computeMillisecondsPerSecond: 800, defaultPriority: 2, maxPriority: 1, deadlineMilliseconds: 50 }
  - { name: free, weight: 1, requestsPerSecond: 20, burst: 40, defaultPriority: 3, maxPriority: 3, deadlineMilliseconds: 500 }
tenants: [{ name: acme, tier: gold }]
defaultTier: free
bypass: { maxSharePercent: 20 }
shared: { redis: { addresses: ["redis:6379"] }, onUnavailable: LocalShare }
mode: Shadow`);
    expect(policy.identity).toEqual([
      { kind: 'clientCertificate', from: 'uri' },
      {
        kind: 'jwt',
        issuer: 'https://id.example.com',
        audience: undefined,
        claim: 'tenant',
        tierClaim: undefined,
        keys: { kind: 'file', file: 'k' },
      },
      { kind: 'header', header: 'x-headrace-tenant' },
    ]);
    expect(policy.tenants.get('acme')?.policy).toEqual(policy.tiers.get('gold'));
    expect(policy.tiers.get('gold')).toMatchObject({ burst: 1000, computeMsPerSecond: 800, computeBurstMs: 800, deadlineMs: 50 });
    expect(policy).toMatchObject({
      shadow: true,
      bypassMaxShare: 0.2,
      shared: { redis: { kind: 'single', addresses: ['redis:6379'], tls: undefined }, onUnavailable: 'localShare' },
    });
  });

  const quotas: readonly [string, string, object][] = [
    ['a rate below one still lets one in', '', { burst: 1 }],
    ["a tenant's rate takes its own burst along", 'requestsPerSecond: 500', { requestsPerSecond: 500, burst: 500 }],
    ["a tenant's burst leaves the tier's rate", 'burst: 7', { requestsPerSecond: 0.5, burst: 7 }],
    ["a tenant's weight leaves the quota", 'weight: 3', { weight: 3, requestsPerSecond: 0.5, concurrency: 9 }],
  ];
  it.each(quotas)('%s', (_name, own, expected) => {
    const policy = value(
      `tiers: [{ name: free, requestsPerSecond: 0.5, concurrency: 9 }]\ndefaultTier: free\ntenants: [{ name: acme${own && ', '}${own} }]`,
    );
    expect(policy.tenants.get('acme')?.policy).toMatchObject(expected);
  });

  it("lays a tenant's limits for a model over its tier's, model by model", () => {
    const policy = value(`tiers: [{ name: free, models: [{ name: a, requestsPerSecond: 5, concurrency: 2 }, { name: b, concurrency: 1 }] }]
defaultTier: free
tenants: [{ name: acme, models: [{ name: a, concurrency: 8 }] }]`);
    expect(policy.tenants.get('acme')?.policy.models).toMatchObject(
      new Map([
        ['a', { requestsPerSecond: 5, burst: 5, concurrency: 8 }],
        ['b', { requestsPerSecond: Infinity, concurrency: 1 }],
      ]),
    );
  });

  it('limits nothing where it says nothing', () => {
    expect(value('mode: Enforce').defaultTier).toMatchObject({ name: 'default', requestsPerSecond: Infinity, concurrency: Infinity });
  });

  it('tells every error at once, each with its path', () => {
    const found = problems(`identity:
  - { header: x-tenant }
  - { clientCertificate: uri, header: x-tenant, trustHeader: true }
  - {}
  - { jwt: { issuer: a, jwksUri: "http://id.example.com/keys" } }
  - { jwt: { issuer: a } }
tiers:
  - { name: gold, defaultPriority: 1, maxPriority: 2 }
  - { name: gold, burst: 3 }
  - { name: free, computeBurstMilliseconds: 3, models: [{ name: m, burst: 2 }, { name: m }] }
tenants:
  - { name: acme, tier: silver }
  - { name: acme, tier: free, defaultPriority: 4, maxPriority: 9 }
  - { name: "a\\tb", tier: free }
defaultTier: bronze
shared: { redis: { addresses: ["a:1", "a:1", "b"] } }
mood: dark`).map((line) => line.split(': ')[0]);
    expect(found).toEqual([
      'spec.mood',
      'spec.shared.redis.addresses[2]',
      'spec.identity[0].trustHeader',
      'spec.identity[1]',
      'spec.identity[2]',
      'spec.identity[3].jwt.jwksUri',
      'spec.identity[4].jwt',
      'spec.tiers[1].name',
      'spec.tenants[1].name',
      'spec.defaultTier',
      'spec.tiers[0].defaultPriority',
      'spec.tiers[1].burst',
      'spec.tiers[2].computeBurstMilliseconds',
      'spec.tiers[2].models[1].name',
      'spec.tiers[2].models[0].burst',
      'spec.tenants[0].tier',
      'spec.tenants[1].defaultPriority',
      'spec.tenants[2].name',
      'spec.shared.redis.addresses[1]',
      'spec.shared.redis.sentinelName',
    ]);
  });

  it('says nothing of meaning where a type is wrong', () => {
    expect(problems('tiers: 7\ndefaultTier: gone')).toEqual(['spec.tiers: expected an array, got 7']);
  });

  const refused: readonly [string, string, RegExp][] = [
    ['a header without trust, and says why', 'identity: [{ header: x-t }]', /trustHeader: a header proves nothing: every client can write/],
    ['a header that trusts in vain', 'identity: [{ header: x-t, trustHeader: false }]', /trustHeader: a header proves nothing/],
    ['trust without a header', 'identity: [{ clientCertificate: uri, trustHeader: true }]', /trustHeader: belongs to header/],
    ['a header of bytes', 'identity: [{ header: x-t-bin, trustHeader: true }]', /header: metadata keys that end in -bin/],
    ['credentials as a name', 'identity: [{ header: authorization, trustHeader: true }]', /header: authorization carries credentials/],
    ['an upper-case header', 'identity: [{ header: X-T, trustHeader: true }]', /identity\[0\]\.header: expected text that matches/],
    ['keys over plain http', 'identity: [{ jwt: { issuer: a, jwksUri: "http://127.0.0.1.example.com/" } }]', /jwksUri: expected https/],
    ['keys from a file URL', 'identity: [{ jwt: { issuer: a, jwksUri: "file:///etc/keys" } }]', /jwksUri: expected https/],
    ['a password in a URL', 'identity: [{ jwt: { issuer: a, jwksUri: "https://u:p@id/keys" } }]', /jwksUri: expected a URL without/],
    ['two places of keys', 'identity: [{ jwt: { issuer: a, jwksUri: "https://id/keys", jwksFile: f } }]', /jwksFile: .* got both/],
    ['tiers without a default', 'tiers: [{ name: a }]', /defaultTier: is required where there are tiers/],
    ['an identity that nobody can have', 'requireIdentity: true', /requireIdentity: refuses everybody/],
    [
      'a cluster of sentinels',
      'shared: { redis: { addresses: ["a:1"], cluster: true, sentinelName: m } }',
      /sentinelName: a cluster has no sentinels/,
    ],
    [
      'an unknown key, with a suggestion',
      'tiers: [{ name: a, requestPerSecond: 1 }]',
      /tiers\[0\]\.requestPerSecond: is unknown; did you mean "requestsPerSecond"/,
    ],
    ['an unlikely mode', 'mode: Off', /mode: expected one of "Enforce", "Shadow"/],
    [
      'a maximum that a tier in force breaks',
      'tiers: [{ name: a, defaultPriority: 2 }]\ndefaultTier: a\ntenants: [{ name: t, maxPriority: 3 }]',
      /tenants\[0\]\.maxPriority: a request without/,
    ],
  ];
  it.each(refused)('refuses %s', (_name, spec, expected) => {
    expect(problems(spec).join('\n')).toMatch(expected);
  });

  it.each(['https://id.example.com/keys', 'http://127.0.0.1:8080/keys', 'http://[::1]/keys', 'http://localhost:1/'])(
    'takes keys from %s',
    (uri) => {
      expect(problems(`identity: [{ jwt: { issuer: a, jwksUri: "${uri}" } }]`)).toEqual([]);
    },
  );
});

describe('a policy inside a RoutingTable', () => {
  const table = (rest: string) =>
    parseTable(`apiVersion: headrace.dev/v1alpha1\nkind: RoutingTable\nbackends: [{ name: a, address: "h:1" }]\n${rest}\n`, 't.yaml');
  const pathsOf = (rest: string): string[] => {
    const parsed = table(rest);
    return parsed.ok ? [] : parsed.refusal.map(({ path, message }) => `${path}: ${message}`);
  };

  it('is the same policy', () => {
    const spec = 'tiers: [{ name: free, requestsPerSecond: 20 }]\ndefaultTier: free';
    const parsed = table(`trafficPolicy:\n${spec.replaceAll(/^/gm, '  ')}`);
    expect(parsed.ok && parsed.value.traffic).toEqual(value(spec));
    const without = table('');
    expect(without.ok && without.value.traffic).toBe(undefined);
  });

  it('tells its errors together with those of the table, under trafficPolicy', () => {
    expect(
      pathsOf('models: [{ name: m, backends: [x] }]\ntrafficPolicy: { defaultTier: gone }').map((line) => line.split(': ')[0]),
    ).toEqual(['models[0].backends[0]', 'trafficPolicy.defaultTier']);
  });

  it('bounds what skips the lanes where a model does not say so itself', () => {
    const parsed = table(
      'trafficPolicy: { bypass: { maxSharePercent: 5 } }\nmodels: [{ name: m, priority: { bypassMaxSharePercent: 50 } }]',
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
    expect(parsed.value.defaults.priority.bypassMaxShare).toBe(0.05);
    expect(parsed.value.models.get('m')?.priority.bypassMaxShare).toBe(0.5);
  });

  it('reads what a model promises and who stands in for it', () => {
    const parsed = table(`defaults: { slo: { latencyMilliseconds: 100 } }
models: [{ name: big, fallback: small, referenceMilliseconds: 2.5, slo: { percentile: 95, latencyMilliseconds: 50, attainmentPercent: 99 } }, { name: small }]`);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
    const { models, defaults } = parsed.value;
    expect(models.get('big')).toMatchObject({
      fallback: 'small',
      referenceMs: 2.5,
      slo: { percentile: 95, latencyMs: 50, attainmentShare: 0.99 },
    });
    expect(models.get('small')).toMatchObject({
      fallback: undefined,
      referenceMs: undefined,
      slo: { percentile: 99, latencyMs: 100, attainmentShare: 0.995 },
    });
    expect(defaults.slo).toEqual(models.get('small')?.slo);
  });

  const fallbacks: readonly [string, string, RegExp | undefined][] = [
    ['an unknown model', '{ name: a, fallback: x }', /models\[0\]\.fallback: expected the name of a model of this table, got "x"/],
    ['itself', '{ name: a, fallback: a }', /models\[0\]\.fallback: goes round in a circle: a -> a/],
    ['a circle of three', '{ name: a, fallback: b }, { name: b, fallback: c }, { name: c, fallback: a }', /circle: b -> c -> a -> b/],
    ['a chain', '{ name: a, fallback: b }, { name: b, fallback: c }, { name: c }', undefined],
  ];
  it.each(fallbacks)('a fallback that is %s', (_name, models, expected) => {
    const found = pathsOf(`models: [${models}]`).join('\n');
    expect(found).toMatch(expected ?? /^$/);
  });

  it('does not blame a model that leads into a circle for it', () => {
    expect(
      pathsOf('models: [{ name: a, fallback: b }, { name: b, fallback: c }, { name: c, fallback: b }]').map((line) => line.split(': ')[0]),
    ).toEqual(['models[1].fallback', 'models[2].fallback']);
  });
});
