import { silentLogger } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { describe, expect, it } from 'vitest';
import { maxBodyBytes } from './messages.js';
import type { FromWorker, ToWorker } from './messages.js';
import { QuestionHub } from './question-hub.js';
import { SiblingQuestions } from './sibling-questions.js';

/** Workers and the hub between them; what is sent is written as JSON, as between processes. */
class Site {
  readonly clock = new FakeClock();
  readonly hub: QuestionHub;
  readonly workers = new Map<number, SiblingQuestions>();
  /** Those who read nothing, like a process that was stopped. */
  readonly stopped = new Set<number>();
  primaryRuns = true;
  questions = 0;

  constructor(count: number) {
    this.hub = new QuestionHub({
      clock: this.clock,
      workers: () => [...this.workers.keys()],
      send: (worker, message) => this.#toWorker(worker, JSON.stringify(message)),
    });
    for (let id = 1; id <= count; id++) {
      const worker = new SiblingQuestions({
        clock: this.clock,
        logger: silentLogger,
        send: (message) => this.#toPrimary(id, JSON.stringify(message)),
      });
      worker.answer('limits', async (body) => Buffer.from(`${body.toString()} from ${id}`));
      this.workers.set(id, worker);
    }
  }

  worker(id: number): SiblingQuestions {
    const found = this.workers.get(id);
    if (found === undefined) throw new Error(`no worker ${id}`);
    return found;
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1) {
      this.clock.advance(1);
      for (let turn = 0; turn < 6; turn += 1) await Promise.resolve();
    }
  }

  end(id: number): void {
    this.workers.delete(id);
    this.hub.gone(id);
  }

  #toWorker(id: number, text: string): void {
    this.clock.setTimer(() => {
      if (this.stopped.has(id)) return;
      const message = JSON.parse(text) as Extract<ToWorker, { kind: 'question' | 'replies' }>;
      if (message.kind === 'question') this.questions += 1;
      this.workers.get(id)?.receive(message);
    }, 1);
  }

  #toPrimary(from: number, text: string): void {
    this.clock.setTimer(() => {
      if (!this.primaryRuns) return;
      const message = JSON.parse(text) as FromWorker;
      if (message.kind === 'ask') this.hub.ask(from, message.id, message.question, message.body);
      else if (message.kind === 'reply') this.hub.reply(from, message.id, message.body);
    }, 1);
  }
}

/** What came of a question, and after how many ms. */
async function ask(site: Site, from = 1): Promise<{ answers: readonly string[]; tookMs: number }> {
  const sinceMs = site.clock.nowMs();
  let tookMs = Infinity;
  const asked = site
    .worker(from)
    .askSiblings('limits', Buffer.from('é?'))
    .finally(() => (tookMs = site.clock.nowMs() - sinceMs));
  await site.pass(600);
  return { answers: (await asked).map(String).toSorted(), tookMs };
}

describe('a question to siblings', () => {
  it('is answered by all others, as bytes, in four hops, and is over then', async () => {
    const site = new Site(2);
    void site.worker(1).askSiblings('limits', Buffer.from('?'));
    await site.pass(5);
    expect(site.clock.pendingTimers).toBe(0);
    expect(await ask(new Site(4), 2)).toEqual({ answers: ['é? from 1', 'é? from 3', 'é? from 4'], tookMs: 4 });
  });

  it.each<[string, number, (site: Site) => void]>([
    ['is stopped', 402, (site) => void site.stopped.add(3)],
    ['rejects', 4, (site) => site.worker(3).answer('limits', () => Promise.reject(new Error('no')))],
    [
      'throws',
      4,
      (site) =>
        site.worker(3).answer('limits', () => {
          throw new Error('no');
        }),
    ],
    ['never settles', 402, (site) => site.worker(3).answer('limits', () => new Promise(() => undefined))],
    ['says too much', 4, (site) => site.worker(3).answer('limits', async () => Buffer.alloc(maxBodyBytes + 1))],
    ['has ended', 4, (site) => site.end(3)],
  ])('leaves out one that %s', async (_, tookMs, happens) => {
    const site = new Site(4);
    happens(site);
    expect(await ask(site)).toEqual({ answers: ['é? from 2', 'é? from 4'], tookMs });
  });

  it('does not wait for one that ends meanwhile', async () => {
    const site = new Site(3);
    site.stopped.add(3);
    site.clock.setTimer(() => site.end(3), 50);
    expect(await ask(site)).toEqual({ answers: ['é? from 2'], tookMs: 51 });
  });

  it('has no answers where nobody knows the kind, where nobody else is, and while the primary is silent', async () => {
    const site = new Site(3);
    const explained = site.worker(1).askSiblings('explain', Buffer.alloc(0));
    await site.pass(4);
    expect(await explained).toEqual([]);
    site.primaryRuns = false;
    expect(await ask(site)).toEqual({ answers: [], tookMs: 500 });
    expect(await ask(new Site(1))).toEqual({ answers: [], tookMs: 2 });
  });

  it('takes no answer that comes late, or twice, for that of a later one', async () => {
    const site = new Site(2);
    let late: (body: Buffer) => void = () => undefined;
    site.worker(2).answer('limits', () => new Promise((resolve) => (late = resolve)));
    expect((await ask(site)).answers).toEqual([]);
    site.worker(2).answer('limits', async () => Buffer.from('second'));
    late(Buffer.from('first'));
    expect((await ask(site)).answers).toEqual(['second']);
    expect(site.clock.pendingTimers).toBe(0);
  });

  it('forgets what a worker asked that has ended', async () => {
    const site = new Site(2);
    site.stopped.add(2);
    void site.worker(1).askSiblings('limits', Buffer.from('?'));
    await site.pass(2);
    // The worker's own, and the hub's.
    expect(site.clock.pendingTimers).toBe(2);
    site.end(1);
    expect(site.clock.pendingTimers).toBe(1);
  });
});

