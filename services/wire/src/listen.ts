import type { AddressInfo, Server } from 'node:net';
import type { Logger } from '@headrace/runtime';

/** Resolves with what is bound; rejects with Node's own error (EADDRINUSE, ...). Later errors of the listener are logged. */
export async function listenOn(
  listener: Server,
  host: string,
  port: number,
  logger: Logger,
): Promise<{ readonly host: string; readonly port: number }> {
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ host, port }, () => {
      listener.off('error', reject);
      resolve();
    });
  });
  listener.on('error', (error) => logger.error({ error }, 'listener failed'));
  const address = listener.address() as AddressInfo;
  return { host: address.address, port: address.port };
}
