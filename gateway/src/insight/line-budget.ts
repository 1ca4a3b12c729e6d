import type { RefusalReason } from '@headrace/runtime';

/** Per reason: so many lines a window, the others are counted. */
const linesPerWindow = 20;
const windowMs = 1_000;

interface Told {
  sinceMs: number;
  lines: number;
  leftOut: number;
}

/**
 * Whether the failure of a request gets a line of the log. Whoever can make requests fail (a bad token, an invented model)
 * would else fill the disk; the metrics count every one of them.
 */
export class LineBudget {
  readonly #told = new Map<RefusalReason, Told>();

  /** Undefined: no line. Else how many of the reason were left out since its last line. @param nowMs Clock.nowMs() */
  take(reason: RefusalReason, nowMs: number): number | undefined {
    let told = this.#told.get(reason);
    if (told === undefined) {
      told = { sinceMs: nowMs, lines: 0, leftOut: 0 };
      this.#told.set(reason, told);
    }
    if (nowMs - told.sinceMs >= windowMs) {
      told.sinceMs = nowMs;
      told.lines = 0;
    }
    if (told.lines >= linesPerWindow) {
      told.leftOut += 1;
      return undefined;
    }
    told.lines += 1;
    const { leftOut } = told;
    told.leftOut = 0;
    return leftOut;
  }
}
