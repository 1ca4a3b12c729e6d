import { inferenceService } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Refusal, Result } from '@headrace/runtime';
import type { MethodCodec } from './caller.js';

export interface DocumentBackends {
  /** The backends that serve the model and version now, best first; else why none does. */
  serving(model: string, version: string): Result<readonly string[]>;
  call<Request, Response>(
    backend: string,
    method: MethodCodec<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Result<Response>>;
}

const { methods } = inferenceService;
const timeoutMs = 5000;
const maxCached = 1000;

/**
 * ModelMetadata and ModelConfig from a backend that serves the model, kept until a backend's view changes. Encoded anew
 * rather than passed on: some servers put another type into field 6 of ModelMetadataResponse.
 */
export class BackendDocuments {
  readonly #backends: DocumentBackends;
  readonly #cache = new Map<string, Buffer>();

  constructor(backends: DocumentBackends) {
    this.#backends = backends;
  }

  forget(): void {
    this.#cache.clear();
  }

  metadata(name: string, version: string): Promise<Result<Buffer>> {
    return this.#document('metadata', name, version, async (backend) => {
      const found = await this.#backends.call(backend, methods.ModelMetadata, { name, version }, timeoutMs);
      if (!found.ok) return found;
      const { properties: _foreign, ...metadata } = found.value;
      return { ok: true, value: methods.ModelMetadata.response.encode(metadata) };
    });
  }

  config(name: string, version: string): Promise<Result<Buffer>> {
    return this.#document('config', name, version, async (backend) => {
      const found = await this.#backends.call(backend, methods.ModelConfig, { name, version }, timeoutMs);
      return found.ok ? { ok: true, value: methods.ModelConfig.response.encode(found.value) } : found;
    });
  }

  async #document(kind: string, name: string, version: string, ask: (backend: string) => Promise<Result<Buffer>>): Promise<Result<Buffer>> {
    const serving = this.#backends.serving(name, version);
    if (!serving.ok) return serving;
    const key = `${kind}\u0000${name}\u0000${version}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined) return { ok: true, value: cached };
    let last: Refusal = refuse('NO_BACKEND', `model ${JSON.stringify(name)}: no backend answers`);
    // A second backend for the case that the first is lost at this moment.
    for (const backend of serving.value.slice(0, 2)) {
      const found = await ask(backend);
      if (found.ok) {
        if (this.#cache.size < maxCached) this.#cache.set(key, found.value);
        return found;
      }
      last = found.refusal;
    }
    return { ok: false, refusal: last };
  }
}
