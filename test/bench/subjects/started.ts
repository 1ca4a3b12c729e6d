import { setTimeout as sleep } from 'node:timers/promises';
import { GrpcClient, inferPath } from '../loads/grpc-client.js';
import { grpcFrame, randomRequest } from '../workload/request.js';
import type { BenchModel } from '../workload/models.js';
import type { RunningSubject, Serve, ServedModel, Subject } from './subject.js';

export interface StartedSubject extends RunningSubject {
  /** From starting the first process to an answer from every model (of a thousand models, from ten). */
  readonly readyS: number;
}

const maxAsked = 10;
const pollMs = 20;
const giveUpMs = 120_000;

/** Starts a subject and waits for answers, which is the same test of readiness for all of them. */
export async function startSubject(subject: Subject, serve: Serve): Promise<StartedSubject> {
  await subject.install?.();
  const beganMs = performance.now();
  const running = await subject.start(serve);
  try {
    for (const { model, name } of spread(serve.models)) await firstAnswer(running, model, name, beganMs + giveUpMs);
    return { ...running, readyS: (performance.now() - beganMs) / 1000 };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** First, last and some between: asking a thousand models would take longer than some servers' start. */
function spread(models: readonly ServedModel[]): readonly ServedModel[] {
  const step = Math.max(1, (models.length - 1) / (maxAsked - 1));
  const asked = new Set(Array.from({ length: maxAsked }, (_, index) => Math.round(index * step)));
  return models.filter((_, index) => asked.has(index));
}

/** Bytes of a good reply with its gRPC frame. */
export async function firstAnswer(
  { address, died }: Pick<RunningSubject, 'address' | 'died'>,
  model: BenchModel,
  servedAs: string = model.name,
  untilMs: number = performance.now() + giveUpMs,
): Promise<number> {
  for (;;) {
    const outcome = await ask(address, randomRequest(model, { servedAs }));
    if (outcome.ok) return grpcFrame(outcome.message).length;
    const lastWords = died?.();
    if (lastWords !== undefined) throw new Error(`the server of ${servedAs} ended by itself: ${lastWords}`);
    if (performance.now() > untilMs) throw new Error(`${servedAs} at ${address} gave no answer: ${outcome.status}`);
    await sleep(pollMs);
  }
}

type Asked = Awaited<ReturnType<GrpcClient['call']>>;

async function ask(address: string, message: Buffer): Promise<Asked> {
  let client: GrpcClient;
  try {
    client = await GrpcClient.connect(address);
  } catch (error) {
    return { ok: false, status: String(error) };
  }
  try {
    return await client.call(inferPath, message);
  } finally {
    client.close();
  }
}
