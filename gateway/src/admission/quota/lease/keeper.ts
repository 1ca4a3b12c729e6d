import type { Clock, Timer } from '@headrace/runtime';
import type { LeaseAccount } from './account.js';
import type { LeasedBucket } from './leased-bucket.js';
import type { BucketAsk, LeaseAnswer, LeaseAsk, LeaseStore } from '../../../domain/lease-store.js';
import { leaseTerms } from './terms.js';

/** One round trip; a tenant has one at a time. */
export interface Exchange {
  readonly account: LeaseAccount;
  readonly buckets: readonly LeasedBucket[];
  readonly sentAtMs: number;
}

/** Overtaken: a later ask was answered first. Late: given up before an answer came. */
export type ExchangeOutcome = 'answered' | 'overtaken' | 'failed' | 'late';

/** What sharing tells of itself; declared here, implemented at the rim. */
export interface LeaseMeter {
  exchanged(outcome: ExchangeOutcome, durationMs: number): void;
  /** After each exchange. */
  failing(failing: boolean): void;
  /** A request was admitted without a lease that pays for it. */
  admittedLocally(): void;
}

export interface KeeperCounts {
  exchanges: number;
  answers: number;
  failures: number;
  timeouts: number;
}

/**
 * Carries a gateway's leases to and from the store, away from all requests: a request only marks its tenant, and a timer that runs
 * while there is something to do asks the store for those that are due. Bounded in exchanges under way and in work per tick.
 */
export class LeaseKeeper {
  readonly counts: KeeperCounts = { exchanges: 0, answers: 0, failures: 0, timeouts: 0 };
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  readonly #meter: LeaseMeter | undefined;
  #queue: LeaseAccount[] = [];
  #holders: LeaseAccount[] = [];
  /** Oldest first; what was answered stays until it is at the front. */
  #underWay: Exchange[] = [];
  #unsettled = 0;
  #timer: Timer | undefined;
  #failing = false;
  #failedAtMs = 0;
  #closed = false;

  constructor(store: LeaseStore, clock: Clock, meter?: LeaseMeter) {
    this.#store = store;
    this.#clock = clock;
    this.#meter = meter;
  }

  /** True from a failed exchange to the next one that succeeds. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Tenants that something is held for. Looks at all who may: for a scrape, not for a request. */
  get held(): number {
    return this.#holders.filter(({ buckets }) => buckets.some((bucket) => bucket.holds)).length;
  }

