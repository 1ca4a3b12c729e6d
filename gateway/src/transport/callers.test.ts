import type { Result } from '@headrace/runtime';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../domain/traffic.js';
import { WaitingCallers } from './callers.js';

const acme: Result<Caller> = { ok: true, value: { tenant: 'acme', tier: undefined, proven: true } };

interface Verdict {
  readonly promise: Promise<Result<Caller>>;
  readonly say: (who: Result<Caller>) => void;
  readonly fail: (error: Error) => void;
}

function verdict(): Verdict {
  let say: Verdict['say'] = () => undefined;
  let fail: Verdict['fail'] = () => undefined;
  const promise = new Promise<Result<Caller>>((resolve, reject) => {
    say = resolve;
    fail = reject;
  });
  return { promise, say, fail };
}

/** What came of messages, in order: the first byte, and who or why not. */
function sink() {
  const came: string[] = [];
  const take = (message: Buffer, who: Result<Caller>): void =>
    void came.push(`${message[0]} ${who.ok ? who.value.tenant : `${who.refusal.reason}: ${who.refusal.message}`}`);
  return { came, take };
}

const here = (): boolean => false;
const busy = 'IDENTITY_UNAVAILABLE: too many requests wait for the check of their credentials';

describe('WaitingCallers', () => {
  it('keeps a copy of the message, as a transport writes over its own', async () => {
    const { came, take } = sink();
    const { promise, say } = verdict();
    const borrowed = Buffer.from([1, 2, 3]);
    new WaitingCallers().wait(promise, borrowed, here, take);
    borrowed.fill(9);
    say(acme);
    await promise;
    expect(came).toEqual(['1 acme']);
  });

  it('says nothing to a call that is gone, and has room again', async () => {
    const { came, take } = sink();
    const waiting = new WaitingCallers();
    const { promise, say } = verdict();
    for (let i = 0; i < 1024; i++) waiting.wait(promise, Buffer.from([i % 256]), () => true, take);
    say(acme);
    await promise;
    const second = verdict();
    waiting.wait(second.promise, Buffer.from([7]), here, take);
    second.say(acme);
    await second.promise;
    expect(came).toEqual(['7 acme']);
  });

  it('refuses at once what is one too many, and takes more when some were answered', async () => {
    const { came, take } = sink();
    const waiting = new WaitingCallers();
    const { promise, say } = verdict();
    for (let i = 0; i < 1024; i++) waiting.wait(promise, Buffer.from([0]), here, () => undefined);
    waiting.wait(promise, Buffer.from([5]), here, take);
    expect(came).toEqual([`5 ${busy}`]);
    say(acme);
    await promise;
    waiting.wait(promise, Buffer.from([6]), here, take);
    await promise;
    expect(came).toEqual([`5 ${busy}`, '6 acme']);
  });

  it('holds so many bytes, not more', () => {
    const { came, take } = sink();
    const waiting = new WaitingCallers();
    const { promise } = verdict();
    const large = Buffer.alloc(40 * 1024 * 1024, 1);
    waiting.wait(promise, large, here, take);
    waiting.wait(promise, large, here, take);
    waiting.wait(promise, Buffer.alloc(24 * 1024 * 1024, 2), here, take);
    waiting.wait(promise, Buffer.alloc(1, 3), here, take);
    expect(came).toEqual([`1 ${busy}`, `3 ${busy}`]);
  });

  it('refuses where the check fails, also one that was not waited for', async () => {
    const { came, take } = sink();
    const waiting = new WaitingCallers();
    const { promise, fail } = verdict();
    for (let i = 0; i < 1024; i++) waiting.wait(promise, Buffer.from([4]), here, i === 0 ? take : () => undefined);
    // An unhandled rejection of it would fail this file.
    const other = verdict();
    waiting.wait(other.promise, Buffer.from([5]), here, take);
    other.fail(new Error('the issuer is down'));
    fail(new Error('the issuer is down'));
    await Promise.allSettled([promise, other.promise]);
    expect(came).toEqual([`5 ${busy}`, '4 IDENTITY_UNAVAILABLE: the credentials could not be checked']);
  });
});
