import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis } from 'ioredis';
import type { RedisOptions as AllOptions } from 'ioredis';
import { silentLogger } from '@headrace/runtime';
import type { Logger } from '@headrace/runtime';
import type { RedisTarget } from '../../../domain/traffic.js';
import type { ScriptRunner } from './redis-store.js';

/** How replies are mapped stays as it is; ioredis types clients by it. */
type RedisOptions = Omit<AllOptions, 'replyMapping'>;

export interface RedisConnection {
  readonly client: ScriptRunner;
  /** Ends at once; what is under way is rejected. */
  close(): void;
}

/** Longer than an exchange may take, so that a stopped server costs the connection only once its exchanges have failed. */
const silentMs = 1_000;
const firstRetryMs = 50;
const longestRetryMs = 1_000;
const defaultPort = 6379;
const defaultSentinelPort = 26379;

/**
 * Connects in the background and again whenever the connection is lost: never waits, and nothing is kept for later, as an exchange that
 * fails is asked anew by its tenant. Secrets and authorities are read again before each attempt, so that rotated ones are taken.
 */
export function connectRedis(target: RedisTarget, log: Logger = silentLogger): RedisConnection {
  const secrets = new Secrets(target, log);
  const client = target.kind === 'cluster' ? connectCluster(target, secrets) : connectOne(target, secrets);
  reportChanges(client, log);
  return { client, close: () => client.disconnect() };
}

function connectOne(target: RedisTarget, secrets: Secrets): Redis {
  const client = new Redis({
    ...common(secrets),
    ...(target.kind === 'sentinel' ? sentinels(target, secrets) : addressOf(target.addresses[0] ?? '', defaultPort)),
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    retryStrategy: (attempt: number) => {
      Object.assign(client.options, secrets.read());
      return retryAfterMs(attempt);
    },
  });
  return client;
}

function sentinels(target: RedisTarget, secrets: Secrets): RedisOptions {
  const { tls } = secrets.read();
  return {
    sentinels: target.addresses.map((address) => addressOf(address, defaultSentinelPort)),
    name: target.sentinelName ?? '',
    // Told by the sentinels, and not only by a connection that breaks.
    failoverDetector: true,
    sentinelRetryStrategy: retryAfterMs,
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
  };
}

function connectCluster(target: RedisTarget, secrets: Secrets): Cluster {
  return new Cluster(
    target.addresses.map((address) => addressOf(address, defaultPort)),
    {
      redisOptions: readEachTime(common(secrets), secrets),
      enableOfflineQueue: false,
      clusterRetryStrategy: retryAfterMs,
      slotsRefreshTimeout: silentMs,
      slotsRefreshInterval: 5_000,
      maxRedirections: 3,
      retryDelayOnFailover: firstRetryMs,
      retryDelayOnClusterDown: firstRetryMs,
      // A certificate is of a name where the nodes announce names: they must not be looked up before.
      ...(target.tls === undefined ? {} : { dnsLookup: (address, found) => found(null, address) }),
    },
  );
}

/** A cluster's client copies these for each node that it connects to. */
function readEachTime(options: RedisOptions, secrets: Secrets): RedisOptions {
  return Object.defineProperties(options, {
    password: { enumerable: true, get: () => secrets.read().password },
    tls: { enumerable: true, get: () => secrets.read().tls },
  });
}

function common(secrets: Secrets): RedisOptions {
  return {
    ...secrets.read(),
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: silentMs,
    socketTimeout: silentMs,
    // A primary that became a replica, or a password that is no longer right: another connection finds what is.
    reconnectOnError: (error) => /^(READONLY|NOAUTH|WRONGPASS|MASTERDOWN|LOADING)/.test(error.message),
    disableClientInfo: true,
    connectionName: 'headrace-quota',
  };
}

function retryAfterMs(attempt: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempt - 1, 10));
}

/** "host:port", "host", "[::1]:port" */
function addressOf(address: string, port: number): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(address);
  return { host: match?.[1] ?? match?.[2] ?? address, port: match?.[3] === undefined ? port : Number(match[3]) };
}

type Credentials = { username?: string; password?: string; tls?: ConnectionOptions };

/** What the files say now; what they said before while they cannot be read. */
class Secrets {
  readonly #target: RedisTarget;
  readonly #log: Logger;
  #password: string | undefined;
  #authority: string | undefined;

  constructor(target: RedisTarget, log: Logger) {
    this.#target = target;
    this.#log = log;
  }

  read(): Credentials {
    const { username, passwordFile, tls } = this.#target;
    if (passwordFile !== undefined) this.#password = this.#file('password', passwordFile)?.replace(/\r?\n$/, '') ?? this.#password;
    if (tls?.authorityFile !== undefined) this.#authority = this.#file('authority', tls.authorityFile) ?? this.#authority;
    return {
      ...(username === undefined ? {} : { username }),
      ...(this.#password === undefined ? {} : { password: this.#password }),
      ...(tls === undefined ? {} : { tls: this.#tls(tls.serverName) }),
    };
  }

  #tls(serverName: string | undefined): ConnectionOptions {
    return {
      ...(this.#authority === undefined ? {} : { ca: this.#authority }),
      // Node takes no address for SNI; the certificate is still compared with it.
      ...(serverName === undefined || isIP(serverName) !== 0 ? {} : { servername: serverName }),
    };
  }

  #file(what: string, path: string): string | undefined {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      this.#log.error({ file: path, error }, `the ${what} of the store of shared quotas cannot be read`);
      return undefined;
    }
  }
}

/** One line each time that it comes or goes, and not one for each attempt. */
function reportChanges(client: Redis | Cluster, log: Logger): void {
  let up: boolean | undefined;
  let last: unknown;
  client.on('error', (error: unknown) => (last = error));
  client.on('ready', () => {
    if (up !== true) log.info({}, 'the store of shared quotas is connected');
    up = true;
  });
  client.on('close', () => {
    if (up !== false) log.warn({ error: last }, 'the store of shared quotas is not connected: tenants go on with their local share');
    up = false;
  });
}
