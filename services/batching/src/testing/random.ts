/** Random numbers in [0, 1) that a seed repeats (a Weyl sequence through a mixing function, as in splitmix32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 4_294_967_296;
  };
}

/** Time to the next of events that come at `perMs` on average, independently (Poisson). */
export function exponentialMs(random: () => number, perMs: number): number {
  return -Math.log(1 - random()) / perMs;
}

/** A factor around 1 that scatters by about `relative` (the sum of four uniforms is near a Gaussian), never below 0.1. */
export function jitter(random: () => number, relative: number): number {
  const sum = random() + random() + random() + random() - 2;
  return Math.max(0.1, 1 + sum * Math.sqrt(3) * relative);
}
