import grpc from '@grpc/grpc-js';
import type { TlsClientFiles, TlsServerFiles } from '../port.js';
import { clientTlsOptions, serverTlsOptions, usableTls } from '../tls-files.js';

/** Throws HeadraceError INVALID_PARAMETER naming the file that cannot be read. */
export function serverCredentials(tls: TlsServerFiles | undefined): grpc.ServerCredentials {
  if (tls === undefined) return grpc.ServerCredentials.createInsecure();
  const { cert, key, ca } = serverTlsOptions(tls);
  const pair = { cert_chain: cert, private_key: key };
  return usableTls(() => grpc.ServerCredentials.createSsl(ca ?? null, [pair], ca !== undefined));
}

export function channelCredentials(tls: TlsClientFiles | undefined): grpc.ChannelCredentials {
  if (tls === undefined) return grpc.credentials.createInsecure();
  const { cert, key, ca } = clientTlsOptions(tls);
  return usableTls(() => grpc.credentials.createSsl(ca ?? null, key ?? null, cert ?? null));
}
