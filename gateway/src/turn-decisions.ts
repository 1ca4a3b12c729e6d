import type { Defer } from '@headrace/batching';

/**
 * Batchers decide once a turn of the event loop, behind all that it read, and what they decided is sent in that turn:
 *
 *     read, read, ... | decide, decide, ... , flush | next turn
 *
 * Left to the transport it would leave a turn later, behind everything that the next one reads.
 */
export function decideAtTurnEnd(flush: () => void, atTurnEnd: (run: () => void) => void = setImmediate): Defer {
  let waiting: (() => void)[] = [];
  const run = (): void => {
    const decisions = waiting;
    waiting = [];
    for (const decide of decisions) decide();
    flush();
  };
  return (decide) => {
    waiting.push(decide);
    if (waiting.length === 1) atTurnEnd(run);
  };
}
