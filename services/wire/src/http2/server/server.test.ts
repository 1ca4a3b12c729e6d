import { once } from 'node:events';
import { connect } from 'node:net';
import { systemClock } from '@headrace/runtime';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TestCertificates } from '../../testing/certificates.js';
import { makeCertificates } from '../../testing/certificates.js';
import { Harness, call, echo } from '../../testing/suite/harness.js';
import { http2Transport } from '../transport.js';

let harness: Harness;
let files: TestCertificates;
beforeEach(async () => {
  harness = new Harness(http2Transport(systemClock));
  files = await makeCertificates();
});
afterEach(async () => {
  await harness.close();
  files.remove();
});

it('a peer in the middle of a TLS handshake holds up no drain, and is gone with it', { timeout: 30_000 }, async () => {
  // Nobody but the drain ends the handshake.
  const { server, port, address } = await harness.serve([echo], { tls: files.server, handshakeTimeoutMs: 600_000 });
  const peer = connect(port, '127.0.0.1');
  peer.on('error', () => {});
  await once(peer, 'connect');
  // The beginning of a record that goes on: a ClientHello (RFC 8446, section 5.1).
  peer.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
  peer.resume();
  // Accepted in the order of their coming: with this one the other one is.
  const channel = harness.open(address, { tls: { authorityFile: files.authorityFile } });
  expect(await call(channel, echo.path)).toMatchObject({ ok: true });
  const closed = once(peer, 'close');
  await server.drain(600_000);
  await closed;
});