describe('what questions may cost', () => {
  it('a worker has eight under way, and asks nothing that is too long', async () => {
    const site = new Site(2);
    site.stopped.add(2);
    const asked = Array.from({ length: 9 }, () => site.worker(1).askSiblings('limits', Buffer.from('?')));
    let refused = false;
    void asked[8]?.then(() => (refused = true));
    await site.pass(2);
    expect([refused, site.clock.pendingTimers]).toEqual([true, 16]);
    expect(await site.worker(2).askSiblings('limits', Buffer.alloc(maxBodyBytes + 1))).toEqual([]);
    await site.pass(500);
    expect((await Promise.all(asked)).flat()).toEqual([]);
  });

  it('the primary has sixteen under way, and refuses others at once', async () => {
    const site = new Site(4);
    for (const worker of site.workers.values()) worker.answer('limits', () => new Promise(() => undefined));
    for (const id of [1, 2]) for (let time = 0; time < 8; time++) void site.worker(id).askSiblings('limits', Buffer.from('?'));
    await site.pass(2);
    expect(site.questions).toBe(16 * 3);
    expect((await ask(site, 3)).tookMs).toBe(2);
    expect(site.questions).toBe(16 * 3);
  });

  it('answers are eight mebibytes together at most', async () => {
    const site = new Site(12);
    for (const worker of site.workers.values()) worker.answer('limits', async () => Buffer.alloc(maxBodyBytes));
    expect((await ask(site)).answers.length).toBe(8);
  });
});

describe('the primary itself', () => {
  const tooLong = 'A'.repeat(4 * Math.ceil(maxBodyBytes / 3) + 4);

  /** Worker 1 asks 2, 3 and 4; what it is told. */
  function asked(body = ''): { hub: QuestionHub; clock: FakeClock; sent: [number, ToWorker][] } {
    const clock = new FakeClock();
    const sent: [number, ToWorker][] = [];
    const hub = new QuestionHub({ clock, workers: () => [1, 2, 3, 4], send: (worker, message) => void sent.push([worker, message]) });
    hub.ask(1, 7, 'limits', body);
    return { hub, clock, sent };
  }

  it('carries nothing that is too long, whoever says it', () => {
    expect(asked(tooLong).sent).toEqual([[1, { kind: 'replies', id: 7, bodies: [], missing: 3 }]]);
    const { hub, sent } = asked();
    for (const worker of [2, 3, 4]) hub.reply(worker, 1, worker === 3 ? tooLong : 'AA==');
    expect(sent.at(-1)).toEqual([1, { kind: 'replies', id: 7, bodies: ['AA==', 'AA=='], missing: 1 }]);
  });

  it('counts those that did not answer, and takes one answer of each that was asked', () => {
    const { hub, clock, sent } = asked();
    for (const worker of [2, 2, 1, 9]) hub.reply(worker, 1, 'AA==');
    hub.reply(3, 1, null);
    expect(sent.length).toBe(3);
    clock.advance(400);
    expect(sent.at(-1)).toEqual([1, { kind: 'replies', id: 7, bodies: ['AA=='], missing: 2 }]);
  });
});
