import type { Clock } from '@headrace/runtime';
import type { Channel, ClientStream, StreamReceiver, UnaryOutcome } from '@headrace/wire';
import { defaultWire, transportOf } from '@headrace/wire';
import { inferenceService, trafficService } from '@headrace/proto';
import type { ExplainResponse__Output, LimitsResponse__Output } from '@headrace/proto';
import type { ModelSpec } from '../input/tensor-spec.js';
import { serverFailure } from './server-failure.js';
import type { Target } from './target.js';

/** A codec of one rare method, as @headrace/proto has them. */
interface UnaryMethod<Request, Response> {
  readonly path: string;
  readonly request: { encode(value: Request): Buffer };
  readonly response: { decode(bytes: Buffer): Response };
}

export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
}

/** Counters of one model version, as ModelStatistics has them. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  readonly rows: number;
  readonly runs: number;
  readonly answered: number;
  /** Sum over what was answered, from arrival to reply. */
  readonly answeredSumMs: number;
  readonly failed: number;
  readonly queueSumMs: number;
}

const methods = inferenceService.methods;

/**
 * The Open Inference Protocol as the commands use it: nothing but the wire, so that a gateway, an inference server and
 * a stranger's server all do. Failed calls throw a CliFailure.
 */
export class InferenceClient {
  readonly target: Target;
  readonly #channel: Channel;
  readonly #clock: Clock;

  constructor(target: Target, clock: Clock) {
    this.target = target;
    this.#clock = clock;
    this.#channel = transportOf(target.wire ?? defaultWire, clock).openChannel(
      target.address,
      target.tls === undefined ? {} : { tls: target.tls },
    );
  }

  /** Sorted by name, then version as a number. */
  async index(): Promise<IndexEntry[]> {
    const { models } = await this.#rare(methods.RepositoryIndex, {}, 'model index');
    return models.map(({ name, version, state, reason }) => ({ name, version, state, reason })).sort(byNameAndVersion);
  }

  async model(name: string, version = ''): Promise<ModelSpec> {
    const metadata = await this.#rare(methods.ModelMetadata, { name, version }, `model ${name}`);
    const tensors = (list: typeof metadata.inputs) =>
      list.map((tensor) => ({ name: tensor.name, datatype: tensor.datatype, shape: tensor.shape.map(Number) }));
    return {
      name: metadata.name || name,
      versions: metadata.versions,
      platform: metadata.platform,
      inputs: tensors(metadata.inputs),
      outputs: tensors(metadata.outputs),
    };
  }

  /** Of all models since each was loaded. */
  async statistics(): Promise<ModelStatistics[]> {
    const { model_stats: all } = await this.#rare(methods.ModelStatistics, {}, 'statistics');
    return all.map((model) => ({
      name: model.name,
      version: model.version,
      rows: Number(model.inference_count),
      runs: Number(model.execution_count),
      answered: Number(model.inference_stats?.success?.count ?? 0),
      answeredSumMs: Number(model.inference_stats?.success?.ns ?? 0) / 1e6,
      failed: Number(model.inference_stats?.fail?.count ?? 0),
      queueSumMs: Number(model.inference_stats?.queue?.ns ?? 0) / 1e6,
    }));
  }

  async load(name: string): Promise<void> {
    await this.#rare(methods.RepositoryModelLoad, { model_name: name }, `load ${name}`);
  }

  async unload(name: string): Promise<void> {
    await this.#rare(methods.RepositoryModelUnload, { model_name: name }, `unload ${name}`);
  }

  /** A gateway's alone; "" for the tenants of the policy and the busiest of the others. */
  async limits(tenant: string, mostOthers: number): Promise<LimitsResponse__Output> {
    return this.#rare(trafficService.methods.Limits, { tenant, most_others: mostOthers }, 'limits');
  }

  async explain(requestId: string): Promise<ExplainResponse__Output> {
    return this.#rare(trafficService.methods.Explain, { request_id: requestId }, `explain ${requestId}`);
  }

  /** One inference; the reply is the caller's to keep. */
  async infer(request: Buffer, what: string): Promise<Buffer> {
    const outcome = await new Promise<UnaryOutcome>((resolve) => this.sendInfer(request, (done) => resolve(kept(done))));
    if (!outcome.ok) throw serverFailure(outcome, this.target, what);
    return outcome.message;
  }

  /** The bare call, for load generation. The message of the outcome is borrowed. */
  sendInfer(request: Buffer, done: (outcome: UnaryOutcome) => void): void {
    this.#channel.unary(methods.ModelInfer.path, request, this.#callOptions(), done);
  }

  openInferStream(receiver: StreamReceiver): ClientStream {
    return this.#channel.stream(methods.ModelStreamInfer.path, {}, receiver);
  }

  close(): void {
    this.#channel.close();
  }

  async #rare<Request, Response>(method: UnaryMethod<Request, Response>, request: Request, what: string): Promise<Response> {
    const outcome = await new Promise<UnaryOutcome>((resolve) => {
      this.#channel.unary(method.path, method.request.encode(request), this.#callOptions(), (done) => resolve(kept(done)));
    });
    if (!outcome.ok) throw serverFailure(outcome, this.target, what);
    return method.response.decode(outcome.message);
  }

  #callOptions() {
    return { deadlineMs: this.#clock.nowMs() + this.target.timeoutMs };
  }
}

/** Messages are lent until the listener returns: what goes through a promise is copied. */
function kept(outcome: UnaryOutcome): UnaryOutcome {
  return outcome.ok ? { ...outcome, message: Buffer.from(outcome.message) } : outcome;
}

function byNameAndVersion(left: IndexEntry, right: IndexEntry): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  return Number(left.version) - Number(right.version) || left.version.localeCompare(right.version);
}
