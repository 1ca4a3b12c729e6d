import { createServer } from 'node:net';

export type PortState = 'free' | 'taken' | 'forbidden' | 'no such address';

/** Whether this process could listen there now. Anything unforeseen counts as free: the server itself will tell. */
export function portState(host: string, port: number): Promise<PortState> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(states[error.code ?? ''] ?? 'free'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('free')));
  });
}

const states: Readonly<Record<string, PortState>> = {
  EADDRINUSE: 'taken',
  EACCES: 'forbidden',
  EADDRNOTAVAIL: 'no such address',
  ENOTFOUND: 'no such address',
  EAI_AGAIN: 'no such address',
};
