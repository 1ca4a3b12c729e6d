import { once } from 'node:events';
import { connect as connectHttp2, createServer as createHttp2Server, sensitiveHeaders } from 'node:http2';
import type {
  ClientHttp2Stream,
  Http2Server,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
  ServerOptions,
} from 'node:http2';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { HpackDecoder } from './decoder.js';
import { HpackEncoder } from './encoder.js';
import { staticNames } from './static-table.js';

/**
 * Against nghttp2, by way of node:http2 and a real socket: what our encoder writes it reads, and what it writes our decoder reads, hundreds
 * of blocks a connection and both ways at once. The framing is the least that gets blocks across.
 */

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const frameType = { headers: 1, settings: 4, goaway: 7 } as const;
const flag = { ack: 1, endStream: 1, endHeaders: 4 } as const;
const headerTableSize = 1;
const blocksPerConnection = 400;
const roomy = { maxListBytes: 1_000_000, maxFields: 1000 };

type Field = readonly [name: string, value: string];

/** Each entry of the static table is asked for: those of whole fields in both directions, the others by name. */
const staticStatuses = ['200', '204', '206', '304', '400', '404', '500'];
/** Which HTTP/2 forbids, or which must fit a body. */
const notSent = new Set(['transfer-encoding', 'content-length']);
const staticFields: readonly Field[] = staticNames.flatMap((name) =>
  name === '' || name.startsWith(':') || notSent.has(name) ? [] : [[name, name === 'accept-encoding' ? 'gzip, deflate' : `of ${name}`]],
);

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Each size on each side; the two directions have nothing to do with each other. */
const tableSizes = [
  { ours: 0, theirs: 64 },
  { ours: 64, theirs: 4096 },
  { ours: 4096, theirs: 65_536 },
  { ours: 65_536, theirs: 0 },
];

describe('HPACK against nghttp2', { timeout: 30_000 }, () => {
  it.each(tableSizes)('as the client of its server, with tables of $theirs octets there and $ours here', async ({ ours, theirs }) => {
    const lists = headerLists(theirs + ours);
    const replies = headerLists(theirs + ours + 1);
    const statusOf = (at: number): string => staticStatuses[at % staticStatuses.length] ?? '';
    const received: string[][] = [];
    const server = createHttp2Server({ settings: { headerTableSize: theirs }, maxDeflateDynamicTableSize: 65_536 } as ServerOptions);
    server.on('stream', (stream: ServerHttp2Stream, _headers: IncomingHttpHeaders, _flags: number, raw?: readonly string[]) => {
      received.push([...(raw ?? [])]);
      const at = received.length - 1;
      stream.respond({ ...outgoing(replies[at] ?? []), ':status': Number(statusOf(at)), date: 'today' }, { endStream: true });
    });
    const socket = connect(await listen(server));
    socket.write(preface);
    const peer = new Peer(socket, ours, 0);
    await peer.settled();

    const sent = lists.map((fields) => [':method', 'POST', ':scheme', 'http', ':path', '/a', ':authority', 'b', ...fields.flat()]);
    const answers: (readonly string[])[] = [];
    for (const [at, fields] of sent.entries()) {
      peer.sendHeaders(2 * at + 1, fields);
      answers.push((await peer.nextHeaders()).fields);
    }
    expect(received).toEqual(sent);
    expect(answers.map(sorted)).toEqual(replies.map((fields, at) => sorted([':status', statusOf(at), 'date', 'today', ...fields.flat()])));
  });

  it.each(tableSizes)('as the server of its client, with tables of $theirs octets there and $ours here', async ({ ours, theirs }) => {
    // node:http2 leaves :authority out where a host is given.
    const lists = [staticFields.filter(([name]) => name !== 'host'), ...headerLists(theirs + ours + 2)];
    const replies = [staticFields, ...headerLists(theirs + ours + 3)];
    const received: (readonly string[])[] = [];
    const serve = async (socket: Socket): Promise<void> => {
      const peer = new Peer(socket, ours, preface.length);
      await peer.settled();
      for (const fields of replies) {
        const { stream, fields: request } = await peer.nextHeaders();
        received.push(request);
        peer.sendHeaders(stream, [':status', '200', ...fields.flat()]);
      }
    };
    const port = await listen(createServer((socket) => void serve(socket)));
    const session = connectHttp2(`http://127.0.0.1:${port}`, { settings: { headerTableSize: theirs } });
    closers.push(() => session.destroy());
    // Our table size holds from here on.
    await once(session, 'remoteSettings');

    const answers: string[][] = [];
    for (const [at, fields] of lists.entries()) {
      // Its table shrinks and grows in mid-connection.
      if (at % 50 === 49) session.settings({ headerTableSize: at % 100 === 49 ? 128 : theirs });
      const stream = session.request({ ':path': '/a', ...outgoing(fields) }, { endStream: true });
      answers.push(await rawResponse(stream));
      stream.resume();
      await once(stream, 'close');
    }
    const pseudo = [':path', '/a', ':method', 'GET', ':authority', `127.0.0.1:${port}`, ':scheme', 'http'];
    expect(received.map(sorted)).toEqual(lists.map((fields) => sorted([...pseudo, ...fields.flat()])));
    expect(answers).toEqual(replies.map((fields) => [':status', '200', ...fields.flat()]));
  });
});

