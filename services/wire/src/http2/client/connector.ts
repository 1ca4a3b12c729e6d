import { lookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { describeError } from '@headrace/runtime';
import type { Clock, Timer } from '@headrace/runtime';
import type { Target } from './target.js';

export interface ConnectorOptions {
  readonly clock: Clock;
  readonly target: Target;
  /** Read anew for each connection, so that renewed certificates are used. Absent: cleartext. */
  readonly tls: (() => SecureContextOptions) | undefined;
  /** The name in the server's certificate; default: the target's host. */
  readonly serverName: string | undefined;
  /** For one address, TLS included. */
  readonly timeoutMs: number;
  /** Of names to all their addresses; default: the system's. */
  readonly resolve?: Resolve;
}

export type Resolve = (host: string, done: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void;

const systemResolve: Resolve = (host, done) => lookup(host, { all: true, verbatim: true }, done);

export type Connected = { readonly ok: true; readonly socket: Socket } | { readonly ok: false; readonly message: string };

/**
 * Finds one address of a target that can be connected to. All addresses that the name has are tried in turn, beginning at
 * another one each time, so that many channels to one name spread over its addresses.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  #round = Math.floor(Math.random() * 1_000);
  #socket: Socket | undefined;
  #cancelled = false;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  connect(done: (result: Connected) => void): void {
    this.#cancelled = false;
    const { host } = this.#options.target;
    const finish = (result: Connected): void => {
      if (!this.#cancelled) done(result);
      else if (result.ok) result.socket.destroy();
    };
    const family = isIP(host);
    if (family !== 0) return this.#tryEach([{ address: host, family }], 0, '', finish);
    const { resolve = systemResolve } = this.#options;
    resolve(host, (error, found) => {
      if (this.#cancelled) return;
      if (error !== null) return finish({ ok: false, message: `name resolution failed: ${error.message}` });
      const from = this.#round++ % Math.max(1, found.length);
      this.#tryEach([...found.slice(from), ...found.slice(0, from)], 0, '', finish);
    });
  }

  cancel(): void {
    this.#cancelled = true;
    this.#socket?.destroy();
  }

  #tryEach(addresses: readonly LookupAddress[], index: number, before: string, done: (result: Connected) => void): void {
    const next = addresses[index];
    if (next === undefined) return done({ ok: false, message: before === '' ? 'the name has no address' : before });
    this.#tryOne(next, (result) => {
      if (result.ok || this.#cancelled) done(result);
      else this.#tryEach(addresses, index + 1, result.message, done);
    });
  }

  #tryOne({ address }: LookupAddress, done: (result: Connected) => void): void {
    const { clock, target, timeoutMs } = this.#options;
    const where = `${address}:${target.port}`;
    let over = false;
    let socket: Socket | undefined;
    const timer: Timer = clock.setTimer(() => {
      finish({ ok: false, message: `no connection to ${where} within ${timeoutMs} ms` });
      socket?.destroy();
    }, timeoutMs);
    const finish = (result: Connected): void => {
      if (over) return;
      over = true;
      timer.cancel();
      done(result);
    };
    try {
      const opened = this.#open(address, () => {
        opened.removeAllListeners('error');
        opened.removeAllListeners('close');
        finish({ ok: true, socket: opened });
      });
      socket = opened;
    } catch (error) {
      return finish({ ok: false, message: describeError(error) });
    }
    this.#socket = socket;
    // After a timeout too: without a listener an error would end the process.
    socket.on('error', (error) => finish({ ok: false, message: `no connection to ${where}: ${error.message}` }));
    socket.on('close', () => finish({ ok: false, message: `no connection to ${where}: closed at once` }));
  }

  #open(address: string, connected: () => void): Socket {
    const { target, tls, serverName } = this.#options;
    const { port, host } = target;
    if (tls === undefined) return connectTcp({ host: address, port, noDelay: true }, connected);
    const name = serverName ?? host;
    const socket = connectTls(
      {
        ...tls(),
        host: address,
        port,
        ALPNProtocols: ['h2'],
        minVersion: 'TLSv1.2',
        // SNI has no form for addresses (RFC 6066, section 3).
        servername: isIP(name) === 0 ? name : '',
        // Node would check against the address that we connect to; what counts is the name that was asked for.
        checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
      },
      connected,
    );
    socket.setNoDelay(true);
    return socket;
  }
}
