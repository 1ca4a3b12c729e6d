import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { describeError } from '@headrace/runtime';

/**
 * Throws for files that a server cannot use. node:tls finds out about certificate and key; an authority in which it reads no
 * certificate, or not all of them, it takes without a word, and would then turn away clients that were let in before.
 */
export function checkSecureContext(options: SecureContextOptions): void {
  createSecureContext(options);
  const { ca } = options;
  if (Buffer.isBuffer(ca)) checkAuthority(ca.toString('latin1'));
}

const begin = '-----BEGIN CERTIFICATE-----';
const end = '-----END CERTIFICATE-----';

function checkAuthority(pem: string): void {
  const [, ...parts] = pem.split(begin);
  if (parts.length === 0) throw new Error('client authority: expected a PEM certificate, got none');
  for (const [index, part] of parts.entries()) {
    const length = part.indexOf(end);
    if (length < 0) throw new Error(`client authority: certificate ${index + 1} has no end`);
    try {
      new X509Certificate(`${begin}${part.slice(0, length)}${end}`);
    } catch (error) {
      throw new Error(`client authority: certificate ${index + 1} cannot be read: ${describeError(error)}`, { cause: error });
    }
  }
}
