import { judge } from '../report/verdict.js';
import { gatewayAndServer, inferenceAlone } from '../subjects/headrace.js';
import { kserve, mlserver, triton } from '../subjects/peers.js';
import { benchModels } from '../workload/models.js';
import type { BenchModel } from '../workload/models.js';
import type { Rounds, Scenario, Verdict } from './scenario.js';
import { servedArm, servedColumns } from './served-arm.js';

function lone(model: BenchModel, more: (rounds: Rounds) => readonly Verdict[] = () => []): Scenario {
  return {
    name: `lone-${model.name}`,
    title: `${model.title}, one request at a time`,
    columns: servedColumns,
    arms: (context) => [inferenceAlone, gatewayAndServer, mlserver, kserve, triton].map((subject) => servedArm(context, subject, model, 1)),
    judge: (rounds) => [
      judge({
        target: "gateway + server: p50 / the KServe server's p50 <= 1",
        rounds,
        compute: (of) => of(gatewayAndServer.name, 'p50Ms') / of(kserve.name, 'p50Ms'),
        bound: { atMost: 1 },
      }),
      ...more(rounds),
    ],
  };
}

export const loneTiny = lone(benchModels.tiny, (rounds) => [
  judge({
    target: "gateway + server: p50 / Triton's <= 0.8",
    rounds,
    compute: (of) => of(gatewayAndServer.name, 'p50Ms') / of(triton.name, 'p50Ms'),
    bound: { atMost: 0.8 },
  }),
]);
export const loneRanker2m = lone(benchModels.ranker2m);
