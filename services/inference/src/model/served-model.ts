import type { Refusal, Result } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';
import type { ModelVersion, ReadyState } from './model-version.js';
import type { VersionState } from './state.js';
import { indexState } from './state.js';

/** A version that takes requests, as the service sees it. */
export interface ReadyVersion {
  readonly version: number;
  readonly state: ReadyState;
}

export interface IndexEntry {
  readonly version: string;
  readonly state: 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE';
  readonly reason: string;
}

/** One model of the repository: the versions that serve, those on their way in or out, and why others do not serve. */
export class ServedModel {
  readonly name: string;
  /** Takes requests. Replaced entry by entry, so that a request always finds one or the other generation. */
  readonly #active = new Map<number, ModelVersion>();
  /** On the way in, keyed by version. */
  readonly #incoming = new Map<number, ModelVersion>();
  readonly #outgoing = new Set<ModelVersion>();
  /** Versions that were tried or asked for and do not serve, or whose reload failed. */
  readonly #problems = new Map<number, string>();
  /** A problem of the whole folder, e.g. an unreadable configuration. */
  #modelProblem: string | undefined = 'not loaded';
  #latest: number | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get activeVersions(): readonly number[] {
    return [...this.#active.keys()].sort((a, b) => a - b);
  }

  get problems(): readonly string[] {
    const versions = [...this.#problems].map(([version, reason]) => `version ${version}: ${reason}`);
    return this.#modelProblem === undefined ? versions : [this.#modelProblem, ...versions];
  }

  active(version: number): ModelVersion | undefined {
    return this.#active.get(version);
  }

  /** "" is the highest version that serves. */
  resolve(version: string): Result<ReadyVersion> {
    const wanted = version === '' ? this.#latest : Number(version);
    const found = wanted === undefined ? undefined : this.#active.get(wanted);
    if (found !== undefined && found.state.kind === 'ready')
      return { ok: true, value: { version: found.source.version, state: found.state } };
    return { ok: false, refusal: this.#whyNot(version) };
  }

  #whyNot(version: string): Refusal {
    const model = JSON.stringify(this.name);
    if (version === '')
      return refuse('MODEL_NOT_READY', `model ${model} is not ready: ${this.problems.join('; ') || 'it is loading or unloading'}`);
    const known = this.index().find((entry) => entry.version === version);
    if (known !== undefined) {
      return refuse('MODEL_NOT_READY', `model ${model} version ${version} is not ready: ${known.reason || known.state.toLowerCase()}`);
    }
    const versions = this.activeVersions.join(', ') || 'none';
    return refuse('VERSION_NOT_FOUND', `model ${model} has no version ${JSON.stringify(version.slice(0, 40))}; ready: ${versions}`, {
      field: 'model_version',
    });
  }

  // --- transitions, driven by the host

  setModelProblem(reason: string | undefined): void {
    this.#modelProblem = reason;
  }

  setProblem(version: number, reason: string): void {
    this.#problems.set(version, reason);
  }

  /** Forgets problems of versions that are no longer asked for. */
  keepProblems(versions: readonly number[]): void {
    for (const version of this.#problems.keys()) if (!versions.includes(version)) this.#problems.delete(version);
  }

  begin(version: ModelVersion): void {
    this.#incoming.set(version.source.version, version);
  }

  /** Takes over from the generation before, which is returned and must be retired. */
  activate(version: ModelVersion): ModelVersion | undefined {
    const number = version.source.version;
    const before = this.#active.get(number);
    this.#incoming.delete(number);
    this.#problems.delete(number);
    this.#active.set(number, version);
    this.#latest = Math.max(...this.#active.keys());
    if (before !== undefined) this.#outgoing.add(before);
    return before;
  }

  abandon(version: ModelVersion, reason: string): void {
    this.#incoming.delete(version.source.version);
    this.#problems.set(version.source.version, reason);
  }

  /** Takes no more requests; must be retired. */
  deactivate(version: number): ModelVersion | undefined {
    const found = this.#active.get(version);
    if (found === undefined) return undefined;
    this.#active.delete(version);
    this.#latest = this.#active.size === 0 ? undefined : Math.max(...this.#active.keys());
    this.#outgoing.add(found);
    return found;
  }

  gone(version: ModelVersion): void {
    this.#outgoing.delete(version);
  }

  index(): readonly IndexEntry[] {
    const entries = new Map<number, { state: VersionState; problem?: string }>();
    for (const [version, reason] of this.#problems) entries.set(version, { state: { kind: 'failed', reason } });
    for (const version of this.#outgoing) entries.set(version.source.version, { state: version.state });
    for (const [number, version] of this.#incoming) entries.set(number, { state: version.state });
    for (const [number, version] of this.#active) {
      const problem = this.#problems.get(number);
      entries.set(number, {
        state: version.state,
        ...(problem === undefined ? {} : { problem: `serving the files from before: ${problem}` }),
      });
    }
    if (entries.size === 0) return [{ version: '', state: 'UNAVAILABLE', reason: this.#modelProblem ?? 'no version is served' }];
    return [...entries]
      .sort(([a], [b]) => a - b)
      .map(([version, { state, problem }]) => {
        const shown = indexState(state);
        return { version: String(version), state: shown.state, reason: problem ?? shown.reason };
      });
  }
}
