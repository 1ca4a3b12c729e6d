import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

type Extensions = NonNullable<NonNullable<Parameters<typeof generate>[1]>['extensions']>;

interface Pair {
  readonly key: string;
  readonly cert: string;
}

/** Files of a throw-away certificate authority, of a server for 127.0.0.1 and localhost, and of clients. */
export interface TestCertificates {
  readonly authorityFile: string;
  readonly server: { readonly certificateFile: string; readonly keyFile: string };
  /** Signed by the authority, with URI, DNS and common name "trusted-client". */
  readonly client: { readonly certificateFile: string; readonly keyFile: string };
  /** The same names, signed by somebody else. */
  readonly stranger: { readonly certificateFile: string; readonly keyFile: string };
  remove(): void;
}

export const clientUri = 'spiffe://test.example/ns/default/sa/client';
export const clientDns = 'client.test.example';

export async function makeCertificates(): Promise<TestCertificates> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-tls-'));
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const store = (name: string, pair: Pair) => ({
    certificateFile: file(`${name}.crt`, pair.cert),
    keyFile: file(`${name}.key`, pair.key),
  });
  const authority = await makeAuthority('test authority');
  const other = await makeAuthority('other authority');
  const server = await signed(authority, 'server', [
    { type: 2, value: 'localhost' },
    { type: 7, ip: '127.0.0.1' },
  ]);
  const names = [
    { type: 6 as const, value: clientUri },
    { type: 2 as const, value: clientDns },
  ];
  return {
    authorityFile: file('authority.crt', authority.cert),
    server: store('server', server),
    client: store('client', await signed(authority, 'trusted-client', names)),
    stranger: store('stranger', await signed(other, 'trusted-client', names)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function makeAuthority(name: string): Promise<Pair> {
  return make(name, [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]);
}

async function signed(
  authority: Pair,
  name: string,
  altNames: Extract<Extensions[number], { name: 'subjectAltName' }>['altNames'],
): Promise<Pair> {
  return make(
    name,
    [
      { name: 'basicConstraints', cA: false },
      { name: 'subjectAltName', altNames },
    ],
    authority,
  );
}

async function make(name: string, extensions: Extensions, ca?: Pair): Promise<Pair> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions,
    ...(ca === undefined ? {} : { ca }),
  });
  return { key: made.private, cert: made.cert };
}
