import { judge } from '../report/verdict.js';
import { gatewayAndServer, inferenceAlone } from '../subjects/headrace.js';
import { kserve, mlserver, triton, tritons } from '../subjects/peers.js';
import type { Subject } from '../subjects/subject.js';
import { benchModels } from '../workload/models.js';
import type { BenchModel } from '../workload/models.js';
import type { Rounds, Scenario, Verdict } from './scenario.js';
import { servedArm, servedColumns } from './served-arm.js';

/** Beside what all lone scenarios have. */
interface Beside {
  readonly servers: readonly Subject[];
  judge(rounds: Rounds): readonly Verdict[];
}

function lone(model: BenchModel, beside: Beside): Scenario {
  return {
    name: `lone-${model.name}`,
    title: `${model.title}, one request at a time`,
    columns: servedColumns,
    arms: (context) =>
      [inferenceAlone, gatewayAndServer, mlserver, kserve, ...beside.servers].map((subject) => servedArm(context, subject, model, 1)),
    judge: (rounds) => [
      judge({
        target: "gateway + server: p50 / the KServe server's p50 <= 1",
        rounds,
        compute: (of) => of(gatewayAndServer.name, 'p50Ms') / of(kserve.name, 'p50Ms'),
        bound: { atMost: 1 },
      }),
      ...beside.judge(rounds),
    ],
  };
}

export const loneTiny = lone(benchModels.tiny, {
  servers: tritons.map(({ subject }) => subject),
  judge: (rounds) =>
    tritons.map(({ subject, called }) =>
      judge({
        target: `gateway + server: p50 / that of ${called} <= 0.8`,
        rounds,
        compute: (of) => of(gatewayAndServer.name, 'p50Ms') / of(subject.name, 'p50Ms'),
        bound: { atMost: 0.8 },
      }),
    ),
});
export const loneRanker2m = lone(benchModels.ranker2m, { servers: [triton], judge: () => [] });
