import { describe, expect, it } from 'vitest';
import { decideAtTurnEnd } from './turn-decisions.js';

describe('decideAtTurnEnd', () => {
  it('makes all decisions of a turn behind it, flushes once, and leaves what they ask for to the next turn', () => {
    const turns: (() => void)[] = [];
    const seen: string[] = [];
    const defer = decideAtTurnEnd(
      () => seen.push('flush'),
      (run) => void turns.push(run),
    );
    defer(() => {
      seen.push('a');
      defer(() => seen.push('again'));
    });
    defer(() => seen.push('b'));
    expect(seen).toEqual([]);
    turns.shift()?.();
    expect(seen).toEqual(['a', 'b', 'flush']);
    turns.shift()?.();
    expect(seen).toEqual(['a', 'b', 'flush', 'again', 'flush']);
    expect(turns).toEqual([]);
  });
});
