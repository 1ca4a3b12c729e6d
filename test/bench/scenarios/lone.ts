import { judge } from '../report/verdict.js';
import { gatewayAndServer, inferenceAlone } from '../subjects/headrace.js';
import { kserve, mlserver, triton } from '../subjects/peers.js';
import { benchModels } from '../workload/models.js';
import type { BenchModel } from '../workload/models.js';
import type { Scenario } from './scenario.js';
import { servedArm, servedColumns } from './served-arm.js';

function lone(model: BenchModel): Scenario {
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
    ],
  };
}

export const loneTiny = lone(benchModels.tiny);
export const loneRanker2m = lone(benchModels.ranker2m);
