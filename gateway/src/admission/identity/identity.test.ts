import { createHash } from 'node:crypto';
import { FakeClock } from '@headrace/runtime/testing';
import { Metadata } from '@headrace/wire';
import type { Peer } from '@headrace/wire';
import { SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { IdentitySource, TrafficPolicy } from '../../domain/traffic.js';
import { testIssuer } from '../testing/issuer.js';
import type { TestIssuer } from '../testing/issuer.js';
import { MemoryIo } from '../testing/memory-io.js';
import { policyOf } from '../testing/tiers.js';
import { Identity } from './identity.js';

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
const certificate: IdentitySource = { kind: 'clientCertificate', from: 'uri' };
const header: IdentitySource = { kind: 'header', header: 'x-tenant' };
const bearerKey: IdentitySource = { kind: 'apiKey', file: 'keys', header: 'authorization' };
const ownHeaderKey: IdentitySource = { kind: 'apiKey', file: 'keys', header: 'x-api-key' };
const jwtWith = (words: Partial<Extract<IdentitySource, { kind: 'jwt' }>> = {}): IdentitySource => ({
  kind: 'jwt',
  issuer: 'https://id.example.com',
  audience: 'headrace',
  claim: 'sub',
  tierClaim: 'tier',
  keys: { kind: 'file', file: 'jwks' },
  ...words,
});
const remote = jwtWith({ keys: { kind: 'uri', uri: 'https://id/jwks' } });
const peerOf = (...identities: readonly string[]): Peer => ({ address: '10.0.0.1:1', loopback: false, secure: true, identities });
const key = 'hr_5c1c6dfb9ed54a8b8f0f7d4b6a1e2c3d';

let issuer: TestIssuer;
let clock: FakeClock;
let io: MemoryIo;
let problems: string[];
let identity: Identity;

beforeAll(async () => {
  issuer = await testIssuer();
});
beforeEach(() => {
  clock = new FakeClock();
  io = new MemoryIo();
  io.write('jwks', issuer.jwks());
  io.write('keys', `keys: [{ tenant: acme, tier: gold, sha256: ${sha256(key)} }]`);
  io.endpoints.set('https://id/jwks', issuer.jwks());
  problems = [];
  identity = new Identity({ clock, io, onProblem: (problem) => void problems.push(problem) });
});

const use = (sources: readonly IdentitySource[], more: Partial<TrafficPolicy> = {}): Promise<void> =>
  identity.use({ ...policyOf(), identity: sources, ...more });
/** "tenant", "tenant@tier", "?tenant" for one that is not proven, or "!REASON message". */
const ask = async (entries: Readonly<Record<string, string>> | Metadata, peer = peerOf()): Promise<string> => {
  const found = await identity.identify(entries instanceof Metadata ? entries : Metadata.of(entries), peer);
  if (!found.ok) return `!${found.refusal.reason} ${found.refusal.message}`;
  const { tenant, tier, proven } = found.value;
  return `${proven ? '' : '?'}${tenant}${tier === undefined ? '' : `@${tier}`}`;
};
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const tokenFor = (claims: Readonly<Record<string, unknown>>, jwtHeader?: Readonly<Record<string, unknown>>): Promise<string> =>
  issuer.token({ aud: 'headrace', ...claims }, clock.wallMs(), jwtHeader);

describe('which source decides', () => {
  const acme = peerOf('dns:acme.example', 'uri:spiffe://shop/acme', 'uri:spiffe://shop/second', 'cn:acme');
  const cases: readonly [string, readonly IdentitySource[], Record<string, string>, Peer, string][] = [
    ['no source: anonymous', [], { 'x-tenant': 'acme' }, acme, '?'],
    ['nothing presented: anonymous', [certificate, jwtWith(), bearerKey, header], {}, peerOf(), '?'],
    ['the first URI of a certificate', [certificate], {}, acme, 'spiffe://shop/acme'],
    ['the DNS name of a certificate', [{ kind: 'clientCertificate', from: 'dns' }], {}, acme, 'acme.example'],
    ['the common name of a certificate', [{ kind: 'clientCertificate', from: 'commonName' }], {}, acme, 'acme'],
    ['a certificate without such a name is passed over', [certificate, header], { 'x-tenant': 'b' }, peerOf('cn:acme'), '?b'],
    ['a header that no policy trusts', [certificate], { 'x-tenant': 'victim' }, peerOf(), '?'],
    ['a header beside a certificate', [certificate, header], { 'x-tenant': 'victim' }, acme, 'spiffe://shop/acme'],
    ['a header beside a certificate, listed first', [header, certificate], { 'x-tenant': 'victim' }, acme, 'spiffe://shop/acme'],
    ['a header beside a key, listed first', [header, bearerKey], { 'x-tenant': 'victim', ...bearer(key) }, peerOf(), 'acme@gold'],
    ['a trusted header alone', [header, certificate], { 'x-tenant': 'b' }, peerOf(), '?b'],
    ['a key of its own header', [ownHeaderKey], { 'x-api-key': key }, peerOf(), 'acme@gold'],
    ['the scheme in any case', [bearerKey], { authorization: `bEARER  ${key}` }, peerOf(), 'acme@gold'],
    ['a scheme that is not ours', [bearerKey], { authorization: 'Basic Zm9vOmJhcg==' }, peerOf(), '?'],
    ['a certificate before a bad key, by order', [certificate, bearerKey], bearer('nonsense'), acme, 'spiffe://shop/acme'],
  ];
  it.each(cases)('%s', async (_name, sources, entries, peer, expected) => {
    await use(sources);
    expect(await ask(entries, peer)).toBe(expected);
  });

  it('refuses callers that nothing names where the policy requires it', async () => {
    await use([certificate, header], { requireIdentity: true });
    expect(await ask({})).toMatch(/^!UNAUTHENTICATED expected a credential/);
    expect(await ask({ 'x-tenant': 'b' })).toBe('?b');
  });

  it('a token before a certificate, by order, and both kinds of bearer beside each other', async () => {
    await use([bearerKey, jwtWith(), certificate]);
    expect(await ask(bearer(await tokenFor({ sub: 'by-token', tier: 'gold' })), acme)).toBe('by-token@gold');
    expect(await ask(bearer(key), acme)).toBe('acme@gold');
    expect(await ask({}, acme)).toBe('spiffe://shop/acme');
  });

  it('refuses a bad credential even where a trusted header names a tenant', async () => {
    await use([header, jwtWith(), bearerKey]);
    expect(await ask({ 'x-tenant': 'acme', ...bearer('nonsense') })).toBe('!UNAUTHENTICATED the key is unknown');
    expect(await ask({ 'x-tenant': 'acme', ...bearer('a.b.c') })).toBe('!UNAUTHENTICATED the token is not accepted');
  });
});

describe('names that are no tenants', () => {
  const twice = (name: string, ...values: readonly string[]): Metadata => {
    const metadata = new Metadata();
    for (const value of values) metadata.append(name, value);
    return metadata;
  };
  const cases: readonly [string, Metadata][] = [
    ['several values of the header', twice('x-tenant', 'mine', 'victim')],
    ['several values of the header, the same', twice('x-tenant', 'mine', 'mine')],
    ['values that a proxy joined', twice('x-tenant', 'mine, victim')],
    ['an empty value', twice('x-tenant', '')],
    ['a control character', twice('x-tenant', 'a\tb')],
    ['a line break', twice('x-tenant', 'a\nb')],
    ['bytes past ASCII', twice('x-tenant', 'am\u00e9')],
    ['257 characters', twice('x-tenant', 'x'.repeat(257))],
    ['several credentials', twice('authorization', `Bearer ${key}`, 'Bearer other')],
    ['several keys', twice('x-api-key', key, key)],
    ['a bearer without a credential', twice('authorization', 'Bearer')],
  ];
  it.each(cases)('refuses %s', async (_name, metadata) => {
    await use([bearerKey, ownHeaderKey, header]);
    expect(await ask(metadata)).toMatch(/^!UNAUTHENTICATED/);
  });

  it('refuses a certificate whose name cannot be one', async () => {
    await use([certificate]);
    expect(await ask({}, peerOf(`uri:${'x'.repeat(257)}`))).toMatch(/^!UNAUTHENTICATED the name in the client certificate/);
    expect(await ask({}, peerOf('uri:a\u0000b'))).toMatch(/^!UNAUTHENTICATED/);
  });

  it('takes 256 characters, and keeps case and lookalikes apart', async () => {
    await use([header, jwtWith()]);
    expect(await ask({ 'x-tenant': 'x'.repeat(256) })).toBe(`?${'x'.repeat(256)}`);
    const names = ['acme', 'Acme', '\u0430cme', 'acme\u0301', 'acm\u00e9'];
    for (const sub of names) expect(await ask(bearer(await tokenFor({ sub })))).toBe(sub);
  });
});

describe('tokens', () => {
  const forged: readonly [string, string, () => Promise<string>][] = [
    ['another audience', 'the token is not accepted', () => tokenFor({ sub: 'a', aud: 'billing' })],
    ['no audience', 'the token is not accepted', () => tokenFor({ sub: 'a', aud: undefined })],
    ['another issuer', 'the token is not accepted', () => tokenFor({ sub: 'a', iss: 'https://id.example.com/' })],
    ['no issuer', 'the token is not accepted', () => tokenFor({ sub: 'a', iss: undefined })],
    ['a past end', 'the token has expired', () => tokenFor({ sub: 'a', exp: clock.wallMs() / 1000 - 31 })],
    ['no end', 'the token is not accepted', () => tokenFor({ sub: 'a', exp: undefined })],
    ['an end that is text', 'the token is not accepted', () => tokenFor({ sub: 'a', exp: '9999999999' })],
    ['a beginning to come', 'the token is not accepted', () => tokenFor({ sub: 'a', nbf: clock.wallMs() / 1000 + 31 })],
    ['no claim', 'the token is not accepted', () => tokenFor({})],
    ['a claim that is a number', 'the token is not accepted', () => tokenFor({ sub: 7 })],
    ['a claim that is a list', 'the token is not accepted', () => tokenFor({ sub: ['a'] })],
    ['an empty claim', 'the token is not accepted', () => tokenFor({ sub: '' })],
    ['a claim with a control character', 'the token is not accepted', () => tokenFor({ sub: 'a\u0007' })],
    ['a claim with a lone surrogate', 'the token is not accepted', () => tokenFor({ sub: 'a\ud800' })],
    ['a claim of 257 characters', 'the token is not accepted', () => tokenFor({ sub: 'x'.repeat(257) })],
    ['a tier that is a number', 'the token is not accepted', () => tokenFor({ sub: 'a', tier: 1 })],
    ['a key id that is not there', 'the key is unknown', () => tokenFor({ sub: 'a' }, { kid: 'k2' })],
    ['a key id that is a path', 'the key is unknown', () => tokenFor({ sub: 'a' }, { kid: '../../../dev/null' })],
    ['more than 8 KiB', 'the token is not accepted', () => tokenFor({ sub: 'a', more: 'x'.repeat(8192) })],
    [
      'alg none',
      'the token is not accepted',
      () => Promise.resolve(new UnsecuredJWT({ sub: 'a', iss: issuer.issuer, aud: 'headrace', exp: clock.wallMs() / 1000 + 60 }).encode()),
    ],
    [
      'alg none with a signature',
      'the token is not accepted',
      async () => {
        const [, payload = '', signature = ''] = (await tokenFor({ sub: 'a' })).split('.');
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.${signature}`;
      },
    ],
    [
      'HS256 with the public key as its secret',
      'the token is not accepted',
      async () =>
        new SignJWT({ sub: 'a', iss: issuer.issuer, aud: 'headrace', exp: Math.floor(clock.wallMs() / 1000) + 60 })
          .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
          .sign(Buffer.from(await exportSPKI(issuer.publicKey))),
    ],
    [
      "somebody else's key under our key id",
      'the signature of the token does not hold',
      async () => (await testIssuer('k1')).token({ sub: 'a', aud: 'headrace' }, clock.wallMs()),
    ],
    [
      'a key of its own in its header',
      'the signature of the token does not hold',
      async () => {
        const other = await testIssuer('k1');
        return other.token({ sub: 'a', aud: 'headrace' }, clock.wallMs(), { jwk: other.jwk, jku: 'https://evil.example/jwks' });
      },
    ],
    [
      'changed claims',
      'the signature of the token does not hold',
      async () => {
        const [head = '', , signature = ''] = (await tokenFor({ sub: 'a' })).split('.');
        const [, payload = ''] = (await tokenFor({ sub: 'victim' })).split('.');
        return `${head}.${payload}.${signature}`;
      },
    ],
  ];
  it.each(forged)('refuses %s', async (_name, message, make) => {
    await use([jwtWith()]);
    const token = await make();
    const answer = await ask(bearer(token));
    expect(answer).toBe(`!UNAUTHENTICATED ${message}`);
    // A second time, from memory.
    expect(await ask(bearer(token))).toBe(answer);
    expect(problems.join()).not.toContain(token);
  });

  it('takes an audience among several, and claims within the skew of clocks', async () => {
    await use([jwtWith({ claim: 'org' })]);
    const nowS = clock.wallMs() / 1000;
    expect(await ask(bearer(await tokenFor({ org: 'a', aud: ['x', 'headrace'], exp: nowS - 29, nbf: nowS + 29 })))).toBe('a');
  });

  it('takes what RSA, EdDSA and unnamed keys sign, and tries each key that fits', async () => {
    const [rsa, eddsa, first, second] = await Promise.all([
      testIssuer('rsa', issuer.issuer, 'RS256'),
      testIssuer('ed', issuer.issuer, 'EdDSA'),
      testIssuer(undefined, issuer.issuer),
      testIssuer(undefined, issuer.issuer),
    ]);
    io.write('jwks', rsa.jwks(eddsa.jwk, first.jwk, second.jwk));
    await use([jwtWith()]);
    for (const each of [rsa, eddsa, first, second])
      expect(await ask(bearer(await each.token({ sub: 'a', aud: 'headrace' }, clock.wallMs())))).toBe('a');
    const stranger = await testIssuer(undefined, issuer.issuer);
    expect(await ask(bearer(await stranger.token({ sub: 'a', aud: 'headrace' }, clock.wallMs())))).toContain('signature');
  });

  it('never verifies by a symmetric key, though the issuer publishes one', async () => {
    const secret = Buffer.alloc(32, 7);
    io.write('jwks', issuer.jwks({ kty: 'oct', k: secret.toString('base64url'), kid: 'h', alg: 'HS256' }));
    await use([jwtWith()]);
    const token = await new SignJWT({ sub: 'a', iss: issuer.issuer, aud: 'headrace', exp: Math.floor(clock.wallMs() / 1000) + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: 'h' })
      .sign(secret);
    expect(await ask(bearer(token))).toBe('!UNAUTHENTICATED the token is not accepted');
  });

  it('answers at once the second time, and on another connection, until the token expires', async () => {
    await use([jwtWith()]);
    const metadata = Metadata.of(bearer(await tokenFor({ sub: 'a' })));
    const peer = peerOf();
    expect(identity.identify(metadata, peer)).toBeInstanceOf(Promise);
    expect(await ask(metadata, peer)).toBe('a');
    for (const each of [peer, peer, peerOf()])
      expect(identity.identify(metadata, each)).toMatchObject({ ok: true, value: { tenant: 'a' } });
    clock.advance(3_629_000);
    expect(await ask(metadata, peer)).toBe('a');
    clock.advance(2000);
    for (const each of [peer, peerOf()])
      expect(identity.identify(metadata, each)).toMatchObject({ ok: false, refusal: { message: 'the token has expired' } });
  });

  it('checks a token once, however many ask at the same time', async () => {
    await use([jwtWith()]);
    const metadata = Metadata.of(bearer(await tokenFor({ sub: 'a' })));
    const asked = Array.from({ length: 20 }, () => identity.identify(metadata, peerOf()));
    expect(new Set(asked).size).toBe(1);
    expect(await asked[0]).toMatchObject({ ok: true });
  });

  it('bounds checks under way, per connection and in total, and lets the known through meanwhile', async () => {
    await use([jwtWith()]);
    const known = bearer(await tokenFor({ sub: 'a' }));
    await ask(known);
    const many = await Promise.all(Array.from({ length: 90 }, (_, i) => tokenFor({ sub: `t${i}` })));
    const flooder = peerOf();
    const answers = (part: readonly string[], peer: () => Peer): unknown[] =>
      part.map((token) => identity.identify(Metadata.of(bearer(token)), peer()));
    const first = answers(many.slice(0, 20), () => flooder);
    expect(first.filter((answer) => answer instanceof Promise)).toHaveLength(16);
    const rest = answers(many.slice(20), peerOf);
    expect(rest.filter((answer) => answer instanceof Promise)).toHaveLength(48);
    expect(rest.at(-1)).toMatchObject({ ok: false, refusal: { reason: 'IDENTITY_UNAVAILABLE', retryAfterMs: 100 } });
    expect(await ask(known, flooder)).toBe('a');
    await Promise.all([...first, ...rest]);
    expect(await ask(bearer(many.at(-1) ?? ''))).toBe('t89');
  });

  it('forgets what a removed key had proven', async () => {
    const next = await testIssuer('k2');
    await use([jwtWith()]);
    const [old, fresh] = [bearer(await tokenFor({ sub: 'a' })), bearer(await next.token({ sub: 'b', aud: 'headrace' }, clock.wallMs()))];
    const peer = peerOf();
    expect([await ask(old, peer), await ask(old, peer), await ask(fresh)]).toEqual(['a', 'a', '!UNAUTHENTICATED the key is unknown']);
    io.write('jwks', next.jwks());
    expect([await ask(old, peer), await ask(fresh, peer)]).toEqual(['!UNAUTHENTICATED the key is unknown', 'b']);
  });

  it('keeps the keys it has where the file turns bad', async () => {
    await use([jwtWith()]);
    for (const text of ['{', '[]', '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AA"}]}']) io.write('jwks', text);
    expect(problems).toHaveLength(4);
    expect(await ask(bearer(await tokenFor({ sub: 'a' })))).toBe('a');
  });

  it('drops private parts that an issuer published', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    io.write(
      'jwks',
      JSON.stringify({
        keys: [
          { ...(await exportJWK(issuer.privateKey)), kid: 'k1' },
          { ...(await exportJWK(privateKey)), kid: 'x' },
        ],
      }),
    );
    await use([jwtWith()]);
    expect(await ask(bearer(await tokenFor({ sub: 'a' })))).toBe('a');
  });
});

describe('keys from an endpoint', () => {
  it('asks again for a key that is not there, but once in a while only', async () => {
    await use([remote]);
    expect(await ask(bearer(await tokenFor({ sub: 'a' })))).toBe('a');
    const next = await testIssuer('k2');
    const late = bearer(await next.token({ sub: 'b', aud: 'headrace' }, clock.wallMs()));
    io.endpoints.set('https://id/jwks', issuer.jwks(next.jwk));
    for (let i = 0; i < 5; i++) expect(await ask(bearer(await tokenFor({ sub: 'a' }, { kid: `no-${i}` })))).toContain('the key is unknown');
    expect(await ask(late)).toContain('the key is unknown');
    expect(io.fetches).toBe(1);
    clock.advance(30_000);
    expect(await ask(late)).toBe('b');
    expect(io.fetches).toBe(2);
    expect(await ask(bearer(await tokenFor({ sub: 'a' })))).toBe('a');
  });

  it('goes on with the keys it has while the endpoint is down, and says so', async () => {
    await use([remote]);
    expect(await ask(bearer(await tokenFor({ sub: 'a' })))).toBe('a');
    for (const broken of [new Error('connect ECONNREFUSED'), '{"keys": []}', '<html>']) {
      io.endpoints.set('https://id/jwks', broken);
      clock.advance(300_000);
      expect(await ask(bearer(await tokenFor({ sub: `after ${String(broken)}` })))).toContain('after');
    }
    expect(problems).toHaveLength(3);
  });

  it('refuses as unavailable, not as unauthenticated, before it has any keys', async () => {
    io.endpoints.delete('https://id/jwks');
    await use([remote]);
    const token = bearer(await tokenFor({ sub: 'a' }));
    expect(await ask(token)).toMatch(/^!IDENTITY_UNAVAILABLE/);
    io.endpoints.set('https://id/jwks', issuer.jwks());
    clock.advance(10_000);
    expect(await ask(token)).toBe('a');
  });
});

describe('API keys', () => {
  it('follow their file: added, removed, and kept where it turns bad', async () => {
    await use([bearerKey]);
    expect(await ask(bearer(key))).toBe('acme@gold');
    io.write('keys', `keys: [{ tenant: other, sha256: ${sha256('new').toUpperCase()} }]`);
    expect([await ask(bearer(key)), await ask(bearer('new'))]).toEqual(['!UNAUTHENTICATED the key is unknown', 'other']);
    io.write('keys', 'keys: [{ tenant: x, sha256: short }]\nkees: 1');
    expect(problems.map((line) => line.replace(/^keys[:\d]* /, '').split(': ')[0])).toEqual(['kees', 'keys[0].sha256']);
    expect(await ask(bearer('new'))).toBe('other');
    io.write('keys', 'keys: []');
    expect(await ask(bearer('new'))).toBe('!UNAUTHENTICATED the key is unknown');
  });

  it('does not take the digest for the key', async () => {
    await use([bearerKey]);
    expect(await ask(bearer(sha256(key)))).toBe('!UNAUTHENTICATED the key is unknown');
  });

  it('refuses a file in which one key is two tenants, or a name is none', async () => {
    await use([bearerKey]);
    io.write(
      'keys',
      `keys: [{ tenant: a, sha256: ${sha256('k')} }, { tenant: b, sha256: ${sha256('k')} }, { tenant: "a\\tb", sha256: ${sha256('l')} }]`,
    );
    expect(problems.map((line) => line.split(': ')[1])).toEqual(['keys[1].sha256', 'keys[2].tenant']);
    expect(await ask(bearer(key))).toBe('acme@gold');
  });

  it('says that the keys could not be read where there is no file yet', async () => {
    await use([{ kind: 'apiKey', file: 'none', header: 'authorization' }]);
    expect(await ask(bearer(key))).toMatch(/^!IDENTITY_UNAVAILABLE/);
    expect(problems).toEqual(['none: cannot be read (ENOENT)']);
  });
});

describe('a new policy', () => {
  it('keeps what was proven where identity stays, and lets go of files where it does not', async () => {
    await use([jwtWith(), bearerKey]);
    const metadata = Metadata.of(bearer(await tokenFor({ sub: 'a' })));
    await ask(metadata);
    await use([jwtWith(), bearerKey], { shadow: true });
    expect(identity.identify(metadata, peerOf())).toMatchObject({ ok: true });
    expect(io.watched).toBe(2);
    await use([bearerKey]);
    expect(io.watched).toBe(1);
    expect(await ask(metadata)).toBe('!UNAUTHENTICATED the key is unknown');
    await identity.close();
    expect([io.watched, clock.pendingTimers, await ask(metadata)]).toEqual([0, 0, '?']);
  });

  it('ends in the last one, whatever the order in which files are read', async () => {
    await Promise.all([use([header]), use([remote]), use([certificate])]);
    expect(await ask({ 'x-tenant': 'b' })).toBe('?');
    await identity.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
