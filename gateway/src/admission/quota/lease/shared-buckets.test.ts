import { FakeClock } from '@headrace/runtime/testing';
import { expect, it } from 'vitest';
import { MemoryLeaseStore } from '../testing/memory-store.js';
import { SharedBuckets } from './shared-buckets.js';

function shared(): SharedBuckets {
  const clock = new FakeClock();
  return new SharedBuckets({ store: new MemoryLeaseStore(clock), clock, onUnavailable: 'localShare', gateway: 'g' });
}

it('a limit that a reload took away and another brought back is the same bucket, with what was used of it', () => {
  const buckets = shared();
  const account = buckets.open('acme');
  const first = account.bucket('m', 'r', 0, 400, 0);
  first.charge(60, 0);
  const again = account.bucket('m', 'r', 0, 800, 0);
  expect([again === first, account.buckets.length, again.left(0)]).toEqual([true, 1, 40]);
});

it('names a tenant and its models by digests, and each state of a tenant by an epoch of its own', () => {
  const buckets = shared();
  const [one, two, other] = [buckets.open('acme'), buckets.open('acme'), buckets.open('acmf')];
  one.bucket('x y\r\n', 'c', 1, 1, 0);
  expect([one.tenantKey === two.tenantKey, one.tenantKey === other.tenantKey, one.epoch, two.epoch]).toEqual([true, false, 'g.1', 'g.2']);
  expect([one.tenantKey, one.buckets[0]?.name]).toEqual([expect.stringMatching(/^[\w-]{22}$/), expect.stringMatching(/^c\.[\w-]{22}$/)]);
});
