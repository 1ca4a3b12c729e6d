import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { systemClock } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Connector } from './connector.js';
import type { Connected, ConnectorOptions } from './connector.js';

const servers: Server[] = [];

async function listen(host: string, port = 0): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  servers.push(server);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return (server.address() as AddressInfo).port;
}

function connector(host: string, port: number, more: Partial<ConnectorOptions> = {}): Connector {
  return new Connector({
    clock: systemClock,
    target: { host, port, authority: host },
    tls: undefined,
    serverName: undefined,
    timeoutMs: 5_000,
    ...more,
  });
}

async function connect(one: Connector): Promise<Connected> {
  return new Promise((resolve) => one.connect(resolve));
}

describe('Connector', () => {
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('connects', async () => {
    const result = await connect(connector('127.0.0.1', await listen('127.0.0.1')));
    expect(result).toMatchObject({ ok: true });
    if (result.ok) result.socket.destroy();
  });

  it('tries all addresses, in turn: the ones that refuse cost nothing but time', async () => {
    const port = await listen('127.0.0.3');
    const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3'].map((address) => ({ address, family: 4 }));
    const one = connector('three.test', port, { resolve: (_host, done) => done(null, addresses) });
    for (let each = 0; each < 4; each++) {
      const result = await connect(one);
      if (!result.ok) throw new Error(result.message);
      expect(result.socket.remoteAddress).toBe('127.0.0.3');
      result.socket.destroy();
    }
  });

  it('begins at another address each time', async () => {
    const port = await listen('0.0.0.0');
    const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3'].map((address) => ({ address, family: 4 }));
    const one = connector('three.test', port, { resolve: (_host, done) => done(null, addresses) });
    const seen = new Set<string | undefined>();
    for (let each = 0; each < 3; each++) {
      const result = await connect(one);
      if (!result.ok) continue;
      seen.add(result.socket.remoteAddress);
      result.socket.destroy();
    }
    expect(seen).toEqual(new Set(['127.0.0.1', '127.0.0.2', '127.0.0.3']));
  });

  it('says why the last address failed when all did', async () => {
    const port = await listen('127.0.0.1');
    for (const server of servers.splice(0)) server.close();
    expect(await connect(connector('127.0.0.1', port))).toEqual({
      ok: false,
      message: expect.stringMatching(/no connection to 127\.0\.0\.1:\d+: .*ECONNREFUSED/) as string,
    });
  });

  it.each<readonly [string, ConnectorOptions['resolve'], RegExp]>([
    ['that cannot be resolved', (_host, done) => done(new Error('no such name'), []), /name resolution failed: no such name/],
    ['without an address', (_host, done) => done(null, []), /the name has no address/],
  ])('reports a name %s', async (_name, resolve, message) => {
    expect(await connect(connector('nowhere.test', 1, resolve === undefined ? {} : { resolve }))).toEqual({
      ok: false,
      message: expect.stringMatching(message) as string,
    });
  });

  it('gives up an address after its time, and goes on to the next', async () => {
    const clock = new FakeClock();
    const port = await listen('127.0.0.1');
    // A TLS handshake with a server that never says a word.
    const one = connector('127.0.0.1', port, { clock, tls: () => ({}), timeoutMs: 3_000 });
    const pending = connect(one);
    clock.advance(2_999);
    expect(clock.pendingTimers).toBe(1);
    clock.advance(1);
    expect(await pending).toEqual({ ok: false, message: expect.stringMatching(/within 3000 ms/) as string });
  });

  it.each(['while the name is looked up', 'while it connects'])('says nothing after cancel, %s', async (when) => {
    const port = await listen('127.0.0.1');
    let resolved = (): void => {};
    const one = connector(when === 'while it connects' ? '127.0.0.1' : 'later.test', port, {
      resolve: (_host, done) => (resolved = () => done(null, [{ address: '127.0.0.1', family: 4 }])),
    });
    const accepted: (number | undefined)[] = [];
    servers[0]?.on('connection', (socket) => accepted.push(socket.remotePort));
    const results: Connected[] = [];
    one.connect((result) => results.push(result));
    one.cancel();
    resolved();
    // Another that is not cancelled: connections are accepted in their order, so that the first would be counted before it.
    const other = await connect(connector('127.0.0.1', port));
    const otherPort = other.ok ? other.socket.localPort : undefined;
    await expect.poll(() => accepted).toContain(otherPort);
    if (other.ok) other.socket.destroy();
    expect(results).toEqual([]);
    expect(when === 'while it connects' ? [otherPort] : accepted).toEqual([otherPort]);
  });
});
