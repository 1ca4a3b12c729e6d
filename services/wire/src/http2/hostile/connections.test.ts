import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { grpcMessage, rawData } from '../../testing/raw-frames.js';
import { attackReport, expectHarmless } from './testing/attack.js';
import { echoPath } from './testing/stage.js';

afterAll(() => console.info(attackReport()));

describe('floods of connections', { timeout: 60_000 }, () => {
  it('connections above maxConnections are closed, and room comes back as others leave', async () => {
    // The bystander has one of the 50.
    await expectHarmless('connection flood', { maxConnections: 50 }, async (stage) => {
      const sockets: Socket[] = [];
      let closed = 0;
      for (let each = 0; each < 500; each++) {
        const socket = connect(stage.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.on('close', () => closed++);
        socket.resume();
        sockets.push(socket);
        if (each % 50 === 49) await once(socket, 'close');
      }
      await expect.poll(() => closed, { timeout: 10_000 }).toBe(500 - 49);
      for (const socket of sockets) socket.destroy();
      await expect.poll(() => closed, { timeout: 10_000 }).toBe(500);
      await expect
        .poll(
          async () => {
            const peer = await stage.attacker();
            peer.write(peer.request(1, echoPath), rawData(1, grpcMessage('x'), true));
            await peer.until(() => peer.lists(1).length === 2 || peer.closed);
            return peer.lists(1)[1];
          },
          { timeout: 10_000 },
        )
        .toEqual(['grpc-status', '0']);
    });
  });
});
