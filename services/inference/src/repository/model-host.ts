import type { Result } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';
import { readSettings } from '../config/read-settings.js';
import type { ModelSettings } from '../config/settings.js';
import type { ThreadKind } from '../instance/thread-pool.js';
import type { ModelParts } from '../model/model-version.js';
import { ModelVersion } from '../model/model-version.js';
import type { ReadyVersion } from '../model/served-model.js';
import { ServedModel } from '../model/served-model.js';
import type { VersionState } from '../model/state.js';
import type { ModelFolder, VersionFolder } from './scan.js';
import { Gate, Serial } from './serial.js';
import { chooseVersions } from './versions.js';

export interface StateChange {
  readonly model: string;
  readonly version: number;
  readonly state: VersionState;
}

export interface ModelHostOptions extends ModelParts {
  readonly maxConcurrentLoads: number;
  readonly onChange: (change: StateChange) => void;
}

/** Seconds before a model whose worker thread was lost is loaded again: 1, 2, 4, ... 60. */
const recoveryDelayMs = (attempt: number): number => Math.min(60_000, 1000 * 2 ** attempt);

/**
 * All models of the server: brings what serves in line with what lies in the repository.
 *
 *     apply(folder):  1. read the configuration   2. choose versions   3. load what is new or changed, beside the old
 *                     4. switch each as it becomes ready               5. retire what nobody asks for any more
 *
 * Changes of one model happen one after the other; different models load at the same time, up to a limit.
 */
export class ModelHost {
  readonly #options: ModelHostOptions;
  readonly #models = new Map<string, ServedModel>();
  readonly #serial = new Map<string, Serial>();
  readonly #gate: Gate;
  readonly #retiring = new Set<Promise<void>>();
  readonly #folders = new Map<string, { readonly folder: ModelFolder; readonly overrideJson: string | undefined }>();
  readonly #recoveries = new Map<string, number>();
  #closed = false;

  constructor(options: ModelHostOptions) {
    this.#options = options;
    this.#gate = new Gate(options.maxConcurrentLoads);
  }

