import type { Refusal, Result } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';

/** What became of a load or unload on one backend. */
export interface BackendResult {
  readonly backend: string;
  /** Undefined: done. */
  readonly refusal: Refusal | undefined;
}

/** Runs an order on every backend at once; a backend that cannot be reached is reported like one that refuses. */
export async function fanOut(
  backends: readonly string[],
  order: (backend: string) => Promise<Result<unknown>>,
): Promise<readonly BackendResult[]> {
  return Promise.all(
    backends.map(async (backend) => {
      const result = await order(backend);
      return { backend, refusal: result.ok ? undefined : result.refusal };
    }),
  );
}

/**
 * One answer for the caller. Done everywhere: undefined. Else a refusal that names every backend's result, with the
 * first failure's status. E.g. `load of "ranker": replica-0 done; replica-1 failed: model.onnx is missing`.
 */
export function summarise(what: string, model: string, results: readonly BackendResult[]): Refusal | undefined {
  const failed = results.find(({ refusal }) => refusal !== undefined)?.refusal;
  if (failed === undefined) return undefined;
  const lines = results.map(({ backend, refusal }) => `${backend} ${refusal === undefined ? 'done' : `failed: ${refusal.message}`}`);
  return refuse(failed.reason, `${what} of ${JSON.stringify(model)}: ${lines.join('; ')}`, { upstreamCode: failed.code });
}

/** For scripts: the trailer x-headrace-backend-results, ASCII JSON. */
export function resultsTrailer(results: readonly BackendResult[]): string {
  const short = results.map(({ backend, refusal }) =>
    refusal === undefined ? { backend, ok: true } : { backend, ok: false, reason: refusal.reason },
  );
  return JSON.stringify(short);
}
