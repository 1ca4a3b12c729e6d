import { readFileSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import { HeadraceError, describeError } from '@headrace/runtime';
import type { TlsClientFiles, TlsServerFiles } from './port.js';

/** Throws HeadraceError INVALID_PARAMETER naming the file that cannot be read. */
export function serverTlsOptions(tls: TlsServerFiles): SecureContextOptions {
  return {
    cert: read('TLS certificate', tls.certificateFile),
    key: read('TLS key', tls.keyFile),
    ...(tls.clientAuthorityFile === undefined ? {} : { ca: read('TLS client authority', tls.clientAuthorityFile) }),
  };
}

/** Throws HeadraceError INVALID_PARAMETER naming what is wrong. */
export function clientTlsOptions(tls: TlsClientFiles): SecureContextOptions {
  if ((tls.certificateFile === undefined) !== (tls.keyFile === undefined)) {
    throw HeadraceError.of('INVALID_PARAMETER', 'TLS: a client certificate and its key must be given together');
  }
  return {
    ...(tls.authorityFile === undefined ? {} : { ca: read('TLS authority', tls.authorityFile) }),
    ...(tls.certificateFile === undefined ? {} : { cert: read('TLS client certificate', tls.certificateFile) }),
    ...(tls.keyFile === undefined ? {} : { key: read('TLS client key', tls.keyFile) }),
  };
}

function read(what: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw HeadraceError.of('INVALID_PARAMETER', `${what} file cannot be read: ${describeError(error)}`, undefined, { cause: error });
  }
}
