import { statusCode } from '@headrace/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MethodHandler, Peer, TlsClientFiles, TlsServerFiles } from '../../port.js';
import type { TestCertificates } from '../certificates.js';
import { clientDns, clientUri, makeCertificates } from '../certificates.js';
import { call, inMs } from './harness.js';
import type { Harness } from './harness.js';

interface TlsCase {
  readonly name: string;
  readonly server: (files: TestCertificates) => TlsServerFiles;
  readonly client: (files: TestCertificates) => TlsClientFiles | undefined;
  /** What the server knows of the client; absent: no call comes through. */
  readonly identities?: readonly string[];
}

const plain = (files: TestCertificates): TlsServerFiles => files.server;
const mutual = (files: TestCertificates): TlsServerFiles => ({ ...files.server, clientAuthorityFile: files.authorityFile });

const cases: readonly TlsCase[] = [
  { name: 'TLS with a known authority', server: plain, client: ({ authorityFile }) => ({ authorityFile }), identities: [] },
  {
    name: 'TLS under another server name',
    server: plain,
    client: ({ authorityFile }) => ({ authorityFile, serverName: 'localhost' }),
    identities: [],
  },
  {
    name: 'TLS under a name the certificate lacks',
    server: plain,
    client: ({ authorityFile }) => ({ authorityFile, serverName: 'elsewhere.example' }),
  },
  { name: 'TLS with an unknown authority', server: plain, client: () => ({}) },
  { name: 'plain text against a TLS server', server: plain, client: () => undefined },
  {
    name: 'mutual TLS with a signed certificate',
    server: mutual,
    client: ({ authorityFile, client }) => ({ authorityFile, ...client }),
    identities: [`uri:${clientUri}`, `dns:${clientDns}`, 'cn:trusted-client'],
  },
  { name: 'mutual TLS without a certificate', server: mutual, client: ({ authorityFile }) => ({ authorityFile }) },
  {
    name: 'mutual TLS with a stranger’s certificate',
    server: mutual,
    client: ({ authorityFile, stranger }) => ({ authorityFile, ...stranger }),
  },
  {
    name: 'a client certificate that nobody asked for proves nothing',
    server: plain,
    client: ({ authorityFile, client }) => ({ authorityFile, ...client }),
    identities: [],
  },
];

export function tlsCases(harness: () => Harness): void {
  describe('over TLS', () => {
    let files: TestCertificates;
    beforeAll(async () => {
      files = await makeCertificates();
    });
    afterAll(() => files.remove());

    it.each(cases)('$name', async ({ server, client, identities }) => {
      let peer: Peer | undefined;
      const who: MethodHandler = {
        kind: 'unary',
        path: '/test.Suite/Who',
        handle: (_m, incoming) => {
          const { address, loopback, secure, identities: proven } = incoming.peer;
          peer = { address, loopback, secure, identities: proven };
          incoming.reply(Buffer.alloc(0));
        },
      };
      const tls = client(files);
      const { channel } = await harness().pair([who], { tls: server(files) }, tls === undefined ? {} : { tls });
      const outcome = await call(channel, who.path, '', { deadlineMs: inMs(10_000) });
      const met = [outcome.ok ? 'answered' : outcome.status.code, peer];
      const expected = { secure: true, loopback: true, identities };
      expect(met).toMatchObject(identities === undefined ? [statusCode.UNAVAILABLE, undefined] : ['answered', expected]);
    });

    it('names the file that cannot be read', () => {
      const { transport } = harness();
      expect(() => transport.createServer({ tls: { ...files.server, certificateFile: '/nowhere.crt' } })).toThrow(
        /certificate.*\/nowhere\.crt/,
      );
      expect(() => transport.openChannel('127.0.0.1:1', { tls: { authorityFile: '/nowhere.crt' } })).toThrow(/authority.*\/nowhere\.crt/);
    });
  });
}
