import type { Clock } from '@headrace/runtime';
import { exchangeBucket } from '../lease/book.js';
import type { SharedBucket } from '../lease/book.js';
import type { LeaseAnswer, LeaseAsk, LeaseStore } from '../lease/port.js';

/** A store in this process whose network and failures a test decides; time is the clock's. */
export class MemoryLeaseStore implements LeaseStore {
  /** Milliseconds there and back; half before the store acts, half after. */
  latencyMs: number;
  /** down: refuses at once; silent: takes what comes and never answers, like a process that was stopped. */
  state: 'up' | 'down' | 'silent' = 'up';
  exchanges = 0;
  readonly #clock: Clock;
  #buckets = new Map<string, SharedBucket>();

  constructor(clock: Clock, latencyMs = 1) {
    this.#clock = clock;
    this.latencyMs = latencyMs;
  }

  exchange(ask: LeaseAsk): Promise<readonly LeaseAnswer[] | undefined> {
    this.exchanges += 1;
    if (this.state === 'down') return Promise.reject(new Error('the store is down'));
    return new Promise((resolve, reject) => {
      this.#clock.setTimer(() => {
        if (this.state === 'silent') return;
        if (this.state === 'down') {
          reject(new Error('the connection broke'));
          return;
        }
        const answers = this.#serve(ask);
        this.#clock.setTimer(() => (this.state === 'up' ? resolve(answers) : undefined), this.latencyMs / 2);
      }, this.latencyMs / 2);
    });
  }

  get keys(): readonly string[] {
    return [...this.#buckets.keys()];
  }

  bucket(name: string): SharedBucket | undefined {
    return [...this.#buckets].find(([key]) => key.endsWith(`:${name}`))?.[1];
  }

  /** What a replica has at this moment. */
  snapshot(): ReadonlyMap<string, SharedBucket> {
    return new Map([...this.#buckets].map(([key, bucket]) => [key, { ...bucket, gateways: new Map(bucket.gateways) }]));
  }

  /** A replica takes over with what it has; with nothing: all data is lost. */
  failOver(to: ReadonlyMap<string, SharedBucket> = new Map()): void {
    this.#buckets = new Map([...to].map(([key, bucket]) => [key, { ...bucket, gateways: new Map(bucket.gateways) }]));
  }

  #serve(ask: LeaseAsk): readonly LeaseAnswer[] | undefined {
    const answers: LeaseAnswer[] = [];
    for (const bucket of ask.buckets) {
      const answer = exchangeBucket(this.#buckets, `${ask.tenantKey}:${bucket.name}`, ask, bucket, this.#clock.nowMs());
      if (answer === undefined) return undefined;
      answers.push(answer);
    }
    return answers;
  }
}
