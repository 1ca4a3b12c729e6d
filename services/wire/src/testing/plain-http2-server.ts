import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { systemClock } from '@headrace/runtime';
import { Connection } from '../http2/connection/connection.js';
import type { ConnectionHost } from '../http2/connection/host.js';
import { defaultLimits } from '../http2/connection/limits.js';
import { Stream } from '../http2/connection/stream.js';
import { errorCode } from '../http2/frames/constants.js';
import { StreamError } from '../http2/frames/errors.js';
import { readRequestHead, requestTrailersProblem } from '../http2/grpc/index.js';
import type { HeaderFields } from '../http2/hpack/index.js';
import type { TlsServerFiles } from '../port.js';
import { serverTlsOptions } from '../tls-files.js';

export interface PlainHttp2Server {
  readonly port: number;
  close(): Promise<void>;
}

const head: HeaderFields = [':status', '200', 'content-type', 'text/plain'];
const none = Buffer.alloc(0);

/**
 * The connection without gRPC on it, on 127.0.0.1: any path and method gets 200 and `body`, once the request is complete. For programs
 * that test HTTP/2 itself and would take gRPC's refusals (405, 415) for answers of their own.
 */
export async function startPlainHttp2Server(body: Buffer, tls?: TlsServerFiles): Promise<PlainHttp2Server> {
  const sockets = new Set<Socket>();
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    const connection = new Connection({
      socket,
      isServer: true,
      limits: defaultLimits,
      clock: systemClock,
      host: new PlainHost(body, () => connection),
    });
  };
  const listener: Server =
    tls === undefined ? createServer(accept) : createTlsServer({ ...serverTlsOptions(tls), ALPNProtocols: ['h2'] }, accept);
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

class PlainHost implements ConnectionHost {
  readonly #body: Buffer;
  readonly #connection: () => Connection;

  constructor(body: Buffer, connection: () => Connection) {
    this.#body = body;
    this.#connection = connection;
  }

  open(id: number, fields: HeaderFields, endStream: boolean): Stream {
    const connection = this.#connection();
    const request = readRequestHead(fields);
    if (request.kind === 'malformed') throw new StreamError(id, errorCode.protocolError, request.text);
    if (endStream && request.contentLength > 0) throw new StreamError(id, errorCode.protocolError, 'content-length without a body');
    const stream = new PlainStream(id, this.#body);
    stream.promisedBytes = request.contentLength;
    connection.adopt(stream);
    if (endStream) {
      connection.remoteEnd(stream);
      stream.answer();
    }
    return stream;
  }

  onReady(): void {}
  onRoom(): void {}
  onGoaway(): void {}
  onClosed(): void {}
}

class PlainStream extends Stream {
  readonly #body: Buffer;

  constructor(id: number, body: Buffer) {
    super();
    this.id = id;
    this.#body = body;
  }

  answer(): void {
    this.connection.sendHeaders(this, head, false);
    this.connection.sendData(this, none, this.#body, true);
  }

  get awaitsBytes(): boolean {
    return !this.remoteEnded;
  }

  onHeaders(fields: HeaderFields): void {
    const problem = requestTrailersProblem(fields);
    if (problem !== undefined) throw new StreamError(this.id, errorCode.protocolError, problem.kind);
    this.answer();
  }

  onData(_bytes: Buffer, start: number, end: number, endStream: boolean): void {
    this.connection.consumed(this, end - start);
    if (endStream) this.answer();
  }

  onTurnEnd(): void {}
  onSendRoom(): void {}
  onLost(): void {}
}
