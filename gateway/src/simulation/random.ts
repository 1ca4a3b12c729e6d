/** Uniform in [0, 1). */
export type Random = () => number;

/**
 * sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, so that hours of a trace do not come round again. A seed and a
 * stream give the same numbers on every machine; streams of one seed are independent of each other, so that one more draw
 * for a service time moves no arrival.
 */
export function randomStream(seed: number, stream: number): Random {
  let a = seed | 0;
  let b = Math.floor(seed / 4_294_967_296) | 0;
  let c = Math.imul(stream + 1, 0x9e3779b9) | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
}

/** Time to the next of events that come at `perSecond` on average, each independent of the others (Poisson). Infinity at a rate of 0. */
export function exponentialMs(random: Random, perSecond: number): number {
  return perSecond > 0 ? (-Math.log(1 - random()) / perSecond) * 1000 : Infinity;
}

/**
 * A factor of mean 1 whose standard deviation is `relative`: log-normal, as run times scatter: never negative, now and then
 * far above. 0 draws nothing and answers 1.
 */
export function scatter(random: Random, relative: number): number {
  if (relative <= 0) return 1;
  const variance = Math.log(1 + relative * relative);
  // Box and Muller, 1958.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.exp(Math.sqrt(variance) * normal - variance / 2);
}
