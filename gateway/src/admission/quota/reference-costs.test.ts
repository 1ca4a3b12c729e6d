import { expect, it } from 'vitest';
import { ReferenceCosts, neutralCostMs } from './reference-costs.js';

const fit = { overheadMs: 4, perRowMs: 0.5, identified: true };

it('charges the neutral cost for a model of which nothing is known', () => {
  const costs = new ReferenceCosts();
  expect([costs.chargeMs('m', '1', 8), costs.frozen('m', '1')]).toEqual([8 * neutralCostMs, false]);
});

it('freezes once the fit is identified: what a row costs at the batches that the model has', () => {
  const costs = new ReferenceCosts();
  costs.observe('m', '1', 8, 8, { ...fit, identified: false });
  expect(costs.frozen('m', '1')).toBe(false);
  costs.observe('m', '1', 8, 8, fit);
  costs.observe('m', '1', 1, 1_000, { overheadMs: 1_000, perRowMs: 1, identified: true });
  expect([costs.chargeMs('m', '1', 8), costs.frozen('m', '1')]).toEqual([8, true]);
});

it('freezes the mean after 64 runs of one size, which identify no line', () => {
  const costs = new ReferenceCosts();
  for (let run = 0; run < 63; run += 1) costs.observe('m', '1', 4, 2);
  expect(costs.frozen('m', '1')).toBe(false);
  costs.observe('m', '1', 4, 2);
  expect(costs.perRowMs('m', '1')).toBe(0.5);
});

it('learns each revision for itself, also while two run', () => {
  const costs = new ReferenceCosts();
  for (let run = 0; run < 64; run += 1) {
    costs.observe('m', '1', 1, 2);
    costs.observe('m', '2', 1, 5);
  }
  expect([costs.perRowMs('m', '1'), costs.perRowMs('m', '2'), costs.perRowMs('m', '3')]).toEqual([2, 5, neutralCostMs]);
});

it('lets a configured cost win, before and after', () => {
  const costs = new ReferenceCosts(3);
  expect([costs.chargeMs('m', '1', 2, 7), costs.chargeMs('m', '1', 2)]).toEqual([14, 6]);
});

it.each([
  [Number.NaN, 1],
  [0, 1],
  [-1, 1],
  [Infinity, 1],
  [1, Number.NaN],
  [1, -1],
  [1, Infinity],
])('learns nothing from a run of %s rows in %s ms', (rows, runMs) => {
  const costs = new ReferenceCosts();
  costs.observe('m', '1', rows, runMs, fit);
  expect(costs.frozen('m', '1')).toBe(false);
});

it('learns nothing from a fit that is not above nothing', () => {
  const costs = new ReferenceCosts();
  costs.observe('m', '1', 1, 1, { overheadMs: -5, perRowMs: 1, identified: true });
  expect(costs.frozen('m', '1')).toBe(false);
});

it('keeps four revisions of a model and 10,000 models', () => {
  const costs = new ReferenceCosts();
  for (let revision = 0; revision < 5; revision += 1) costs.observe('m', String(revision), 8, 8, fit);
  for (let model = 0; model < 10_000; model += 1) costs.observe(`m${model}`, '1', 8, 8, fit);
  expect([costs.frozen('m', '0'), costs.frozen('m', '1'), costs.frozen('m9998', '1'), costs.frozen('m9999', '1')]).toEqual([
    false,
    true,
    true,
    false,
  ]);
  costs.forget('m');
  costs.observe('m9999', '1', 8, 8, fit);
  expect([costs.frozen('m', '1'), costs.frozen('m9999', '1')]).toEqual([false, true]);
});
