import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { silentLogger, systemClock } from '@headrace/runtime';
import type { Channel, MethodHandler, UnaryCall, UnaryOutcome } from '../../../port.js';
import { RawPeer } from '../../../testing/raw-peer.js';
import { Http2Channel } from '../../client/channel.js';
import { HeldBudget } from '../../connection/held-budget.js';
import { ReceiveBudget } from '../../connection/receive-budget.js';
import { Http2Server } from '../../server/server.js';
import type { ServerOptions } from '../../../port.js';

export const mebibyte = 1024 * 1024;
export const echoPath = '/test.Hostile/Echo';
export const holdPath = '/test.Hostile/Hold';
export const largePath = '/test.Hostile/Large';
export const streamPath = '/test.Hostile/Stream';
/** Its handler never takes a message. */
export const deafPath = '/test.Hostile/Deaf';

const minBystanderCalls = 50;

/** Replies of `largePath`. */
export const largeBytes = 256 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What the process holds once garbage is gone: heap, and buffers outside of it, which go a little later. */
export async function memoryBytes(): Promise<number> {
  collectGarbage();
  await new Promise<void>((resolve) => setTimeout(resolve, 20));
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** How a well-behaved caller on another connection fared. */
export interface Bystander {
  readonly calls: number;
  readonly failures: readonly string[];
  /** Of the calls before the attack. */
  readonly quietP99Ms: number;
  readonly p99Ms: number;
}

/** A server under attack, and a caller beside it who should not notice. */
export class Stage {
  readonly budget = new ReceiveBudget(64 * mebibyte);
  /** Replies and header lists. */
  readonly sent: HeldBudget;
  readonly held: UnaryCall[] = [];
  readonly server: Http2Server;
  readonly #peers: RawPeer[] = [];
  readonly #channels: Channel[] = [];
  readonly #loops: (() => void)[] = [];
  started = 0;
  cancelled = 0;
  port = 0;

  private constructor(options: ServerOptions, maxHeldBytes: number) {
    this.sent = new HeldBudget(maxHeldBytes);
    this.server = new Http2Server(options, systemClock, silentLogger, { budget: this.budget, held: this.sent });
    for (const method of this.#methods()) this.server.register(method);
  }

  static async open(options: ServerOptions = {}, maxHeldBytes = 1024 * mebibyte): Promise<Stage> {
    const stage = new Stage(options, maxHeldBytes);
    ({ port: stage.port } = await stage.server.listen('127.0.0.1', 0));
    return stage;
  }

  /** With its preface and SETTINGS said. */
  async attacker(...settings: readonly (readonly [id: number, value: number])[]): Promise<RawPeer> {
    const peer = await RawPeer.open(this.port, ...settings);
    this.#peers.push(peer);
    return peer;
  }

  /** TCP alone. */
  async connection(): Promise<RawPeer> {
    const peer = await RawPeer.connect(this.port);
    this.#peers.push(peer);
    return peer;
  }

  channel(): Channel {
    const channel = new Http2Channel(`127.0.0.1:${this.port}`, {}, systemClock, silentLogger, this.budget);
    this.#channels.push(channel);
    return channel;
  }

  /** Calls from another connection, one after the other, first in peace and then until the function that this returns is called. */
  async bystander(): Promise<() => Promise<Bystander>> {
    const channel = this.channel();
    const failures: string[] = [];
    let over = false;
    const callUntil = async (enough: (calls: number) => boolean): Promise<number[]> => {
      const latenciesMs: number[] = [];
      while (!enough(latenciesMs.length)) {
        const text = `call ${latenciesMs.length}`;
        const startMs = performance.now();
        const outcome = await echo(channel, text);
        latenciesMs.push(performance.now() - startMs);
        if (!outcome.ok) failures.push(outcome.status.message);
        else if (outcome.message.toString() !== text) failures.push('another message came back');
      }
      return latenciesMs;
    };
    const quiet = await callUntil((calls) => calls >= minBystanderCalls);
    const running = callUntil((calls) => over && calls >= minBystanderCalls);
    const stop = async (): Promise<Bystander> => {
      over = true;
      const attacked = await running;
      channel.close();
      return { calls: attacked.length, failures, quietP99Ms: p99(quiet), p99Ms: p99(attacked) };
    };
    this.#loops.push(() => (over = true));
    return stop;
  }

  async close(): Promise<void> {
    for (const loop of this.#loops) loop();
    for (const peer of this.#peers) peer.destroy();
    for (const channel of this.#channels) channel.close();
    await this.server.drain(0);
  }

  #methods(): readonly MethodHandler[] {
    return [
      { kind: 'unary', path: echoPath, handle: (message, call) => call.reply(Buffer.from(message)) },
      {
        kind: 'unary',
        path: holdPath,
        handle: (_message, call) => {
          this.started++;
          this.held.push(call);
          call.onCancel(() => {
            this.cancelled++;
            this.held.splice(this.held.indexOf(call), 1);
          });
        },
      },
      { kind: 'unary', path: largePath, handle: (_message, call) => call.reply(Buffer.alloc(largeBytes, 1)) },
      {
        kind: 'stream',
        path: streamPath,
        handle: (call) => {
          this.started++;
          call.onMessage((message) => void call.write(Buffer.from(message)));
          call.onEnd(() => call.end());
          call.onCancel(() => this.cancelled++);
        },
      },
      {
        kind: 'stream',
        path: deafPath,
        handle: (call) => {
          this.started++;
          call.pause();
          call.onMessage(() => {});
          call.onCancel(() => this.cancelled++);
        },
      },
    ];
  }
}

function p99(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length * 0.99)] ?? 0;
}

export async function echo(channel: Channel, message: string): Promise<UnaryOutcome> {
  return new Promise((resolve) => {
    channel.unary(echoPath, Buffer.from(message), {}, (outcome) =>
      resolve(outcome.ok ? { ...outcome, message: Buffer.from(outcome.message) } : outcome),
    );
  });
}
