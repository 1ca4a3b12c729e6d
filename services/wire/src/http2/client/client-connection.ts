import type { Socket } from 'node:net';
import { describeError } from '@headrace/runtime';
import type { Clock } from '@headrace/runtime';
import { Connection } from '../connection/connection.js';
import type { ConnectionHost } from '../connection/host.js';
import type { ConnectionLimits } from '../connection/limits.js';

export interface ClientConnectionEvents {
  onReady(connection: ClientConnection): void;
  /** It takes no new calls any more; those that run may go on. */
  onLeaving(connection: ClientConnection): void;
  onRoom(connection: ClientConnection): void;
  onClosed(connection: ClientConnection, message: string): void;
}

/** The client's side of a connection: it begins streams and is asked for none. */
export class ClientConnection implements ConnectionHost {
  readonly connection: Connection;
  readonly #events: ClientConnectionEvents;
  ready = false;

  constructor(socket: Socket, limits: ConnectionLimits, clock: Clock, events: ClientConnectionEvents) {
    this.#events = events;
    this.connection = new Connection({ socket, isServer: false, limits, clock, host: this });
  }

  open(): undefined {
    // Servers begin no streams: Receiver refuses them before this.
  }

  onReady(): void {
    this.ready = true;
    this.#events.onReady(this);
  }

  onRoom(): void {
    this.#events.onRoom(this);
  }

  onGoaway(): void {
    this.#events.onLeaving(this);
  }

  onClosed(message: string, _clean: boolean, defect: unknown): void {
    this.#events.onClosed(this, defect === undefined ? message : `${message}: ${describeError(defect)}`);
  }
}
