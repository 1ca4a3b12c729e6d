import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@headrace/runtime';
import { Metadata, http2Transport, refusalToStatus } from '@headrace/wire';
import type { TlsClientFiles, UnaryOutcome } from '@headrace/wire';
import { makeCertificates } from '@headrace/wire/testing';
import type { TestCertificates } from '@headrace/wire/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { identityIo } from '../../sources/identity-io.js';
import { parseTrafficPolicy } from '../../table/traffic-policy.js';
import { testIssuer } from '../testing/issuer.js';
import { Identity } from './identity.js';

/** Everything real: TLS, certificates, tokens, an endpoint of keys, a Secret's files, and the policy as people write it. */
describe('a policy on the wire', { timeout: 60_000 }, () => {
  const closing: (() => unknown)[] = [];
  let certificates: TestCertificates;
  let folder: string;
  let token: string;
  let ask: (tls: TlsClientFiles, entries: Record<string, string>) => Promise<string>;
  const secret = (version: string, key: string): void => {
    mkdirSync(join(folder, version));
    const sha256 = createHash('sha256').update(key).digest('hex');
    writeFileSync(join(folder, version, 'keys.yaml'), `keys: [{ tenant: acme, sha256: ${sha256} }]\n`);
    symlinkSync(version, join(folder, '..tmp'));
    renameSync(join(folder, '..tmp'), join(folder, '..data'));
  };

  beforeAll(async () => {
    certificates = await makeCertificates();
    folder = mkdtempSync(join(tmpdir(), 'headrace-identity-'));
    const issuer = await testIssuer();
    const endpoint = createServer((_, response) => void response.end(issuer.jwks()));
    await new Promise<void>((listening) => endpoint.listen(0, '127.0.0.1', listening));
    token = await issuer.token({ aud: 'headrace', tenant: 'by-token' }, systemClock.wallMs());
    secret('..1', 'first');
    symlinkSync('..data/keys.yaml', join(folder, 'keys.yaml'));

    const parsed = parseTrafficPolicy(
      `apiVersion: headrace.dev/v1alpha1
kind: TrafficPolicy
spec:
  identity:
    - { header: x-tenant, trustHeader: true }
    - { jwt: { issuer: ${issuer.issuer}, audience: headrace, claim: tenant, jwksUri: "http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/" } }
    - { apiKeys: { file: ${join(folder, 'keys.yaml')} } }
    - { clientCertificate: commonName }
`,
      'policy.yaml',
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
    const identity = new Identity({ clock: systemClock, io: identityIo(systemClock), onProblem: (problem) => expect.fail(problem) });
    await identity.use(parsed.value);

    const transport = http2Transport(systemClock);
    const server = transport.createServer({ tls: { ...certificates.server, clientAuthorityFile: certificates.authorityFile } });
    server.register({
      kind: 'unary',
      path: '/test/Who',
      handle: (_message, call) => {
        void Promise.resolve(identity.identify(call.metadata, call.peer)).then((found) => {
          if (found.ok) call.reply(Buffer.from(found.value.tenant));
          else call.fail(refusalToStatus(found.refusal));
        });
      },
    });
    const { port } = await server.listen('127.0.0.1', 0);
    ask = async (tls, entries) => {
      const channel = transport.openChannel(`127.0.0.1:${port}`, { tls: { authorityFile: certificates.authorityFile, ...tls } });
      const outcome = await new Promise<UnaryOutcome>((done) =>
        channel.unary('/test/Who', Buffer.alloc(0), { metadata: Metadata.of(entries), deadlineMs: systemClock.nowMs() + 20_000 }, done),
      );
      channel.close();
      return outcome.ok ? outcome.message.toString() : `${outcome.status.code}: ${outcome.status.message}`;
    };
    closing.push(
      () => server.drain(0),
      () => identity.close(),
      () => endpoint.close(),
    );
  });
  afterAll(async () => {
    for (const close of closing) await close();
    certificates.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('knows the client by its certificate, whatever its header says', async () => {
    expect(await ask(certificates.client, {})).toBe('trusted-client');
    expect(await ask(certificates.client, { 'x-tenant': 'victim' })).toBe('trusted-client');
  });

  it('knows it by its token and by its key, listed before the certificate', async () => {
    expect(await ask(certificates.client, { authorization: `Bearer ${token}` })).toBe('by-token');
    expect(await ask(certificates.client, { authorization: 'Bearer first', 'x-tenant': 'victim' })).toBe('acme');
  });

  it('tells the client UNAUTHENTICATED for a bad key, and nothing of it', async () => {
    expect(await ask(certificates.client, { authorization: 'Bearer wrong' })).toBe('16: the key is unknown');
  });

  it('takes a rotated Secret', async () => {
    secret('..2', 'second');
    await vi.waitFor(async () => expect(await ask(certificates.client, { authorization: 'Bearer second' })).toBe('acme'), {
      timeout: 30_000,
      interval: 50,
    });
    expect(await ask(certificates.client, { authorization: 'Bearer first' })).toBe('16: the key is unknown');
  });
});
