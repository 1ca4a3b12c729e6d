import type { Clock, Timer } from '@headrace/runtime';
import { pressureAfter } from './admission/concurrency/pressure.js';
import { SystemSampler } from './admission/concurrency/system-sampler.js';

const everyMs = 1_000;

/** Looks at the machine once a second and tells how hard it is pressed, 0 to 1. */
export class PressureWatch {
  readonly #clock: Clock;
  readonly #sampler: SystemSampler;
  readonly #backendQueue: () => number;
  readonly #tell: (pressure: number) => void;
  #pressure = 0;
  #timer: Timer;

  /** `backendQueue`: see SystemSample. */
  constructor(clock: Clock, backendQueue: () => number, tell: (pressure: number) => void) {
    this.#clock = clock;
    this.#backendQueue = backendQueue;
    this.#tell = tell;
    this.#sampler = new SystemSampler(clock.nowMs());
    this.#timer = clock.setTimer(() => this.#look(), everyMs);
  }

  close(): void {
    this.#timer.cancel();
    this.#sampler.close();
  }

  #look(): void {
    this.#pressure = pressureAfter(this.#pressure, this.#sampler.sample(this.#clock.nowMs(), this.#backendQueue()));
    this.#tell(this.#pressure);
    this.#timer = this.#clock.setTimer(() => this.#look(), everyMs);
  }
}