  get models(): readonly ServedModel[] {
    return [...this.#models.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): ServedModel | undefined {
    return this.#models.get(name);
  }

  resolve(name: string, version: string): Result<ReadyVersion> {
    const model = this.#models.get(name);
    if (model !== undefined) return model.resolve(version);
    const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
    return {
      ok: false,
      refusal: refuse(
        'MODEL_NOT_FOUND',
        name === '' ? 'model_name: expected the name of a model, got nothing' : `model ${shown} is not found`,
        { field: 'model_name' },
      ),
    };
  }

  /** Makes the model known without loading it. */
  announce(name: string): ServedModel {
    let model = this.#models.get(name);
    if (model === undefined) this.#models.set(name, (model = new ServedModel(name)));
    return model;
  }

  /** Resolves when every chosen version is ready or has failed; the retired ones may still be draining. Never rejects. */
  apply(folder: ModelFolder, overrideJson?: string): Promise<void> {
    return this.#serialOf(folder.name).run(() => this.#apply(folder, overrideJson, false));
  }

  /** Resolves when what was in flight is answered and the instances are released. False: nothing of that name is loaded. */
  async unload(name: string): Promise<boolean> {
    const model = this.#models.get(name);
    if (model === undefined) return false;
    return this.#serialOf(name).run(async () => {
      const versions = model.activeVersions;
      model.keepProblems([]);
      model.setModelProblem('unloaded');
      this.#folders.delete(name);
      await Promise.all(versions.map((version) => this.#retire(model, version)));
      return versions.length > 0;
    });
  }

  /** Unloads, and forgets that the model existed: its folder is gone. */
  async remove(name: string): Promise<void> {
    await this.unload(name);
    this.#models.delete(name);
    this.#serial.delete(name);
  }

  /** Waits for all loads and drains; nothing can be loaded afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#models.keys()].map((name) => this.unload(name)));
    await Promise.all(this.#retiring);
  }

  async #apply(folder: ModelFolder, overrideJson: string | undefined, force: boolean): Promise<void> {
    if (this.#closed) return;
    const model = this.announce(folder.name);
    this.#folders.set(folder.name, { folder, overrideJson });
    const read = await readSettings(folder.name, folder.path, overrideJson);
    if (!read.ok) return this.#configurationFailed(model, folder, read.problems.join('; '));
    const { chosen, missing } = chooseVersions(
      read.settings.versionPolicy,
      folder.versions.map(({ version }) => version),
    );
    model.setModelProblem(chosen.length + missing.length === 0 ? 'the folder holds no version (a folder named 1, 2, ...)' : undefined);
    model.keepProblems([...chosen, ...missing]);
    for (const version of missing) model.setProblem(version, 'asked for by version_policy, but there is no such folder');
    const print = `${folder.settingsPrint}|${overrideJson ?? ''}`;
    const wanted = folder.versions.filter(({ version }) => chosen.includes(version));
    await Promise.all(wanted.map((version) => this.#load(model, version, read.settings, print, force)));
    // A version leaves only when another one that was asked for serves: with all of them broken the old one goes on.
    const serving = model.activeVersions;
    if (!serving.some((version) => chosen.includes(version)) && chosen.length > 0) return;
    for (const version of serving) if (!chosen.includes(version)) this.#retireLater(model, version);
  }

  #configurationFailed(model: ServedModel, folder: ModelFolder, reason: string): void {
    this.#options.logger.error({ model: model.name, reason }, 'the configuration cannot be used');
    if (model.activeVersions.length === 0) model.setModelProblem(reason);
    for (const { version } of folder.versions) {
      model.setProblem(version, reason);
      if (model.active(version) === undefined) this.#options.onChange({ model: model.name, version, state: { kind: 'failed', reason } });
    }
  }

  async #load(model: ServedModel, folder: VersionFolder, settings: ModelSettings, settingsPrint: string, force: boolean): Promise<void> {
    const { logger, onChange } = this.#options;
    const print = `${folder.print}|${settingsPrint}`;
    const before = model.active(folder.version);
    if (before?.source.print === print && !force) return;
    const version = new ModelVersion(
      { model: model.name, version: folder.version, path: folder.path, bytes: folder.bytes, print, settings },
      this.#options,
      (state) => {
        logger.info(
          { model: model.name, version: folder.version, state: state.kind, ...('reason' in state ? { reason: state.reason } : {}) },
          'model state',
        );
        onChange({ model: model.name, version: folder.version, state });
      },
    );
    model.begin(version);
    await this.#gate.run(() => version.load(threadKindOf(before), () => this.#recover(model.name)));
    if (version.state.kind === 'ready') {
      const replaced = model.activate(version);
      if (replaced !== undefined) this.#track(replaced.retire(false).then(() => model.gone(replaced)));
    } else {
      const reason = version.state.kind === 'failed' ? version.state.reason : version.state.kind;
      model.abandon(version, reason);
    }
  }

  #retireLater(model: ServedModel, version: number): void {
    this.#track(this.#retire(model, version));
  }

  async #retire(model: ServedModel, number: number): Promise<void> {
    const version = model.deactivate(number);
    if (version === undefined) return;
    await version.retire(true);
    model.gone(version);
  }

  #track(retiring: Promise<void>): void {
    const tracked = retiring.finally(() => this.#retiring.delete(tracked));
    this.#retiring.add(tracked);
  }

  /** A worker thread died under the model: a whole new generation takes over. */
  #recover(name: string): void {
    const attempt = this.#recoveries.get(name) ?? 0;
    if (this.#closed || attempt < 0) return;
    this.#recoveries.set(name, -1 - attempt);
    this.#options.clock.setTimer(() => {
      this.#recoveries.set(name, attempt + 1);
      const last = this.#folders.get(name);
      if (last !== undefined && !this.#closed) void this.#serialOf(name).run(() => this.#apply(last.folder, last.overrideJson, true));
    }, recoveryDelayMs(attempt));
  }

  #serialOf(name: string): Serial {
    let serial = this.#serial.get(name);
    if (serial === undefined) this.#serial.set(name, (serial = new Serial()));
    return serial;
  }
}

function threadKindOf(version: ModelVersion | undefined): ThreadKind | undefined {
  return version?.state.kind === 'ready' ? version.state.loaded.threadKind : undefined;
}
