import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TurnKeeper } from './turn-keeper.js';

const keeper = (maxSlots = 100): TurnKeeper => new TurnKeeper({ runsPerSlot: 2, maxSlots });
const settled = (of: TurnKeeper): string[] => of.settle().map(({ kind, worker, target }) => `${kind} ${worker} ${target}`);

describe('TurnKeeper', () => {
  const cases: readonly [string, (of: TurnKeeper) => void, readonly string[]][] = [
    ['gives a free permit to who asks', (of) => of.want(1, 's', 0), ['grant 1 s']],
    [
      'gives the last permit to who has waited longest, and asks the holders for the next one',
      (of) => {
        of.want(9, 's', 0);
        of.settle();
        of.want(1, 's', 20);
        of.want(2, 's', 10);
      },
      ['grant 2 s', 'recall 9 s', 'recall 2 s'],
    ],
    [
      'recalls nothing for a second permit of the only one who holds any',
      (of) => {
        for (let permit = 0; permit < 2; permit++) {
          of.want(1, 's', 0);
          of.settle();
        }
        of.want(1, 's', 5);
      },
      [],
    ],
    [
      'reads all that came together before it serves anybody',
      (of) => {
        for (const worker of [1, 2]) of.want(worker, 's', 0);
        of.settle();
        of.want(3, 's', 20);
        of.settle();
        of.giveBack(1, 's');
        of.want(1, 's', 10);
      },
      ['grant 1 s', 'recall 1 s'],
    ],
    [
      'frees what a dead worker held, and forgets what it wanted',
      (of) => {
        for (const worker of [1, 1, 2, 3]) {
          of.want(worker, 's', worker);
          of.settle();
        }
        of.leave(2);
        of.leave(1);
      },
      ['grant 3 s'],
    ],
    [
      'takes back no permit that was never given',
      (of) => {
        for (const worker of [1, 2]) of.want(worker, 's', 0);
        of.settle();
        of.giveBack(3, 's');
        of.want(4, 's', 0);
      },
      ['recall 1 s', 'recall 2 s'],
    ],
  ];
  it.each(cases)('%s', (_name, act, expected) => {
    const of = keeper();
    act(of);
    expect(settled(of)).toEqual(expected);
  });

  it('keeps account of so many slots and of none that nobody holds or wants; beyond them everybody may', () => {
    const of = keeper(1);
    for (let time = 0; time < 3; time++) of.want(time, 'a', 0);
    of.want(7, 'b', 0);
    expect(settled(of)).toContain('grant 7 b');
    expect(of.slots).toBe(1);
    for (let time = 0; time < 3; time++) of.leave(time);
    of.settle();
    expect(of.slots).toBe(0);
  });
});

/** Workers that keep to the rules, on two slots: they ask when something waits and give back what was recalled after its run. */
class World {
  readonly keeper = keeper();
  readonly waits = new Map<string, number>();
  readonly held = new Map<string, number>();
  readonly recalled = new Set<string>();
  nowMs = 0;

  act(worker: number, target: string, what: 'arrive' | 'end' | 'die'): void {
    const key = `${worker} ${target}`;
    this.nowMs += 1;
    if (what === 'die') {
      for (const each of [...this.held.keys()]) if (each.startsWith(`${worker} `)) this.held.delete(each);
      for (const each of [...this.waits.keys()]) if (each.startsWith(`${worker} `)) this.waits.delete(each);
      for (const each of this.recalled) if (each.startsWith(`${worker} `)) this.recalled.delete(each);
      this.keeper.leave(worker);
    } else if (what === 'arrive' && !this.waits.has(key)) {
      this.waits.set(key, this.nowMs);
      this.keeper.want(worker, target, this.nowMs);
    } else if (what === 'end' && this.recalled.delete(key)) this.#giveBack(worker, target, key);
    this.#settle();
  }

  /** Every run ends and what is recalled comes back: one round of each worker's. */
  round(): void {
    for (const key of [...this.recalled]) {
      const [worker = '', target = ''] = key.split(' ');
      this.act(Number(worker), target, 'end');
    }
  }

  heldOn(target: string): number {
    return [...this.held].reduce((sum, [key, count]) => sum + (key.endsWith(` ${target}`) ? count : 0), 0);
  }

  #giveBack(worker: number, target: string, key: string): void {
    const count = this.held.get(key) ?? 0;
    if (count === 0) throw new Error('recalled from one that holds none');
    if (count === 1) this.held.delete(key);
    else this.held.set(key, count - 1);
    this.keeper.giveBack(worker, target);
  }

  #settle(): void {
    for (const { kind, worker, target } of this.keeper.settle()) {
      const key = `${worker} ${target}`;
      if (kind === 'recall') this.recalled.add(key);
      else {
        if (!this.waits.delete(key)) throw new Error('granted to one that does not wait');
        this.held.set(key, (this.held.get(key) ?? 0) + 1);
      }
    }
  }
}

it('whatever comes: never more permits than places, never one idle in the keeper while somebody waits, and all are served', () => {
  const step = fc.record({
    worker: fc.integer({ min: 1, max: 5 }),
    target: fc.constantFrom('s', 't'),
    what: fc.constantFrom('arrive', 'arrive', 'arrive', 'end', 'end', 'die'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World();
      for (const { worker, target, what } of steps) {
        world.act(worker, target, what);
        for (const slot of ['s', 't']) {
          expect(world.heldOn(slot)).toBeLessThanOrEqual(2);
          const wanted = [...world.waits.keys()].some((key) => key.endsWith(` ${slot}`));
          expect(world.heldOn(slot)).toBeGreaterThanOrEqual(wanted ? 2 : 0);
        }
      }
      // Without arrivals, each round of runs serves at least one of the five; who holds a permit of its own needs no other.
      for (let round = 0; round < 5; round++) world.round();
      expect([...world.waits.keys()].filter((key) => !world.held.has(key))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
