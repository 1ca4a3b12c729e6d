import { tool } from '../../harness/tools.js';
import { runH2load } from '../loads/h2load.js';
import { runPerfAnalyzer } from '../loads/perf-analyzer.js';
import { gatewayAndServer } from '../subjects/headrace.js';
import { triton } from '../subjects/peers.js';
import { Unavailable } from '../subjects/subject.js';
import type { Subject } from '../subjects/subject.js';
import { benchModels } from '../workload/models.js';
import { randomRequest } from '../workload/request.js';
import type { Arm, BenchContext, Scenario } from './scenario.js';
import { startWarm } from './warm-subject.js';

const model = benchModels.ranker2m;
const concurrency = 8;

/** Both generators on the same running server. */
function arm(context: BenchContext, subject: Subject, generator: 'h2load' | 'perf_analyzer'): Arm {
  const { lengths, h2load } = context;
  return {
    name: `${subject.name}, ${generator}`,
    measure: async () => {
      const analyzer = await tool('perfAnalyzer');
      if ('skip' in analyzer) throw new Unavailable(analyzer.skip);
      const running = await startWarm(context, subject, model);
      try {
        const { address, replyBytes } = running;
        const load = { address, replyBytes, concurrency, message: randomRequest(model) };
        const { requestsPerS, p50Ms, p99Ms } =
          generator === 'h2load'
            ? await runH2load(h2load, { ...load, durationS: lengths.measureS })
            : await runPerfAnalyzer(analyzer, { address, model, concurrency, durationS: lengths.measureS });
        return { requestsPerS, p50Ms, p99Ms };
      } finally {
        await running.stop();
      }
    },
  };
}

export const crossCheck: Scenario = {
  name: 'cross-check',
  title: `2M ranker, ${concurrency} in flight, by two load generators (perf_analyzer needs far more CPU for itself)`,
  columns: [
    { key: 'requestsPerS', title: 'requests/s', digits: 0 },
    { key: 'p50Ms', title: 'p50 ms', digits: 2 },
    { key: 'p99Ms', title: 'p99 ms', digits: 2 },
  ],
  arms: (context) =>
    [gatewayAndServer, triton].flatMap((subject) => [arm(context, subject, 'h2load'), arm(context, subject, 'perf_analyzer')]),
  judge: () => [],
};