/** Our end of a connection. */
class Peer {
  readonly #socket: Socket;
  readonly #frames: AsyncIterator<Frame, undefined>;
  readonly #encoder = new HpackEncoder({ maxTableBytes: 65_536 });
  readonly #decoder: HpackDecoder;

  constructor(socket: Socket, tableBytes: number, skip: number) {
    closers.push(() => socket.destroy());
    this.#socket = socket;
    this.#frames = framesOf(socket, skip);
    this.#decoder = new HpackDecoder({ ...roomy, maxTableBytes: tableBytes });
    socket.write(settingsFrame(tableBytes));
  }

  /** Their SETTINGS have come and ours are acknowledged. */
  async settled(): Promise<void> {
    let [theirs, acknowledged] = [false, false];
    while (!theirs || !acknowledged) {
      const { type, flags } = await this.#next();
      if (type !== frameType.settings) continue;
      if ((flags & flag.ack) === 0) theirs = true;
      else acknowledged = true;
    }
  }

  sendHeaders(stream: number, fields: readonly string[]): void {
    this.#socket.write(frameBytes(frameType.headers, flag.endStream | flag.endHeaders, stream, this.#encoder.encode(fields)));
  }

  async nextHeaders(): Promise<{ readonly stream: number; readonly fields: readonly string[] }> {
    for (;;) {
      const { type, flags, stream, payload } = await this.#next();
      if (type !== frameType.headers) continue;
      if ((flags & flag.endHeaders) === 0) throw new Error('expected the whole header block in one frame, got a part of it');
      return { stream, fields: this.#decoder.decode(payload, 0, payload.length).fields };
    }
  }

  async #next(): Promise<Frame> {
    const { value: frame } = await this.#frames.next();
    if (frame === undefined) throw new Error('the connection ended before the next frame');
    if (frame.type === frameType.goaway) throw new Error(`GOAWAY with error ${frame.payload.readUInt32BE(4)}`);
    if (frame.type === frameType.settings && (frame.flags & flag.ack) === 0) this.#apply(frame.payload);
    return frame;
  }

  #apply(settings: Buffer): void {
    for (let at = 0; at < settings.length; at += 6) {
      if (settings.readUInt16BE(at) === headerTableSize) this.#encoder.setPeerTableBytes(settings.readUInt32BE(at + 2));
    }
    this.#socket.write(frameBytes(frameType.settings, flag.ack, 0, Buffer.alloc(0)));
  }
}

/** A few names and values over and over, others new each time, some large: hits, evictions and fields that fit no table. */
function headerLists(seed: number): readonly (readonly Field[])[] {
  const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,15}$/).map((text) => `x-${text}`);
  const name = fc.oneof(fc.constantFrom('x-tenant', 'x-model', 'authorization', 'grpc-timeout', 'x-trace-bin', 'user-agent'), token);
  const printable = fc.stringMatching(/^[!-~]([ -~]{0,40}[!-~])?$/);
  const value = fc.oneof(
    fc.constantFrom('a', 'b', '100m', 'trailers'),
    printable,
    fc.nat(600).map((length) => 'v'.repeat(length)),
  );
  const list = fc.uniqueArray(fc.tuple(name, value), { maxLength: 10, selector: ([each]) => each });
  return fc.sample(list, { seed, numRuns: blocksPerConnection });
}

function outgoing(fields: readonly Field[]): OutgoingHttpHeaders & { readonly [sensitiveHeaders]: string[] } {
  return { ...Object.fromEntries(fields), [sensitiveHeaders]: ['authorization', 'x-tenant'] };
}

/** Pairs by name: node:http2 has an order of its own. */
function sorted(fields: readonly string[]): readonly string[] {
  return Array.from({ length: fields.length / 2 }, (_, at) => `${fields[2 * at]}: ${fields[2 * at + 1]}`).sort();
}

async function listen(server: Server | Http2Server): Promise<number> {
  closers.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function rawResponse(stream: ClientHttp2Stream): Promise<string[]> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.once('response', (_headers: IncomingHttpHeaders, _flags: number, raw?: string[]) => resolve(raw ?? []));
  });
}

async function* framesOf(socket: Socket, skip = 0): AsyncGenerator<Frame, undefined> {
  let held = Buffer.alloc(0);
  let toSkip = skip;
  for await (const chunk of socket) {
    held = Buffer.concat([held, chunk as Buffer]);
    if (held.length < toSkip) continue;
    held = held.subarray(toSkip);
    toSkip = 0;
    while (held.length >= 9 && held.length >= 9 + held.readUIntBE(0, 3)) {
      const end = 9 + held.readUIntBE(0, 3);
      yield {
        type: held.readUInt8(3),
        flags: held.readUInt8(4),
        stream: held.readUInt32BE(5),
        payload: Buffer.from(held.subarray(9, end)),
      };
      held = held.subarray(end);
    }
  }
  return undefined;
}

function settingsFrame(tableBytes: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(headerTableSize, 0);
  payload.writeUInt32BE(tableBytes, 2);
  return frameBytes(frameType.settings, 0, 0, payload);
}

function frameBytes(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
