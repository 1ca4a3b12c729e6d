import { judge } from '../report/verdict.js';
import { gatewayAndServer, inferenceAlone } from '../subjects/headrace.js';
import { tritons } from '../subjects/peers.js';
import type { Subject } from '../subjects/subject.js';
import { benchModels } from '../workload/models.js';
import type { Rounds, Scenario, Verdict } from './scenario.js';
import { servedArm, servedColumns } from './served-arm.js';

/** A run of the tiny MLP takes microseconds: what is compared is all that surrounds it. */
function besideTriton(concurrency: number): Scenario {
  const faster = (rounds: Rounds, subject: Subject, times: number): readonly Verdict[] =>
    tritons.map((peer) =>
      judge({
        target: `${subject.name}: throughput / that of ${peer.called} >= ${times}`,
        rounds,
        compute: (of) => of(subject.name, 'requestsPerS') / of(peer.subject.name, 'requestsPerS'),
        bound: { atLeast: times },
      }),
    );
  return {
    name: `tiny-${concurrency}`,
    title: `tiny MLP, ${concurrency} in flight, beside Triton`,
    columns: servedColumns,
    arms: (context) =>
      [inferenceAlone, gatewayAndServer, ...tritons.map(({ subject }) => subject)].map((subject) =>
        servedArm(context, subject, benchModels.tiny, concurrency),
      ),
    judge: (rounds) => [...faster(rounds, inferenceAlone, 8), ...faster(rounds, gatewayAndServer, 4)],
  };
}

export const tiny32 = besideTriton(32);
export const tiny128 = besideTriton(128);
