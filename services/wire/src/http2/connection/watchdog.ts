import type { Clock, Timer } from '@headrace/runtime';
import { errorCode } from '../frames/constants.js';
import type { KeepaliveOptions } from '../../port.js';
import { isTooSlow, nextPace } from './body-pace.js';
import type { BodyPace } from './body-pace.js';
import type { Connection } from './connection.js';
import type { Stream } from './stream.js';

export interface AgeSettings {
  readonly maxAgeMs?: number;
  /** What runs may go on for so long after the age; default 30 s. */
  readonly ageGraceMs?: number;
}

interface Watched {
  /** Since when the peer owes the rest of something that it has begun; undefined: it does not. */
  owesSinceMs: number | undefined;
  /** Connection.completed at the last look. */
  completed: number;
  /** Taken by the kernel, and since when no more. */
  outputBytes: number;
  outputMs: number;
  /** Streams that wait for a window: how much of each was sent, and since when no more. */
  stalled: Map<Stream, { readonly sentBytes: number; readonly sinceMs: number }>;
  /** Streams whose peer owes the rest of a message. Not by when bytes last came: while a reader pauses nobody owes anything. */
  owed: Map<Stream, BodyPace>;
  pingSentMs: number | undefined;
  readonly endsMs: number;
  leaving: boolean;
}

/** All limits are seconds long: looking this often is often enough, and one timer serves all connections. */
const lookMs = 500;
const defaultAgeGraceMs = 30_000;
const ageJitter = 0.1;

/** What peers may not take for ever: see ConnectionLimits for each. One timer for all connections of a server or channel. */
export class Watchdog {
  readonly #clock: Clock;
  readonly #keepalive: KeepaliveOptions;
  readonly #age: AgeSettings;
  readonly #watched = new Map<Connection, Watched>();
  #timer: Timer | undefined;

  constructor(clock: Clock, keepalive: KeepaliveOptions, age: AgeSettings = {}) {
    this.#clock = clock;
    this.#keepalive = keepalive;
    this.#age = age;
  }

  add(connection: Connection): void {
    const nowMs = this.#clock.nowMs();
    const { maxAgeMs } = this.#age;
    // Spread, so that clients which came together do not come back together.
    const endsMs = maxAgeMs === undefined ? Infinity : nowMs + maxAgeMs * (1 - ageJitter + 2 * ageJitter * Math.random());
    this.#watched.set(connection, {
      owesSinceMs: nowMs,
      completed: connection.completed,
      outputBytes: 0,
      outputMs: nowMs,
      stalled: new Map(),
      owed: new Map(),
      pingSentMs: undefined,
      endsMs,
      leaving: false,
    });
    this.#timer ??= this.#next();
  }

  remove(connection: Connection): void {
    this.#watched.delete(connection);
    if (this.#watched.size === 0) this.close();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #next(): Timer {
    return this.#clock.setTimer(() => {
      this.#timer = undefined;
      const nowMs = this.#clock.nowMs();
      for (const [connection, watched] of this.#watched) this.#look(connection, watched, nowMs);
      if (this.#watched.size > 0) this.#timer ??= this.#next();
    }, lookMs);
  }

  #look(connection: Connection, watched: Watched, nowMs: number): void {
    const { limits } = connection;
    // 1. Preface, frames and header blocks that do not end.
    const { completed } = connection;
    if (!connection.inFrame) watched.owesSinceMs = undefined;
    else if (completed !== watched.completed) watched.owesSinceMs = nowMs;
    else watched.owesSinceMs ??= nowMs;
    watched.completed = completed;
    if (watched.owesSinceMs !== undefined && nowMs - watched.owesSinceMs > limits.headerTimeoutMs) {
      return connection.fail(errorCode.enhanceYourCalm, 'a preface, frame or header block was not completed in time');
    }
    // 2. Peers that do not read; before this look itself has something to send.
    const { output } = connection;
    if (output.pendingBytes === 0 || output.sentBytes !== watched.outputBytes) {
      watched.outputBytes = output.sentBytes;
      watched.outputMs = nowMs;
    } else if (nowMs - watched.outputMs > limits.stallTimeoutMs) {
      return connection.fail(errorCode.enhanceYourCalm, 'what was sent was not taken in time');
    }
    // 3. Bodies that do not come.
    this.#hurry(connection, watched, nowMs);
    // 4. Peers that open no window. What a client sends is its caller's, who has a deadline.
    if (connection.isServer) this.#unstall(connection, watched, nowMs);
    this.#keepAlive(connection, watched, nowMs);
    this.#grow(connection, watched, nowMs);
  }

  #hurry(connection: Connection, watched: Watched, nowMs: number): void {
    const before = watched.owed;
    if (before.size > 0) watched.owed = new Map();
    for (const stream of connection.streams.values()) {
      if (!stream.awaitsBytes) continue;
      const pace = nextPace(before.get(stream), stream.receivedBytes, nowMs);
      if (isTooSlow(pace, nowMs, connection.limits)) connection.giveUp(stream, 'the message was not completed in time');
      else watched.owed.set(stream, pace);
    }
  }

  /** By stream: a PING, or another stream that goes on, says nothing of this one. */
  #unstall(connection: Connection, watched: Watched, nowMs: number): void {
    const before = watched.stalled;
    watched.stalled = new Map();
    for (const stream of connection.streams.values()) {
      if (stream.queuedBytes === 0 || stream.mayStall) continue;
      const { sentBytes } = stream;
      const known = before.get(stream);
      const same = known !== undefined && known.sentBytes === sentBytes ? known : { sentBytes, sinceMs: nowMs };
      if (nowMs - same.sinceMs > connection.limits.stallTimeoutMs) connection.giveUp(stream, 'the window was not opened in time');
      else watched.stalled.set(stream, same);
    }
  }

  #keepAlive(connection: Connection, watched: Watched, nowMs: number): void {
    const { timeMs, timeoutMs, withoutCalls } = this.#keepalive;
    if (watched.pingSentMs !== undefined) {
      if (connection.heardMs >= watched.pingSentMs) watched.pingSentMs = undefined;
      else if (nowMs - watched.pingSentMs > timeoutMs) connection.destroy(`no answer to PING within ${timeoutMs} ms`);
      return;
    }
    if (nowMs - connection.heardMs < timeMs || (connection.streams.size === 0 && !withoutCalls)) return;
    watched.pingSentMs = nowMs;
    connection.ping(() => {});
  }

  /** Old connections leave in two steps, so that no call is lost: see Connection.goaway. */
  #grow(connection: Connection, watched: Watched, nowMs: number): void {
    if (nowMs < watched.endsMs) return;
    if (!watched.leaving) {
      watched.leaving = true;
      connection.goaway(true, 'the connection is old');
      connection.ping(() => connection.goaway(false, 'the connection is old'));
    } else if (nowMs > watched.endsMs + (this.#age.ageGraceMs ?? defaultAgeGraceMs)) {
      connection.fail(errorCode.noError, 'the connection is old');
    }
  }
}
