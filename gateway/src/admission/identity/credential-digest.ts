import { createHash } from 'node:crypto';

/** What credentials are kept and looked up by: SHA-256 in lower-case hexadecimal. */
export function digestOf(credential: string): string {
  return createHash('sha256').update(credential).digest('hex');
}
