import { expect, it } from 'vitest';
import type { Scenario } from '../scenarios/scenario.js';
import { scenarioReport } from './table.js';

const scenario: Scenario = {
  name: 'echo',
  title: 'an echo',
  columns: [
    { key: 'rate', title: 'requests/s', digits: 0 },
    { key: 'p50Ms', title: 'p50 ms', digits: 2 },
    { key: 'never', title: 'never', digits: 0 },
  ],
  arms: () => [],
  judge: () => [],
};

it('shows medians, leaves out what nobody has, and says what was met', () => {
  const rounds = new Map([
    [
      'ours',
      [
        { rate: 12_000, p50Ms: 1 },
        { rate: 13_000, p50Ms: 1.255 },
      ],
    ],
    ['limit', [{ rate: 20_000 }, { rate: 20_000 }]],
    ['absent', []],
  ]);
  const verdicts = [
    { target: 'a', met: true, measured: '1.00' },
    { target: 'b', met: false, measured: '0.50' },
    { target: 'c', met: undefined, measured: 'not measured' },
  ];
  expect(scenarioReport(scenario, rounds, verdicts).split('\n')).toEqual([
    '### echo: an echo',
    '',
    '|       | requests/s | p50 ms |',
    '|-------|-----------:|-------:|',
    '| ours  |     12,500 |   1.13 |',
    '| limit |     20,000 |        |',
    '',
    '- MET    a: 1.00',
    '- MISSED b: 0.50',
    '- OPEN   c: not measured',
    '',
  ]);
});
