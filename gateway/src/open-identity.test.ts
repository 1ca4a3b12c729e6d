import { createHash } from 'node:crypto';
import { MetricsRegistry } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { Metadata } from '@headrace/wire';
import type { Peer } from '@headrace/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { Identity } from './admission/identity/identity.js';
import { testIssuer } from './admission/testing/issuer.js';
import { MemoryIo } from './admission/testing/memory-io.js';
import { policyOf } from './admission/testing/tiers.js';
import type { IdentitySource } from './domain/traffic.js';
import { defineGatewayMetrics } from './metrics.js';
import { meterOf } from './open-identity.js';

const issuer = await testIssuer();
const certificate: IdentitySource = { kind: 'clientCertificate', from: 'commonName' };
const bearerKey: IdentitySource = { kind: 'apiKey', file: 'keys', header: 'authorization' };
const ownHeaderKey: IdentitySource = { kind: 'apiKey', file: 'keys', header: 'x-api-key' };
const unreadKey: IdentitySource = { kind: 'apiKey', file: 'nowhere', header: 'x-api-key' };
const header: IdentitySource = { kind: 'header', header: 'x-tenant' };
const token: IdentitySource = {
  kind: 'jwt',
  issuer: issuer.issuer,
  audience: 'headrace',
  claim: 'tenant',
  tierClaim: undefined,
  keys: { kind: 'uri', uri: 'https://id/jwks' },
};
const peerOf = (...identities: readonly string[]): Peer => ({ address: '10.0.0.1:1', loopback: false, secure: true, identities });

let clock: FakeClock;
let io: MemoryIo;
let identity: Identity;
let counted: (metric: string) => Promise<readonly string[]>;

beforeEach(() => {
  clock = new FakeClock();
  io = new MemoryIo();
  io.write('keys', `keys: [{ tenant: acme, sha256: ${createHash('sha256').update('good').digest('hex')} }]`);
  io.endpoints.set('https://id/jwks', issuer.jwks());
  const registry = new MetricsRegistry({ processMetrics: false });
  const gauges = { heldRequests: () => 0, heldBytes: () => 0, queuedRows: () => 0, heldLeases: () => 0 };
  const metrics = defineGatewayMetrics(registry, { ...gauges, oldestKeysSeconds: () => identity.oldestKeysMs() / 1000 });
  identity = new Identity({ clock, io, onProblem: () => undefined, meter: meterOf(metrics) });
  // Series that count something, without the metric's name.
  counted = async (metric) =>
    (await registry.exposition())
      .split('\n')
      .filter((line) => line.startsWith(metric) && !line.endsWith(' 0'))
      .map((line) => line.slice(metric.length));
});

const use = (...sources: readonly IdentitySource[]): Promise<void> => identity.use({ ...policyOf(), identity: sources });
const signed = (): Promise<string> => issuer.token({ aud: 'headrace', tenant: 'acme' }, clock.wallMs());

describe('credential checks', () => {
  const checks = 'headrace_gateway_credential_checks_total';
  const rows: readonly [string, readonly IdentitySource[], Record<string, string>, Peer, string][] = [
    ['a certificate', [certificate], {}, peerOf('cn:acme'), '{kind="certificate",outcome="accepted"} 1'],
    ['a name in a certificate that no tenant can have', [certificate], {}, peerOf('cn:a\nb'), '{kind="certificate",outcome="rejected"} 1'],
    ['a key', [ownHeaderKey], { 'x-api-key': 'good' }, peerOf(), '{kind="key",outcome="accepted"} 1'],
    ['a key that is unknown', [ownHeaderKey], { 'x-api-key': 'bad' }, peerOf(), '{kind="key",outcome="rejected"} 1'],
    ['a key while none could be read', [unreadKey], { 'x-api-key': 'good' }, peerOf(), '{kind="key",outcome="unavailable"} 1'],
    ['a bearer key', [bearerKey, token], { authorization: 'Bearer good' }, peerOf(), '{kind="key",outcome="accepted"} 1'],
    ['a bearer key that is unknown', [bearerKey, token], { authorization: 'Bearer bad' }, peerOf(), '{kind="key",outcome="rejected"} 1'],
    ['what looks like a token', [bearerKey, token], { authorization: 'Bearer a.b.c' }, peerOf(), '{kind="token",outcome="rejected"} 1'],
    ['no credential after the scheme', [token], { authorization: 'Bearer' }, peerOf(), '{kind="token",outcome="rejected"} 1'],
    ['a trusted header', [header], { 'x-tenant': 'acme' }, peerOf(), '{kind="header",outcome="accepted"} 1'],
    ['a trusted header without a name', [header], { 'x-tenant': 'a,b' }, peerOf(), '{kind="header",outcome="rejected"} 1'],
  ];
  it.each(rows)('%s counts once, under its kind', async (_, sources, entries, peer, expected) => {
    await use(...sources);
    await identity.identify(Metadata.of(entries), peer);
    expect(await counted(checks)).toEqual([expected]);
  });

  it('a token counts when its check has ended, and each time it comes', async () => {
    await use(token);
    const metadata = Metadata.of({ authorization: `Bearer ${await signed()}` });
    const peer = peerOf();
    for (let times = 0; times < 3; times++) await identity.identify(metadata, peer);
    expect(await counted(checks)).toEqual(['{kind="token",outcome="accepted"} 3']);
  });

  it('a call without a credential is none', async () => {
    await use(certificate, bearerKey, token, header);
    await identity.identify(new Metadata(), peerOf());
    expect(await counted(checks)).toEqual([]);
  });
});

describe('the keys of an issuer', () => {
  const reads = 'headrace_gateway_key_set_reads_total';
  const age = 'headrace_gateway_key_set_age_seconds';
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await new Promise((resolve) => void setImmediate(resolve));
  };

  it('are counted by what a look found, and are as old as the last good look', async () => {
    await use(token);
    await pass(0);
    expect(await counted(reads)).toEqual(['{outcome="changed"} 1']);
    await pass(300_000);
    expect(await counted(reads)).toEqual(['{outcome="changed"} 1', '{outcome="unchanged"} 1']);
    expect(await counted(age)).toEqual([]);
    io.endpoints.set('https://id/jwks', new Error('gone'));
    await pass(300_000);
    await pass(10_000);
    expect(await counted(reads)).toEqual(['{outcome="changed"} 1', '{outcome="unchanged"} 1', '{outcome="failed"} 2']);
    expect(await counted(age)).toEqual([' 310']);
  });

  it('that never came are as old as the first try', async () => {
    io.endpoints.clear();
    await use(token);
    await pass(10_000);
    expect(await counted(age)).toEqual([' 10']);
  });

  it('of a file are counted as they change, and have no age', async () => {
    io.write('jwks', issuer.jwks());
    await use({ ...token, keys: { kind: 'file', file: 'jwks' } });
    io.write('jwks', 'nonsense');
    await pass(10_000);
    expect(await counted(reads)).toEqual(['{outcome="changed"} 1', '{outcome="failed"} 1']);
    expect(await counted(age)).toEqual([]);
  });
});
