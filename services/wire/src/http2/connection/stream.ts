import type { HeaderFields } from '../hpack/index.js';
import type { Connection } from './connection.js';

/** Why a stream is over before both sides ended it. */
export type StreamLoss =
  /** RST_STREAM from the peer. */
  | { readonly kind: 'reset'; readonly code: number }
  /** We reset it: the peer broke a rule on this stream. */
  | { readonly kind: 'violation'; readonly code: number; readonly message: string }
  /** The connection ended. `refused`: a GOAWAY says that the peer never looked at the stream. */
  | { readonly kind: 'connection'; readonly message: string; readonly refused: boolean };

/**
 * One HTTP/2 stream (RFC 9113, section 5.1), the part that the connection deals with. Subclasses are the gRPC calls of server and
 * client.
 *
 *     idle --HEADERS--> open --we END_STREAM--> half closed (local)  --peer END_STREAM--> closed
 *                        |----peer END_STREAM-> half closed (remote) --we END_STREAM----> closed
 *                        '----RST_STREAM by either, connection lost --------------------> closed
 */
export abstract class Stream {
  /** Set by Connection.adopt or begin, before anything else happens to the stream. */
  connection!: Connection;
  /** 0 until its HEADERS are written (client) . */
  id = 0;
  /** Bytes that the peer lets us send; negative after it shrank INITIAL_WINDOW_SIZE. */
  sendWindow = 0;
  /** Bytes that the peer may still send. */
  receiveWindow = 0;
  /** Taken by us and not yet given back to the peer with WINDOW_UPDATE. */
  unreturnedBytes = 0;
  /** END_STREAM came. */
  remoteEnded = false;
  /** END_STREAM went out, or waits behind queued DATA. */
  localEnded = false;
  closed = false;
  /** DATA still owed by the peer's content-length; -1 where it gave none (RFC 9113, section 8.1.1). */
  promisedBytes = -1;
  /** Of its header list, as charged to HeldBudget. */
  headerBytes = 0;
  /** DATA in all, padding included: for the pace of bodies. */
  receivedBytes = 0;

  // DATA that waits for a window or for its turn; owned by SendQueue.
  readonly queue: Buffer[] = [];
  queuedBytes = 0;
  /** In all, of what was queued. */
  sentBytes = 0;
  /** How much of queue[0] is sent. */
  queueOffset = 0;
  /** Written after the queue, with END_STREAM. */
  queuedTrailers: HeaderFields | undefined;
  endAfterQueue = false;
  /** Its place in the round of streams that may send. */
  nextReady: Stream | undefined;
  isReady = false;

  /** The peer may leave its window shut for as long as it likes: whoever sends is held up by it. */
  get mayStall(): boolean {
    return false;
  }

  /** The peer owes bytes that it has begun to send, or without which nothing can begin: it must not take for ever. */
  abstract get awaitsBytes(): boolean;
  /** A header list: the first of a response, or trailers. The first of a request makes the stream. */
  abstract onHeaders(fields: HeaderFields, endStream: boolean, tooLarge: boolean): void;
  /** Payload without padding. Must take it or copy it now. `lasting` as in FrameSink. */
  abstract onData(bytes: Buffer, start: number, end: number, endStream: boolean, lasting: boolean): void;
  /** At the end of the read that brought it, for streams that asked with Connection.atTurnEnd. */
  abstract onTurnEnd(): void;
  /** Queued bytes have gone out: there is room again. */
  abstract onSendRoom(): void;
  /** The last thing that is heard of it, unless it ended by END_STREAM on both sides. */
  abstract onLost(loss: StreamLoss): void;
}
