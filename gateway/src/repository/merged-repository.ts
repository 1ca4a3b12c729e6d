import { inferenceService } from '@headrace/proto';
import { describeError, refuse, statusCode } from '@headrace/runtime';
import type { Logger, Refusal, Result } from '@headrace/runtime';
import type { Peer } from '@headrace/wire';
import type { BackendView } from '../domain/backend-view.js';
import { authorizeControl } from './authorize.js';
import { fanOut, resultsTrailer, summarise } from './fan-out.js';
import { mergeIndex } from './merge-index.js';
import type { IndexEntry } from './merge-index.js';
import { StatisticsMerger } from './statistics.js';
import type { ModelStatistics } from './statistics.js';

interface Codec<Request, Response> {
  readonly path: string;
  readonly request: { encode(value: Request): Buffer };
  readonly response: { decode(bytes: Buffer): Response };
}

/** The backends as the repository needs them. */
export interface RepositoryBackends {
  views(): readonly BackendView[];
  call<Request, Response>(
    backend: string,
    method: Codec<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Result<Response>>;
}

export interface RepositoryOptions {
  readonly backends: RepositoryBackends;
  readonly adminIdentities: readonly string[];
  readonly logger: Logger;
  /** A load or unload ended somewhere: what is known of the model is not to be trusted. */
  readonly onControlled: (model: string) => void;
}

const { methods } = inferenceService;
/** A load reads the model from disk and warms it up. */
const controlTimeoutMs = 600_000;
const readTimeoutMs = 5000;

/** The repository calls over all backends of the table. */
export class MergedRepository {
  readonly #options: RepositoryOptions;
  readonly #statistics = new StatisticsMerger();

  constructor(options: RepositoryOptions) {
    this.#options = options;
  }

  authorize(peer: Peer): Refusal | undefined {
    return authorizeControl(peer, this.#options.adminIdentities);
  }

  /** Asked of the backends now; of one that has no index or cannot be reached, what is known of it. */
  async index(onlyReady: boolean): Promise<Buffer> {
    const { backends } = this.#options;
    const perBackend = await Promise.all(
      backends.views().map(async (view): Promise<[string, readonly IndexEntry[]]> => {
        if (view.state === 'ready') {
          const told = await backends.call(view.name, methods.RepositoryIndex, {}, readTimeoutMs);
          if (told.ok) return [view.name, told.value.models];
        }
        return [view.name, knownIndex(view)];
      }),
    );
    return methods.RepositoryIndex.response.encode({ models: mergeIndex(new Map(perBackend), onlyReady) });
  }

  load(message: Buffer): ReturnType<MergedRepository['unload']> {
    const order = decodeOrder('RepositoryModelLoadRequest', () => methods.RepositoryModelLoad.request.decode(message));
    return order.ok ? this.#control('load', order.value.model_name, methods.RepositoryModelLoad, order.value) : refused(order.refusal);
  }

  unload(message: Buffer): Promise<{ refusal: Refusal | undefined; trailer: string | undefined }> {
    const order = decodeOrder('RepositoryModelUnloadRequest', () => methods.RepositoryModelUnload.request.decode(message));
    return order.ok ? this.#control('unload', order.value.model_name, methods.RepositoryModelUnload, order.value) : refused(order.refusal);
  }

  async statistics(name: string, version: string): Promise<Result<Buffer>> {
    const { backends } = this.#options;
    let notFound: Refusal | undefined;
    let found = false;
    const answers = await Promise.all(
      backends.views().map(async (view): Promise<[string, readonly ModelStatistics[] | undefined]> => {
        if (view.state !== 'ready') return [view.name, undefined];
        const told = await backends.call(view.name, methods.ModelStatistics, { name, version }, readTimeoutMs);
        if (told.ok) {
          found = true;
          return [view.name, told.value.model_stats];
        }
        notFound ??= told.refusal;
        return [view.name, undefined];
      }),
    );
    const wanted = (model: string, modelVersion: string): boolean =>
      (name === '' || model === name) && (version === '' || modelVersion === version);
    const merged = this.#statistics.merge(new Map(answers), wanted);
    if ((merged.model_stats ?? []).length === 0 && !found) {
      return { ok: false, refusal: notFound ?? refuse('NO_BACKEND', 'statistics: no backend is ready', { retryAfterMs: 1000 }) };
    }
    return { ok: true, value: methods.ModelStatistics.response.encode(merged) };
  }

  async #control<Request, Response>(
    what: string,
    model: string,
    method: Codec<Request, Response>,
    order: Request,
  ): Promise<{ refusal: Refusal | undefined; trailer: string | undefined }> {
    const { backends, logger, onControlled } = this.#options;
    const names = backends.views().map(({ name }) => name);
    const results = await fanOut(names, (backend) => backends.call(backend, method, order, controlTimeoutMs));
    onControlled(model);
    for (const { backend, refusal } of results) {
      if (refusal === undefined) logger.info({ backend, model }, `${what} done`);
      else logger.warn({ backend, model, reason: refusal.reason, detail: refusal.message }, `${what} failed`);
    }
    return { refusal: summarise(what, model, results), trailer: resultsTrailer(results) };
  }
}

function knownIndex(view: BackendView): IndexEntry[] {
  const entries: IndexEntry[] = [];
  for (const model of view.models.values()) {
    for (const version of model.readyVersions) {
      entries.push({
        name: model.name,
        version,
        state: view.state === 'ready' ? 'READY' : 'UNAVAILABLE',
        reason: view.state === 'ready' ? '' : `backend is ${view.state}`,
      });
    }
    for (const [version, reason] of model.unready) entries.push({ name: model.name, version, state: 'UNAVAILABLE', reason });
  }
  return entries;
}

function decodeOrder<T extends { model_name: string }>(what: string, decode: () => T): Result<T> {
  let order: T;
  try {
    order = decode();
  } catch (error) {
    return { ok: false, refusal: refuse('MALFORMED_MESSAGE', `expected a ${what}: ${describeError(error)}`) };
  }
  if (order.model_name !== '') return { ok: true, value: order };
  return {
    ok: false,
    refusal: refuse('INVALID_PARAMETER', 'model_name: expected a model, got nothing', {
      field: 'model_name',
      upstreamCode: statusCode.INVALID_ARGUMENT,
    }),
  };
}

async function refused(refusal: Refusal): Promise<{ refusal: Refusal; trailer: undefined }> {
  return { refusal, trailer: undefined };
}
