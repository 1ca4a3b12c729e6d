import type { Duplex } from 'node:stream';
import type { Clock } from '@headrace/runtime';

/**
 * How long one connection is read before others have their turn. A peer that floods costs a caller on another connection this much, and the frame at
 * which it is noticed. Going on costs some microseconds, so that a busy honest peer loses less than 1 %.
 */
const turnMs = 1;
/**
 * Read and dropped behind our GOAWAY, so that what was on its way does not become a TCP reset that overtakes it. Of a peer that goes on sending
 * nothing more is read, and soon after it is cut off: its unread bytes are memory.
 */
const maxDroppedBytes = 256 * 1024;
const cutOffMs = 100;

let turn = 0;
let ending = false;

/** A number for the turn of the event loop that runs. */
function thisTurn(): number {
  if (!ending) {
    ending = true;
    setImmediate(endTurn);
  }
  return turn;
}

function endTurn(): void {
  ending = false;
  turn++;
}

/** Reads from an offset on; answers how far it came: less than all where Turns.spent says so. */
export type Read = (chunk: Buffer, from: number, nowMs: number) => number;

/**
 * What a socket brings, in turns. libuv reads a socket up to 32 times in a row, 2 MiB, as long as the peer keeps it full: without a bound all
 * others would wait for so many frames.
 *
 *     connection 1   [chunk ...1 ms|rest]              [rest]
 *     connection 2                       [chunk]
 *                    '----- one turn of the event loop -----' next turn
 */
export class Turns {
  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #read: Read;
  #turn = -1;
  #startMs = 0;
  /** What waits for the next turn; the socket is paused meanwhile. */
  #rest: Buffer | undefined;
  #droppedBytes = 0;
  #over = false;
  #cutting = false;

  constructor(socket: Duplex, clock: Clock, read: Read) {
    this.#socket = socket;
    this.#clock = clock;
    this.#read = read;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  get spent(): boolean {
    return this.#clock.nowMs() - this.#startMs >= turnMs;
  }

  /** The connection has ended: nothing is read any more, though a little is taken. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#rest = undefined;
    if (!this.#socket.destroyed) this.#socket.resume();
  }

  #take(chunk: Buffer): void {
    if (this.#over) {
      this.#droppedBytes += chunk.length;
      if (this.#droppedBytes > maxDroppedBytes) this.#cutOff();
      return;
    }
    const now = thisTurn();
    const nowMs = this.#clock.nowMs();
    if (now === this.#turn) {
      if (nowMs - this.#startMs >= turnMs) return this.#wait(chunk);
    } else {
      this.#turn = now;
      this.#startMs = nowMs;
    }
    this.#run(chunk, nowMs);
  }

  #cutOff(): void {
    if (this.#cutting) return;
    this.#cutting = true;
    this.#socket.pause();
    const timer = this.#clock.setTimer(() => this.#socket.destroy(), cutOffMs);
    this.#socket.once('close', () => timer.cancel());
  }

  #run(chunk: Buffer, nowMs: number): void {
    const at = this.#read(chunk, 0, nowMs);
    if (at < chunk.length && !this.#over) this.#wait(chunk.subarray(at));
  }

  #wait(rest: Buffer): void {
    this.#rest = rest;
    this.#socket.pause();
    setImmediate(() => this.#goOn());
  }

  #goOn(): void {
    const rest = this.#rest;
    if (rest === undefined || this.#over) return;
    this.#rest = undefined;
    this.#turn = thisTurn();
    this.#startMs = this.#clock.nowMs();
    this.#run(rest, this.#startMs);
    if (this.#rest === undefined && !this.#over) this.#socket.resume();
  }
}
