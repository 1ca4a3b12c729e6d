import { describe, expect, it } from 'vitest';
import { parseTarget } from './target.js';

describe('parseTarget', () => {
  it.each([
    ['host:50051', 'host', 50_051, 'host:50051'],
    ['127.0.0.1:0', '127.0.0.1', 0, '127.0.0.1:0'],
    ['[::1]:80', '::1', 80, '[::1]:80'],
    ['[fe80::1%eth0]:80', 'fe80::1%eth0', 80, '[fe80::1%eth0]:80'],
    ['dns:///svc.ns.svc.cluster.local:8001', 'svc.ns.svc.cluster.local', 8_001, 'svc.ns.svc.cluster.local:8001'],
    ['dns:svc:8001', 'svc', 8_001, 'svc:8001'],
    ['dns://resolver/svc:8001', 'svc', 8_001, 'svc:8001'],
    ['dns:///[::1]:8001', '::1', 8_001, '[::1]:8001'],
  ])('%s', (address, host, port, authority) => {
    expect(parseTarget(address)).toEqual({ host, port, authority });
  });

  it.each([
    '',
    'host',
    ':80',
    'host:',
    'host:65536',
    'host:-1',
    'host:80x',
    '::1:80',
    '[::1]',
    'ho st:80',
    'http://host:80',
    'host:123456',
  ])('refuses %j', (address) => {
    expect(() => parseTarget(address)).toThrow(/address: expected "host:port"/);
  });
});
