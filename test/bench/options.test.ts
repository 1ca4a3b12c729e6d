import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.js';

const known = ['tiny', 'lone-tiny'];

describe('parseOptions', () => {
  it('runs all scenarios in three rounds when nothing is said', () => {
    expect(parseOptions([], known)).toMatchObject({ ok: true, options: { action: 'run', only: [], repeats: 3, wantsQuiet: true } });
  });

  it.each([
    ['a list', ['--only', 'tiny,lone-tiny'], { only: ['tiny', 'lone-tiny'] }],
    ['the option twice', ['--only', 'tiny', '--only', 'lone-tiny'], { only: ['tiny', 'lone-tiny'] }],
    ['one quick round, whoever else uses the machine', ['--quick'], { repeats: 1, wantsQuiet: false }],
    ['quick with rounds', ['--quick', '--repeats', '2'], { repeats: 2 }],
    ['seconds of a measurement', ['--seconds', '4'], { lengths: { measureS: 4, warmUpS: 4, rawS: 1, manyModels: 1000 } }],
    ['help before list', ['--help', '--list'], { action: 'help' }],
  ])('takes %s', (_, args, options) => expect(parseOptions(args, known)).toMatchObject({ ok: true, options }));

  it.each([
    ['an unknown scenario', ['--only', 'tinny'], 'got "tinny": did you mean tiny?'],
    ['no rounds', ['--repeats', '0'], 'expected a whole number from 1 to 99; got "0"'],
    ['half a second', ['--seconds', '0.5'], 'expected a whole number from 1 to 600; got "0.5"'],
    ['an unknown option', ['--fast'], '--fast'],
  ])('refuses %s', (_, args, message) => {
    const parsed = parseOptions(args, known);
    expect(parsed.ok ? 'accepted' : parsed.message).toContain(message);
  });
});
