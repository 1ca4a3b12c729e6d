import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import { HeadraceError, describeError } from '@headrace/runtime';
import type { TlsClientFiles, TlsServerFiles } from '../port.js';

/** Throws HeadraceError INVALID_PARAMETER naming the file that cannot be read. */
export function serverCredentials(tls: TlsServerFiles | undefined): grpc.ServerCredentials {
  if (tls === undefined) return grpc.ServerCredentials.createInsecure();
  const pair = {
    cert_chain: read('TLS certificate', tls.certificateFile),
    private_key: read('TLS key', tls.keyFile),
  };
  const { clientAuthorityFile } = tls;
  if (clientAuthorityFile === undefined) return usable(() => grpc.ServerCredentials.createSsl(null, [pair], false));
  const authority = read('TLS client authority', clientAuthorityFile);
  return usable(() => grpc.ServerCredentials.createSsl(authority, [pair], true));
}

export function channelCredentials(tls: TlsClientFiles | undefined): grpc.ChannelCredentials {
  if (tls === undefined) return grpc.credentials.createInsecure();
  if ((tls.certificateFile === undefined) !== (tls.keyFile === undefined)) {
    throw HeadraceError.of('INVALID_PARAMETER', 'TLS: a client certificate and its key must be given together');
  }
  const authority = optional('TLS authority', tls.authorityFile);
  const key = optional('TLS client key', tls.keyFile);
  const certificate = optional('TLS client certificate', tls.certificateFile);
  return usable(() => grpc.credentials.createSsl(authority, key, certificate));
}

function optional(what: string, file: string | undefined): Buffer | null {
  return file === undefined ? null : read(what, file);
}

function read(what: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw HeadraceError.of('INVALID_PARAMETER', `${what} file cannot be read: ${describeError(error)}`, undefined, { cause: error });
  }
}

function usable<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw HeadraceError.of('INVALID_PARAMETER', `TLS files cannot be used: ${describeError(error)}`, undefined, { cause: error });
  }
}
