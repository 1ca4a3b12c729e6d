import { createHash } from 'node:crypto';
import type { LeaseAnswer, LeaseAsk, LeaseStore } from '../../../domain/lease-store.js';
import { leaseScript } from './script.js';

/** What the store needs of a client of one Redis, of one found by sentinels, or of a cluster. */
export interface ScriptRunner {
  evalsha(sha: string, keys: number, ...rest: string[]): Promise<unknown>;
  eval(script: string, keys: number, ...rest: string[]): Promise<unknown>;
}

const leaseScriptSha = createHash('sha1').update(leaseScript).digest('hex');

/** Shared buckets in Redis 6.2 or later: one script call an exchange, of keys that lie in one slot. */
export class RedisLeaseStore implements LeaseStore {
  readonly #client: ScriptRunner;

  constructor(client: ScriptRunner) {
    this.#client = client;
  }

  async exchange(ask: LeaseAsk): Promise<readonly LeaseAnswer[] | undefined> {
    const keys = ask.buckets.map(({ name }) => `headrace:quota:{${ask.tenantKey}}:${name}`);
    const rest = [...keys, ask.epoch, String(ask.sequence), String(ask.ttlMs)];
    for (const bucket of ask.buckets) {
      const { ratePerSecond, burst, total, owed, want, usePerSecond, initial } = bucket;
      for (const value of [ratePerSecond, burst, total, owed, want, usePerSecond, initial]) rest.push(String(value));
    }
    return answersOf(await this.#run(keys.length, rest), keys.length);
  }

  async #run(keys: number, rest: readonly string[]): Promise<unknown> {
    try {
      return await this.#client.evalsha(leaseScriptSha, keys, ...rest);
    } catch (error) {
      // A server that was restarted, or took over, has no scripts; EVAL leaves it there for the next one.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#client.eval(leaseScript, keys, ...rest);
    }
  }
}

const numbersPerBucket = 3;

function answersOf(reply: unknown, buckets: number): readonly LeaseAnswer[] | undefined {
  if (Array.isArray(reply) && reply.length === 0) return undefined;
  const numbers = Array.isArray(reply) ? reply.map(Number) : [];
  if (numbers.length !== buckets * numbersPerBucket || !numbers.every(Number.isFinite)) {
    throw new Error(
      `Redis: expected ${buckets * numbersPerBucket} numbers of the lease script, got ${JSON.stringify(reply)?.slice(0, 200)}`,
    );
  }
  return Array.from({ length: buckets }, (_, index) => {
    const [lease = 0, level = 0, share = 0] = numbers.slice(index * numbersPerBucket, (index + 1) * numbersPerBucket);
    return { lease, level, share };
  });
}
