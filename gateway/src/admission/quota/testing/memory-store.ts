import type { Clock } from '@headrace/runtime';
import { exchangeBucket } from '../lease/book.js';
import type { SharedBucket } from '../lease/book.js';
import type { LeaseAnswer, LeaseAsk, LeaseStore } from '../../../domain/lease-store.js';

/** A store in this process whose network and failures a test decides; time is the clock's. */
export class MemoryLeaseStore implements LeaseStore {
  /** Milliseconds there and back; half before the store acts, half after. */
  latencyMs: number;
  /** down: refuses at once; silent: takes what comes and never answers, like a process that was stopped; the connection is given up after a second. */
  state: 'up' | 'down' | 'silent' = 'up';
  exchanges = 0;
  /** Under way now, and the most that ever were. */
  underWay = 0;
  mostUnderWay = 0;
  readonly #clock: Clock;
  #buckets = new Map<string, SharedBucket>();

  constructor(clock: Clock, latencyMs = 1) {
    this.#clock = clock;
    this.latencyMs = latencyMs;
  }

  exchange(ask: LeaseAsk): Promise<readonly LeaseAnswer[] | undefined> {
    this.exchanges += 1;
    if (ask.buckets.length > 64) return Promise.reject(new Error(`expected at most 64 buckets, got ${ask.buckets.length}`));
    if (this.state === 'down') return Promise.reject(new Error('the store is down'));
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const answer = new Promise<readonly LeaseAnswer[] | undefined>((resolve, reject) => {
      this.#clock.setTimer(() => {
        if (this.state === 'silent') {
          this.#clock.setTimer(() => reject(new Error('nothing came')), 1_000);
          return;
        }
        if (this.state === 'down') {
          reject(new Error('the connection broke'));
          return;
        }
        const answers = this.#serve(ask);
        this.#clock.setTimer(
          () => (this.state === 'up' ? resolve(answers) : reject(new Error('the connection broke'))),
          this.latencyMs / 2,
        );
      }, this.latencyMs / 2);
    });
    return answer.finally(() => (this.underWay -= 1));
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
