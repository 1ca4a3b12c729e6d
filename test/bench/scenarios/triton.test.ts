import { describe, expect, it } from 'vitest';
import { boundTriton, triton } from '../subjects/peers.js';
import { gatewayAndServer, inferenceAlone } from '../subjects/headrace.js';
import { loneTiny } from './lone.js';
import type { Figures, Scenario } from './scenario.js';
import { tiny128, tiny32 } from './tiny-triton.js';

/** Between the two Tritons: fast enough beside the one that pytriton binds, too slow beside the tuned one. */
const rounds = new Map<string, readonly Figures[]>([
  [inferenceAlone.name, [{ requestsPerS: 40_000, p50Ms: 0.2 }]],
  [gatewayAndServer.name, [{ requestsPerS: 20_000, p50Ms: 0.5 }]],
  [triton.name, [{ requestsPerS: 10_000, p50Ms: 0.4 }]],
  [boundTriton.name, [{ requestsPerS: 2_500, p50Ms: 1 }]],
]);

describe.each<[string, Scenario]>([
  ['32 in flight', tiny32],
  ['128 in flight', tiny128],
  ['one at a time', loneTiny],
])('tiny MLP, %s', (_, scenario) => {
  const judged = scenario.judge(rounds);

  it('is judged beside the tuned Triton', () => {
    const met = judged.filter(({ target }) => target.includes('Triton, tuned')).map((verdict) => verdict.met);
    expect(new Set(met)).toEqual(new Set([false]));
  });

  it('is judged beside Triton as pytriton binds it', () => {
    const met = judged.filter(({ target }) => target.includes('Triton, as pytriton binds it')).map((verdict) => verdict.met);
    expect(new Set(met)).toEqual(new Set([true]));
  });

  it('says of every verdict beside Triton which of them it is', () => {
    const unnamed = judged.filter(({ target }) => target.includes('Triton') && !/Triton, (tuned|as pytriton binds it)/.test(target));
    expect(unnamed).toEqual([]);
  });
});
