import { describe, expect, it } from 'vitest';
import { identitiesOf, isLoopback } from '../peer-identity.js';
import { GrpcJsPeer } from './peer.js';

describe('identitiesOf', () => {
  it.each([
    ['no certificate', undefined, []],
    ['a common name alone', { subject: { CN: 'a' } }, ['cn:a']],
    [
      'several kinds',
      { subject: { CN: 'a' }, subjectaltname: 'DNS:b.example, URI:spiffe://c/d, IP Address:127.0.0.1' },
      ['dns:b.example', 'uri:spiffe://c/d', 'cn:a'],
    ],
    // Node quotes a name with a comma; the part behind it is no name of its own (CVE-2021-44532).
    [
      'a name that plays a list',
      { subject: {}, subjectaltname: String.raw`DNS:"evil.example, DNS:admin.example", DNS:b` },
      ['dns:evil.example, DNS:admin.example', 'dns:b'],
    ],
    ['text that Node would not write', { subject: {}, subjectaltname: 'DNS:a,DNS:admin' }, []],
    ['no subject', {}, []],
    ['two common names', { subject: { CN: ['a', 'b'] } }, ['cn:a', 'cn:b']],
  ])('reads %s', (_name, certificate, identities) => {
    expect(identitiesOf(certificate as never)).toEqual(identities);
  });
});

describe('isLoopback', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['10.0.0.1', false],
    ['::ffff:10.0.0.1', false],
    ['127.0.0.1.example', false],
    ['fe80::1', false],
    ['', false],
  ])('%s: %s', (host, loopback) => {
    expect(isLoopback(host)).toBe(loopback);
  });
});

describe('GrpcJsPeer', () => {
  it.each([
    ['10.0.0.1:5000', '10.0.0.1:5000'],
    ['::1:5000', '[::1]:5000'],
    ['unknown', 'unknown'],
  ])('writes %s as %s', (raw, address) => {
    expect(new GrpcJsPeer({ getPeer: () => raw, getAuthContext: () => ({}) }, false).address).toBe(address);
  });

  it('never looks at certificates on a plain connection', () => {
    const source = {
      getPeer: () => '10.0.0.1:1',
      getAuthContext: () => {
        throw new Error('asked');
      },
    };
    expect(new GrpcJsPeer(source, false).identities).toEqual([]);
  });
});
