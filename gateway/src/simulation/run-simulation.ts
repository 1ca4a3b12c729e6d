import type { Arrival } from './arrival.js';
import type { Simulation } from './simulation.js';
import { TraceFile } from './trace-file.js';
import type { Random } from './random.js';

/** A trace that is read bit by bit: its next request, and a step to the one after. */
export interface ArrivalSource {
  /** Undefined at its end. */
  readonly head: Arrival | undefined;
  /** Only a promise where the bit in memory is used up. */
  advance(): Promise<void> | undefined;
}

export class MadeSource implements ArrivalSource {
  readonly #iterator: Iterator<Arrival>;
  head: Arrival | undefined;

  constructor(arrivals: Iterable<Arrival>) {
    this.#iterator = arrivals[Symbol.iterator]();
    this.advance();
  }

  advance(): undefined {
    const next = this.#iterator.next();
    this.head = next.done === true ? undefined : next.value;
  }
}

/** A file that comes in pieces of text. Its problems are thrown as TraceProblem by advance(); call that once before the first head. */
export class FileSource implements ArrivalSource {
  readonly file: TraceFile;
  readonly #pieces: AsyncIterator<string>;
  #part: Iterator<Arrival> | undefined;
  #ended = false;
  head: Arrival | undefined;

  constructor(pieces: AsyncIterable<string>, random: Random) {
    this.file = new TraceFile(random);
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  advance(): Promise<void> | undefined {
    const next = this.#part?.next();
    if (next?.done === false) {
      this.head = next.value;
      return undefined;
    }
    return this.#refill();
  }

  async #refill(): Promise<void> {
    for (;;) {
      if (this.#ended) {
        this.head = undefined;
        return;
      }
      const piece = await this.#pieces.next();
      this.#ended = piece.done === true;
      this.#part = piece.done === true ? this.file.end() : this.file.push(piece.value);
      const next = this.#part.next();
      if (next.done === true) continue;
      this.head = next.value;
      return;
    }
  }
}

export interface SimulationRun {
  /** Requests that come later are left out; Infinity: to the end of the traces. */
  readonly durationMs: number;
  /** Called often: lets the program do other things. */
  readonly pause: () => Promise<void>;
  /** Asked after each pause; true ends the run where it is. */
  readonly stopped: () => boolean;
}

const requestsBetweenPauses = 1000;
const maxStepMs = 10_000;

/** Sends the requests of all sources in the order of their time (the first named first at one moment). The report is complete unless it was stopped. */
export async function runSimulation(simulation: Simulation, sources: readonly ArrivalSource[], run: SimulationRun): Promise<void> {
  for (const source of sources) if (source.head === undefined) await source.advance();
  let sent = 0;
  for (let next = earliest(sources); next?.head !== undefined; next = earliest(sources)) {
    const { head } = next;
    if (head.atMs >= run.durationMs) break;
    // A long quiet is simulated in steps, so that Ctrl-C is heard.
    while (head.atMs - simulation.nowMs > maxStepMs) {
      simulation.moveTo(simulation.nowMs + maxStepMs);
      if (++sent % 100 === 0) await run.pause();
      if (run.stopped()) return;
    }
    simulation.arrive(head);
    if (++sent % requestsBetweenPauses === 0) {
      await run.pause();
      if (run.stopped()) return;
    }
    const waiting = next.advance();
    if (waiting !== undefined) await waiting;
  }
  if (run.durationMs < Infinity) simulation.moveTo(run.durationMs);
  simulation.finish();
}

function earliest(sources: readonly ArrivalSource[]): ArrivalSource | undefined {
  let first: ArrivalSource | undefined;
  for (const source of sources) {
    if (source.head !== undefined && (first?.head === undefined || source.head.atMs < first.head.atMs)) first = source;
  }
  return first;
}
