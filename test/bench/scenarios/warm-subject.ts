import { runH2load } from '../loads/h2load.js';
import { firstAnswer, startSubject } from '../subjects/started.js';
import type { StartedSubject } from '../subjects/started.js';
import type { Serve, Subject } from '../subjects/subject.js';
import { benchModels } from '../workload/models.js';
import type { BenchModel } from '../workload/models.js';
import { randomRequest } from '../workload/request.js';
import type { BenchContext } from './scenario.js';

export interface WarmSubject extends StartedSubject {
  /** Bytes of one good reply of the measured model, with its gRPC frame. */
  readonly replyBytes: number;
}

/**
 * Just-in-time compilers need tens of thousands of requests: a gateway's requests cost four times as much in its first
 * thousand. A large model takes minutes for so many, so every subject has the tiny one too, and is warmed up with it.
 */
const warmUpInFlight = 64;

/**
 * A subject that serves `model`, started and warm. The caller stops it. `inFlight` is for lone requests: many at once travel in
 * batches, and leave the code that each lone one goes through cold.
 */
export async function startWarm(
  context: BenchContext,
  subject: Subject,
  model: BenchModel,
  inFlight: number = warmUpInFlight,
  more: Pick<Serve, 'deadlineMs'> = {},
): Promise<WarmSubject> {
  const { h2load, lengths, profileFolder } = context;
  const { tiny } = benchModels;
  const models = [...new Set<BenchModel>([tiny, model])].map((each) => ({ name: each.name, model: each, file: context.file(each.name) }));
  const serve: Serve = { models, peerThreads: model.peerThreads, ...more, ...(profileFolder === undefined ? {} : { profileFolder }) };
  const running = await startSubject(subject, serve);
  try {
    for (const each of models) {
      const replyBytes = await firstAnswer(running, each.model);
      const load = { address: running.address, message: randomRequest(each.model), replyBytes };
      const durationS = each.model === tiny ? lengths.warmUpS : Math.min(lengths.warmUpS, 2);
      await runH2load(h2load, { ...load, concurrency: inFlight, durationS });
    }
    return { ...running, replyBytes: await firstAnswer(running, model) };
  } catch (error) {
    await running.stop();
    throw error;
  }
}
