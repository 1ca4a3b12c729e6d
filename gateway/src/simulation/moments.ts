import { exponentialMs } from './random.js';
import type { Random } from './random.js';

/** When requests arrive, ms, without an end: clients in an open loop wait for nobody. Rates are means per second. */
export type Moments = Generator<number>;

export function* poisson(perSecond: number, random: Random): Moments {
  for (let atMs = exponentialMs(random, perSecond); ; atMs += exponentialMs(random, perSecond)) yield atMs;
}

/**
 * A Poisson process whose rate changes, by thinning (Lewis and Shedler, 1979): draw at the highest rate, keep each with
 * rate(t) / highest.
 */
export function* inhomogeneous(rateAt: (atMs: number) => number, maxPerSecond: number, random: Random): Moments {
  for (let atMs = exponentialMs(random, maxPerSecond); ; atMs += exponentialMs(random, maxPerSecond)) {
    if (random() * maxPerSecond < rateAt(atMs)) yield atMs;
  }
}

export interface BurstShape {
  /** Mean over bursts and the quiet between them. */
  readonly perSecond: number;
  /** Rate in a burst over the rate between bursts. */
  readonly factor: number;
  /** Mean length of a burst. */
  readonly onMs: number;
  /** Mean length of the quiet. */
  readonly offMs: number;
}

/** Rates of a process that bursts. E.g. 100/s, factor 5, a fifth of the time in bursts => 277.8/s in bursts, 55.6/s between. */
export function burstRates({ perSecond, factor, onMs, offMs }: BurstShape): { readonly on: number; readonly off: number } {
  const share = onMs / (onMs + offMs);
  const off = perSecond / (share * factor + 1 - share);
  return { on: off * factor, off };
}

/** Markov-modulated Poisson process of two states: the lengths of both are exponential. */
export function* bursts(shape: BurstShape, random: Random): Moments {
  const rates = burstRates(shape);
  let fromMs = 0;
  // As if it had gone on for ever: in a burst already with the share of time that bursts take.
  for (let on = random() < shape.onMs / (shape.onMs + shape.offMs); ; on = !on) {
    const untilMs = fromMs + exponentialMs(random, 1000 / (on ? shape.onMs : shape.offMs));
    const perSecond = on ? rates.on : rates.off;
    // A Poisson process has no memory: to draw anew at each change is the same process.
    for (let atMs = fromMs + exponentialMs(random, perSecond); atMs < untilMs; atMs += exponentialMs(random, perSecond)) yield atMs;
    fromMs = untilMs;
  }
}

export interface DaylightShape {
  readonly perSecond: number;
  readonly periodMs: number;
  /** 0..1: how far the rate swings around its mean. 0.8 => from 0.2 to 1.8 times the mean. */
  readonly depth: number;
}

/** A sinusoid from its trough ("night") through its peak in the middle of the period. */
export function diurnal({ perSecond, periodMs, depth }: DaylightShape, random: Random): Moments {
  const rateAt = (atMs: number): number => perSecond * (1 - depth * Math.cos((2 * Math.PI * atMs) / periodMs));
  return inhomogeneous(rateAt, perSecond * (1 + depth), random);
}

export interface FlashShape {
  readonly perSecond: number;
  readonly factor: number;
  readonly fromMs: number;
  readonly forMs: number;
}

/** A crowd that comes at one moment and goes at another: `factor` times the rate in between. */
export function flash({ perSecond, factor, fromMs, forMs }: FlashShape, random: Random): Moments {
  const crowd = (atMs: number): boolean => atMs >= fromMs && atMs < fromMs + forMs;
  return inhomogeneous((atMs) => perSecond * (crowd(atMs) ? factor : 1), perSecond * Math.max(1, factor), random);
}
