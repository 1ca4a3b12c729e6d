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

type Reachable = Pick<RunningSubject, 'address' | 'authorityFile' | 'died'>;

/** Bytes of a good reply with its gRPC frame. */
export function firstAnswer(at: Reachable, model: BenchModel, servedAs: string = model.name, untilMs?: number): Promise<number> {
  return firstReply(at, { what: servedAs, path: inferPath, message: () => randomRequest(model, { servedAs }) }, untilMs);
}

export interface Question {
  /** For messages. */
  readonly what: string;
  /** "/package.Service/Method" */
  readonly path: string;
  readonly message: () => Buffer;
}

/** Asks until there is a good reply; resolves with its bytes, gRPC frame included. */
export async function firstReply(at: Reachable, question: Question, untilMs: number = performance.now() + giveUpMs): Promise<number> {
  for (;;) {
    const outcome = await ask(at, question);
    if (outcome.ok) return grpcFrame(outcome.message).length;
    const lastWords = at.died?.();
    if (lastWords !== undefined) throw new Error(`the server of ${question.what} ended by itself: ${lastWords}`);
    if (performance.now() > untilMs) throw new Error(`${question.what} at ${at.address} gave no answer: ${outcome.status}`);
    await sleep(pollMs);
  }
}

type Asked = Awaited<ReturnType<GrpcClient['call']>>;

async function ask(at: Reachable, { path, message }: Question): Promise<Asked> {
  let client: GrpcClient;
  try {
    client = await GrpcClient.connect(at.address, at.authorityFile);
  } catch (error) {
    return { ok: false, status: String(error) };
  }
  try {
    return await client.call(path, message());
  } finally {
    client.close();
  }
}
