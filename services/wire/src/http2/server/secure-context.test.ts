import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../testing/certificates.js';
import type { TestCertificates } from '../../testing/certificates.js';
import { checkSecureContext } from './secure-context.js';

describe('checkSecureContext', () => {
  let first: TestCertificates;
  let second: TestCertificates;
  beforeAll(async () => {
    [first, second] = await Promise.all([makeCertificates(), makeCertificates()]);
  });
  afterAll(() => {
    first.remove();
    second.remove();
  });
  const check = (ca: Buffer | undefined, keyFile = first.server.keyFile): void =>
    checkSecureContext({
      cert: readFileSync(first.server.certificateFile),
      key: readFileSync(keyFile),
      ...(ca === undefined ? {} : { ca }),
    });
  const authority = (of: TestCertificates): Buffer => readFileSync(of.authorityFile);

  it('takes no, one and several authorities, with comments between them', () => {
    const both = Buffer.concat([Buffer.from('# old\n'), authority(first), Buffer.from('\n# new\n'), authority(second)]);
    for (const ca of [undefined, authority(first), both]) expect(() => check(ca)).not.toThrow();
  });

  it.each<readonly [string, (of: TestCertificates) => Buffer, RegExp]>([
    ['nothing', () => Buffer.alloc(0), /expected a PEM certificate, got none/],
    ['something else', () => Buffer.from('no certificate'), /expected a PEM certificate, got none/],
    ['a certificate cut off', (of) => authority(of).subarray(0, 300), /certificate 1 has no end/],
    ['a second certificate cut off', (of) => Buffer.concat([authority(of), authority(of).subarray(0, 300)]), /certificate 2 has no end/],
    [
      'a second certificate that is none',
      (of) => Buffer.concat([authority(of), Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')]),
      /certificate 2 cannot be read/,
    ],
  ])('refuses %s as the authority', (_name, ca, message) => {
    expect(() => check(ca(first))).toThrow(message);
  });

  it('refuses a key of another certificate', () => {
    expect(() => check(undefined, second.server.keyFile)).toThrow(/mismatch/);
  });
});
