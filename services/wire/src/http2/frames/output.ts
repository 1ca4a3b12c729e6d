import type { Duplex } from 'node:stream';
import { frameHeaderBytes } from './constants.js';

const slabBytes = 64 * 1024;
/** Above it a payload is handed to the socket as it is: copying would cost more than one more entry of a gathered write. */
const copyUpToBytes = 8 * 1024;
/** More than this is written out before the turn of the event loop ends. */
const flushAboveBytes = 256 * 1024;
/** Above it no more DATA is made: the peer, or the network, is slower than we are. */
const congestedAboveBytes = 512 * 1024;

/**
 * Slabs that no connection holds at the moment. A connection has one only while it has something to say, so that ten
 * thousand silent ones cost nothing.
 */
const spareSlabs: Buffer[] = [];
const maxSpareSlabs = 16;

/** Accounts for what is handed to the socket until the kernel has taken it. */
export interface UnsentCharge {
  charge(bytes: number): void;
  give(bytes: number): void;
}

/** Outputs that were written to in this turn of the event loop; one immediate flushes all of them. */
let dirty: Output[] = [];
let scheduled = false;

/** By itself at the end of the turn; what is written in an immediate would wait for the next turn's. */
export function flushAll(): void {
  scheduled = false;
  const outputs = dirty;
  dirty = [];
  for (const output of outputs) output.flush();
}

/**
 * The bytes that a connection is about to send. Frames of one turn of the event loop leave in one write: on loopback a
 * write costs some 5 us, a small frame 0.1.
 *
 *     slab   [ HEADERS | DATA 5+200 B | HEADERS | WINDOW_UPDATE | ......... ]
 *     parts  [ slab(0..n) ][ payload of a large message, not copied ][ slab(n..m) ]
 */
export class Output {
  readonly #socket: Duplex;
  readonly #onDrain: () => void;
  readonly #charge: UnsentCharge | undefined;
  #slab: Buffer | undefined;
  /** What of the slab is already in parts. */
  #taken = 0;
  #used = 0;
  #parts: Buffer[] = [];
  #partsBytes = 0;
  /** Handed to the socket and not yet taken by the kernel. */
  #unsentBytes = 0;
  #sentBytes = 0;
  #dirty = false;
  #closed = false;

  constructor(socket: Duplex, onDrain: () => void, charge?: UnsentCharge) {
    this.#socket = socket;
    this.#onDrain = onDrain;
    this.#charge = charge;
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#unsentBytes + this.#partsBytes + (this.#used - this.#taken);
  }

  /** Taken by the kernel since the beginning. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  get congested(): boolean {
    return this.pendingBytes > congestedAboveBytes;
  }

  /** Room for `bytes` contiguous ones; the caller writes them at the returned offset of `buffer` and then calls wrote(). */
  reserve(bytes: number): number {
    if (this.#slab === undefined || this.#slab.length - this.#used < bytes) this.#nextSlab(bytes);
    return this.#used;
  }

  /** Valid after reserve(), until the next. */
  get buffer(): Buffer {
    return this.#slab ?? empty;
  }

  wrote(bytes: number): void {
    this.#used += bytes;
    this.#touch();
  }

  /** A frame's header with room for `payloadBytes` behind it in the same slab; returns where the payload goes. Complete with wrote(). */
  frame(type: number, flags: number, streamId: number, payloadBytes: number): number {
    const at = this.reserve(frameHeaderBytes + payloadBytes);
    writeFrameHeader(this.buffer, at, type, flags, streamId, payloadBytes);
    this.#used = at + frameHeaderBytes;
    return this.#used;
  }

  /** A frame's header alone; exactly `payloadBytes` of bytes() follow. */
  frameHeader(type: number, flags: number, streamId: number, payloadBytes: number): void {
    const at = this.reserve(frameHeaderBytes);
    writeFrameHeader(this.buffer, at, type, flags, streamId, payloadBytes);
    this.#used = at + frameHeaderBytes;
  }

  /** Copied, or referred to when large: it must not change afterwards. */
  bytes(bytes: Buffer): void {
    const { length } = bytes;
    if (length === 0) return this.#touch();
    if (length <= copyUpToBytes) {
      const at = this.reserve(length);
      this.buffer.set(bytes, at);
      return this.wrote(length);
    }
    this.#cut();
    this.#parts.push(bytes);
    this.#partsBytes += length;
    this.#touch();
  }

  flush(): void {
    this.#dirty = false;
    if (this.#closed) return this.#drop();
    const slab = this.#slab;
    this.#cut();
    const parts = this.#parts;
    if (parts.length === 0) return;
    const bytes = this.#partsBytes;
    this.#parts = [];
    this.#partsBytes = 0;
    this.#slab = undefined;
    this.#taken = this.#used = 0;
    this.#unsentBytes += bytes;
    this.#charge?.charge(bytes);
    this.#write(parts, () => this.#sent(bytes, slab));
  }

  /** Sends what is there, then ends the socket's writing side. */
  end(): void {
    this.flush();
    this.#closed = true;
    if (!this.#socket.destroyed) this.#socket.end();
  }

  /** Nothing will be sent any more. */
  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #write(parts: readonly Buffer[], sent: () => void): void {
    const socket = this.#socket;
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) {
      socket.write(first, sent);
      return;
    }
    // One gathered write.
    socket.cork();
    parts.forEach((part, index) => {
      if (index === parts.length - 1) socket.write(part, sent);
      else socket.write(part);
    });
    socket.uncork();
  }

  #sent(bytes: number, slab: Buffer | undefined): void {
    const wasCongested = this.congested;
    this.#unsentBytes -= bytes;
    this.#charge?.give(bytes);
    this.#sentBytes += bytes;
    if (slab !== undefined && slab.length === slabBytes && spareSlabs.length < maxSpareSlabs) spareSlabs.push(slab);
    if (wasCongested && !this.congested && !this.#closed) this.#onDrain();
  }

  #touch(): void {
    if (this.#partsBytes + this.#used > flushAboveBytes) return this.flush();
    if (this.#dirty) return;
    this.#dirty = true;
    dirty.push(this);
    if (scheduled) return;
    scheduled = true;
    setImmediate(flushAll);
  }

  /** What of the slab is written becomes a part. */
  #cut(): void {
    if (this.#slab === undefined || this.#used === this.#taken) return;
    this.#parts.push(this.#slab.subarray(this.#taken, this.#used));
    this.#partsBytes += this.#used - this.#taken;
    this.#taken = this.#used;
  }

  #nextSlab(atLeast: number): void {
    this.#cut();
    // The full one goes out with the parts that lie in it and is not used again: two slabs in a turn are rare.
    this.#slab = atLeast <= slabBytes ? (spareSlabs.pop() ?? Buffer.allocUnsafeSlow(slabBytes)) : Buffer.allocUnsafeSlow(atLeast);
    this.#taken = this.#used = 0;
  }

  #drop(): void {
    this.#parts = [];
    this.#partsBytes = 0;
    this.#slab = undefined;
    this.#taken = this.#used = 0;
  }
}

const empty = Buffer.alloc(0);

export function writeFrameHeader(out: Buffer, at: number, type: number, flags: number, streamId: number, payloadBytes: number): void {
  out[at] = payloadBytes >>> 16;
  out[at + 1] = payloadBytes >>> 8;
  out[at + 2] = payloadBytes;
  out[at + 3] = type;
  out[at + 4] = flags;
  out[at + 5] = streamId >>> 24;
  out[at + 6] = streamId >>> 16;
  out[at + 7] = streamId >>> 8;
  out[at + 8] = streamId;
}