  /** True while the store cannot be asked about this tenant: one shard may be gone and the others there. */
  unavailable(account: LeaseAccount): boolean {
    return account.failed || (this.#failing && !account.answered);
  }

  /** After a request was charged or refused: its tenant is looked at soon, if there is something to tell or to ask for. */
  touch(account: LeaseAccount): void {
    if (account.queued || account.exchange !== undefined || this.#closed) return;
    if (account.needsExchange()) this.#enqueue(account);
  }

  /** Returns what is held and reports what is owed, as far as the store answers in time; nothing is asked for afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    const last: Promise<unknown>[] = [];
    for (const account of new Set([...this.#queue, ...this.#underWay.map((each) => each.account), ...this.#holders])) {
      if (last.length >= leaseTerms.maxUnderWay) break;
      account.exchange = undefined;
      const buckets = account.buckets.filter((bucket) => bucket.holds || bucket.needsExchange());
      if (buckets.length > 0) last.push(this.#store.exchange(this.#ask(account, buckets, (ask) => ({ ...ask, want: 0 }))));
    }
    await Promise.race([Promise.allSettled(last), this.#timedOut()]);
  }

  #timedOut(): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(resolve, leaseTerms.timeoutMs));
  }

  #enqueue(account: LeaseAccount): void {
    account.queued = true;
    this.#queue.push(account);
    this.#arm();
  }

  #arm(): void {
    if (this.#closed) return;
    this.#timer ??= this.#clock.setTimer(() => {
      this.#timer = undefined;
      this.#tick();
    }, leaseTerms.tickMs);
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    this.#dropLate(nowMs);
    this.#renew(nowMs);
    this.#sendDue(nowMs);
    if (this.#queue.length > 0 || this.#holders.length > 0 || this.#underWay.length > 0) this.#arm();
  }

  #dropLate(nowMs: number): void {
    let answered = 0;
    for (const exchange of this.#underWay) {
      const open = exchange.account.exchange === exchange;
      if (open && nowMs - exchange.sentAtMs < leaseTerms.timeoutMs) break;
      answered += 1;
      if (!open) continue;
      this.counts.timeouts += 1;
      this.#failed(exchange, 'late');
    }
    if (answered > 0) this.#underWay = this.#underWay.slice(answered);
  }

  /** Those who hold something are in the order of their answers, and so of their renewals. */
  #renew(nowMs: number): void {
    let seen = 0;
    for (const account of this.#holders) {
      if (seen >= leaseTerms.maxPerTick) break;
      const { buckets } = account;
      const due = buckets.some((bucket) => bucket.renewalDue(nowMs));
      if (!due && buckets.some((bucket) => bucket.holds)) break;
      seen += 1;
      account.listed = false;
      if (due && !account.queued && account.exchange === undefined) this.#enqueue(account);
    }
    if (seen > 0) this.#holders = this.#holders.slice(seen);
  }

  #sendDue(nowMs: number): void {
    if (this.#failing && nowMs - this.#failedAtMs < leaseTerms.probeMs) return;
    const most = this.#failing ? leaseTerms.maxProbes : leaseTerms.maxUnderWay;
    const waiting: LeaseAccount[] = [];
    let seen = 0;
    for (const account of this.#queue) {
      if (seen >= leaseTerms.maxPerTick || this.#unsettled >= most) break;
      seen += 1;
      if (nowMs - account.lastSentMs < leaseTerms.intervalMs) waiting.push(account);
      else this.#send(account, nowMs);
    }
    if (seen > 0) this.#queue = [...this.#queue.slice(seen), ...waiting];
  }

  #send(account: LeaseAccount, nowMs: number): void {
    account.queued = false;
    const due = account.buckets.filter((bucket) => bucket.needsExchange() || bucket.renewalDue(nowMs));
    const buckets = due.length > leaseTerms.maxBuckets ? due.slice(0, leaseTerms.maxBuckets) : due;
    if (buckets.length === 0) return;
    const exchange: Exchange = { account, buckets, sentAtMs: nowMs };
    account.exchange = exchange;
    account.lastSentMs = Math.ceil(nowMs);
    this.#underWay.push(exchange);
    this.#unsettled += 1;
    this.counts.exchanges += 1;
    this.#store.exchange(this.#ask(account, buckets)).then(
      (answers) => {
        this.#unsettled -= 1;
        if (account.exchange === exchange) this.#answered(exchange, answers);
      },
      () => {
        this.#unsettled -= 1;
        if (account.exchange === exchange) this.#failed(exchange, 'failed');
      },
    );
  }

  #ask(account: LeaseAccount, buckets: readonly LeasedBucket[], change: (ask: BucketAsk) => BucketAsk = (ask) => ask): LeaseAsk {
    const nowMs = this.#clock.nowMs();
    account.sequence += 1;
    return {
      tenantKey: account.tenantKey,
      epoch: account.epoch,
      sequence: account.sequence,
      ttlMs: leaseTerms.ttlMs,
      buckets: buckets.map((bucket) => change(bucket.beginExchange(nowMs, account.failed))),
    };
  }

  #answered(exchange: Exchange, answers: readonly LeaseAnswer[] | undefined): void {
    const { account, buckets, sentAtMs } = exchange;
    account.exchange = undefined;
    account.failed = false;
    account.answered = true;
    this.counts.answers += 1;
    this.#failing = false;
    const nowMs = this.#clock.nowMs();
    this.#meter?.exchanged(answers === undefined ? 'overtaken' : 'answered', nowMs - sentAtMs);
    this.#meter?.failing(false);
    for (const [at, bucket] of buckets.entries()) {
      const answer = answers?.[at];
      if (answer !== undefined) bucket.endExchange(answer, sentAtMs, nowMs);
    }
    // Asked for while the answer was on its way.
    this.touch(account);
    if (account.listed || !account.buckets.some((bucket) => bucket.holds)) return;
    account.listed = true;
    this.#holders.push(account);
    this.#arm();
  }

  /** What was to be reported stays to be reported: totals grow, and the next ask carries them. */
  #failed(exchange: Exchange, outcome: ExchangeOutcome): void {
    exchange.account.exchange = undefined;
    exchange.account.failed = true;
    this.counts.failures += 1;
    this.#failing = true;
    this.#failedAtMs = this.#clock.nowMs();
    this.#meter?.exchanged(outcome, this.#failedAtMs - exchange.sentAtMs);
    this.#meter?.failing(true);
    this.touch(exchange.account);
  }
}
