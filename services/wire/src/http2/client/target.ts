import { HeadraceError } from '@headrace/runtime';

export interface Target {
  readonly host: string;
  readonly port: number;
  /** The :authority of calls. */
  readonly authority: string;
}

/** "host:port", "[ipv6]:port", each with or without "dns:///" before it. Throws HeadraceError INVALID_PARAMETER. */
export function parseTarget(address: string): Target {
  const authority = address.startsWith('dns:') ? address.slice(address.lastIndexOf('/') + 1).replace(/^dns:/, '') : address;
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(authority);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port >= 0 && port <= 65_535)) {
    throw HeadraceError.of(
      'INVALID_PARAMETER',
      `address: expected "host:port" or "[ipv6]:port", got ${JSON.stringify(address.slice(0, 200))}`,
    );
  }
  return { host, port, authority };
}
