import { inferenceService } from '@headrace/proto';
import type { HealthSource, HealthState } from '@headrace/wire';
import type { ModelHost } from './repository/model-host.js';

/**
 * Health of the process ("" and the service's name: ready for traffic) and of each model: "ranker" while any version
 * serves, "ranker/3" for one version.
 */
export class InferenceHealth implements HealthSource {
  readonly #host: ModelHost;
  readonly #ready: () => boolean;
  readonly #listeners = new Set<() => void>();

  constructor(host: ModelHost, ready: () => boolean) {
    this.#host = host;
    this.#ready = ready;
  }

  check(service: string): HealthState | undefined {
    if (service === '' || service === inferenceService.name) return this.#ready() ? 'SERVING' : 'NOT_SERVING';
    const slash = service.lastIndexOf('/');
    const [name, version] = slash < 0 ? [service, ''] : [service.slice(0, slash), service.slice(slash + 1)];
    const found = this.#host.resolve(name, version);
    if (found.ok) return this.#ready() ? 'SERVING' : 'NOT_SERVING';
    return found.refusal.reason === 'MODEL_NOT_READY' ? 'NOT_SERVING' : undefined;
  }

  *list(): Iterable<string> {
    yield '';
    yield inferenceService.name;
    for (const model of this.#host.models) yield model.name;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
