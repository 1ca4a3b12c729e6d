import { readFileSync } from 'node:fs';
import { HeadraceError, describeError } from '@headrace/runtime';
import type { TlsClientFiles, TlsServerFiles } from './port.js';

/** What the files hold, under the names that node:tls gives them. */
export interface ServerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
}
export type ClientTls = Partial<ServerTls>;

/** Throws HeadraceError INVALID_PARAMETER naming the file that cannot be read. */
export function serverTlsOptions(tls: TlsServerFiles): ServerTls {
  return {
    cert: read('TLS certificate', tls.certificateFile),
    key: read('TLS key', tls.keyFile),
    ...(tls.clientAuthorityFile === undefined ? {} : { ca: read('TLS client authority', tls.clientAuthorityFile) }),
  };
}

/** Throws HeadraceError INVALID_PARAMETER naming what is wrong. */
export function clientTlsOptions(tls: TlsClientFiles): ClientTls {
  if ((tls.certificateFile === undefined) !== (tls.keyFile === undefined)) {
    throw HeadraceError.of('INVALID_PARAMETER', 'TLS: a client certificate and its key must be given together');
  }
  return {
    ...(tls.authorityFile === undefined ? {} : { ca: read('TLS authority', tls.authorityFile) }),
    ...(tls.certificateFile === undefined ? {} : { cert: read('TLS client certificate', tls.certificateFile) }),
    ...(tls.keyFile === undefined ? {} : { key: read('TLS client key', tls.keyFile) }),
  };
}

/** Throws HeadraceError INVALID_PARAMETER where `make` cannot use what the files hold. */
export function usableTls<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw HeadraceError.of('INVALID_PARAMETER', `TLS files cannot be used: ${describeError(error)}`, undefined, { cause: error });
  }
}

function read(what: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw HeadraceError.of('INVALID_PARAMETER', `${what} file cannot be read: ${describeError(error)}`, undefined, { cause: error });
  }
}
