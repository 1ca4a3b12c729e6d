import { runH2load } from '../loads/h2load.js';
import { measureUsage, processTree } from '../loads/usage.js';
import { judge } from '../report/verdict.js';
import { startPinnedInference } from '../subjects/pinned-inference.js';
import { firstAnswer } from '../subjects/started.js';
import { benchModels } from '../workload/models.js';
import { randomRequest } from '../workload/request.js';
import type { Arm, BenchContext, Figures, Scenario } from './scenario.js';

const { tiny, ranker32m } = benchModels;
/**
 *     core 0: the ranker's only instance
 *     core 1: tiny's only instance, the server's own thread, the load generators
 */
const rankerCore = 0;
const restCore = 1;
const tinyPerS = 300;
const rankerInFlight = 8;
/** The noisy load begins first and ends last. */
const marginS = 1;

const alone = 'tiny alone';
const beside = 'tiny beside the saturated ranker';

function arm(context: BenchContext, name: string, saturate: boolean): Arm {
  const { h2load, lengths } = context;
  const measure = async (address: string): Promise<Figures> => {
    const shared = { address, core: restCore };
    const tinyBytes = await firstAnswer(shared, tiny);
    const rankerBytes = await firstAnswer(shared, ranker32m);
    const tinyLoad = { ...shared, message: randomRequest(tiny), replyBytes: tinyBytes, concurrency: 16, requestsPerS: tinyPerS };
    const rankerLoad = { ...shared, message: randomRequest(ranker32m), replyBytes: rankerBytes, concurrency: rankerInFlight };
    // Code first, as in the other scenarios: at a few hundred requests/s it would stay cold.
    await runH2load(h2load, {
      ...shared,
      message: randomRequest(tiny),
      replyBytes: tinyBytes,
      concurrency: 64,
      durationS: lengths.warmUpS,
    });
    const totalS = lengths.warmUpS + lengths.measureS + marginS;
    const noise = saturate ? runH2load(h2load, { ...rankerLoad, durationS: totalS }) : undefined;
    // Waited for below; a failure meanwhile must not end the process as an unhandled rejection.
    noise?.catch(() => undefined);
    await runH2load(h2load, { ...tinyLoad, durationS: lengths.warmUpS });
    const result = await runH2load(h2load, { ...tinyLoad, durationS: lengths.measureS });
    const busy = await noise;
    const figures = { tinyP50Ms: result.p50Ms, tinyP99Ms: result.p99Ms, tinyPerS: result.requestsPerS };
    return busy === undefined ? figures : { ...figures, rankerPerS: busy.requestsPerS };
  };
  return {
    name,
    measure: async () => {
      const entries = [
        { name: tiny.name, file: context.file(tiny.name), core: restCore },
        { name: ranker32m.name, file: context.file(ranker32m.name), core: rankerCore },
      ];
      const running = await startPinnedInference(entries, restCore);
      try {
        const usage = await measureUsage(processTree(running.pids), () => measure(running.address));
        return { ...usage.result, otherCores: usage.otherCores };
      } finally {
        await running.stop();
      }
    },
  };
}

export const isolation: Scenario = {
  name: 'isolation',
  title: `${tinyPerS} requests/s to the tiny MLP, with and without the 32M ranker saturated in the same server on the other core`,
  columns: [
    { key: 'tinyPerS', title: 'tiny/s', digits: 0 },
    { key: 'tinyP50Ms', title: 'tiny p50 ms', digits: 2 },
    { key: 'tinyP99Ms', title: 'tiny p99 ms', digits: 2 },
    { key: 'rankerPerS', title: 'ranker/s', digits: 0 },
    { key: 'otherCores', title: 'cores used by others', digits: 2 },
  ],
  arms: (context) => [arm(context, alone, false), arm(context, beside, true)],
  judge: (rounds) => [
    judge({
      target: "tiny's p99 beside the saturated ranker / alone <= 2",
      rounds,
      compute: (of) => of(beside, 'tinyP99Ms') / of(alone, 'tinyP99Ms'),
      bound: { atMost: 2 },
    }),
  ],
};
