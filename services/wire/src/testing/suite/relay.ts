import type { Server as NetServer, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { frameFlag, frameType } from '../../http2/frames/constants.js';

const prefaceBytes = 24;
const headerBytes = 9;

/** A TCP relay between a channel and a server, for what networks do. */
export interface Relay {
  readonly address: string;
  /** PINGs that passed, acknowledgements apart. */
  readonly pings: { toServer: number; toClient: number };
  /** As a broken network does. */
  cut(): void;
  /** As a machine that stands still does: connections stay, and nothing passes any more. */
  freeze(): void;
  close(): void;
}

export async function startRelay(targetPort: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const pings = { toServer: 0, toClient: 0 };
  const relay: NetServer = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    near.on(
      'data',
      pingCounter(prefaceBytes, () => pings.toServer++),
    );
    far.on(
      'data',
      pingCounter(0, () => pings.toClient++),
    );
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(relay.address() as AddressInfo).port}`,
    pings,
    cut,
    freeze: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    close: () => {
      relay.close();
      cut();
    },
  };
}

/** Walks over the frames of one direction (RFC 9113, section 4.1), however they are cut into chunks. */
function pingCounter(skipBytes: number, found: () => void): (chunk: Buffer) => void {
  let skip = skipBytes;
  let header = Buffer.alloc(0);
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      const skipped = Math.min(skip, chunk.length - at);
      skip -= skipped;
      at += skipped;
      const taken = chunk.subarray(at, at + headerBytes - header.length);
      header = Buffer.concat([header, taken]);
      at += taken.length;
      if (header.length < headerBytes) continue;
      if (header[3] === frameType.ping && ((header[4] ?? 0) & frameFlag.ack) === 0) found();
      skip = header.readUIntBE(0, 3);
      header = Buffer.alloc(0);
    }
  };
}
