import type { Clock, Timer } from '@headrace/runtime';

/**
 * Asks a process for a sign of life at `url`. `onAnswer` is called at most once, never synchronously, and not after
 * `abandon`; a process that is silent does not make it call at all.
 */
export type Probe = (url: string, onAnswer: () => void) => ProbeCall;

export interface ProbeCall {
  abandon(): void;
}

export interface LivenessPolicy {
  /** From an answer, or from giving up on one, to the next question. */
  readonly pauseMs: number;
  /** How long a question waits for its answer. */
  readonly timeoutMs: number;
  /** Unanswered questions in a row after which the process counts as hung. */
  readonly maxSilences: number;
}

/** start: it did not listen in time. silence: it was asked for a sign of life and gave none. */
export type Hang = 'start' | 'silence';

/**
 * From a process's start until it listens, before its models load: Node.js and the packages take about a second, ten on a
 * saturated machine. A process that has not bound its ports after this hangs.
 */
export const listenWithinMs = 60_000;

/**
 * A process that answers nothing is found after three questions: 10 s after it stopped if that was right before the first
 * of them (three times 2 s of waiting and two pauses), 12 s if it was right after an answer.
 */
export const livenessPolicy: LivenessPolicy = { pauseMs: 2_000, timeoutMs: 2_000, maxSilences: 3 };

/**
 * Tells a process that hangs (stopped, or in an endless loop) from one that works hard. The question is /livez: the
 * event loop of the servers answers it at once and by itself, without a model, a queue or a backend. Models load and run
 * in worker threads, so a load that takes minutes and a queue that is full leave it free. gRPC health would not do: it
 * says NOT_SERVING for a model that loads, and its answers queue behind requests.
 *
 * On a saturated machine a turn of the event loop may come late, even seconds late, but it comes: a kill takes several
 * silences in a row, with pauses in which an event loop that gets any processor time at all goes on.
 */
export class LivenessWatch {
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #url: string;
  readonly #onHung: () => void;
  readonly #policy: LivenessPolicy;
  #timer: Timer | undefined;
  #call: ProbeCall | undefined;
  #silences = 0;

  /** Begins at once, with a pause. `onHung` is called at most once, and nothing is asked after it. */
  constructor(clock: Clock, probe: Probe, url: string, onHung: () => void, policy: LivenessPolicy = livenessPolicy) {
    this.#clock = clock;
    this.#probe = probe;
    this.#url = url;
    this.#onHung = onHung;
    this.#policy = policy;
    this.#pause();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#call?.abandon();
  }

  #pause(): void {
    this.#timer = this.#clock.setTimer(() => this.#ask(), this.#policy.pauseMs);
  }

  #ask(): void {
    this.#call = this.#probe(this.#url, () => {
      this.#timer?.cancel();
      this.#silences = 0;
      this.#pause();
    });
    this.#timer = this.#clock.setTimer(() => {
      this.#call?.abandon();
      this.#silences += 1;
      if (this.#silences >= this.#policy.maxSilences) this.#onHung();
      else this.#pause();
    }, this.#policy.timeoutMs);
  }
}
