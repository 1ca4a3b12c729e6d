import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger, Timer } from '@headrace/runtime';
import { HeadraceError, describeError } from '@headrace/runtime';
import type { ModelHost } from './model-host.js';
import type { ModelFolder } from './scan.js';
import { scanModel, scanRepository } from './scan.js';

export const controlModes = ['none', 'poll', 'explicit'] as const;
/**
 * none: what lies there at start is served. poll: the repository is looked at again and again. explicit: load and
 * unload requests decide.
 */
export type ControlMode = (typeof controlModes)[number];

export interface RepositoryControlOptions {
  readonly directory: string;
  readonly mode: ControlMode;
  /** Explicit mode: what is loaded at start; '*' = all. */
  readonly initialModels: readonly string[];
  readonly pollMs: number;
  readonly host: ModelHost;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Decides when the host applies which folder. */
export class RepositoryControl {
  readonly #options: RepositoryControlOptions;
  /** Prints of the last scan and of what was last applied; polling acts on what held still for two scans. */
  #seen = new Map<string, string>();
  readonly #applied = new Map<string, string>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: RepositoryControlOptions) {
    this.#options = options;
  }

  /** Loads what the mode asks for; resolves when every model is ready or has failed. @throws when the directory cannot be read. */
  async start(): Promise<void> {
    const { directory, mode, initialModels, host, logger } = this.#options;
    const folders = await scanRepository(directory);
    const chosen =
      mode === 'explicit' && !initialModels.includes('*') ? folders.filter(({ name }) => initialModels.includes(name)) : folders;
    for (const name of initialModels) {
      if (name !== '*' && mode === 'explicit' && !chosen.some((folder) => folder.name === name)) {
        logger.error({ model: name }, 'a model that was asked for at start is not in the repository');
        host.announce(name).setModelProblem('not found in the repository');
      }
    }
    for (const folder of folders) {
      host.announce(folder.name);
      this.#seen.set(folder.name, printOf(folder));
    }
    await Promise.all(chosen.map((folder) => this.#apply(folder)));
    if (mode === 'poll') this.#pollLater();
  }

  /** Explicit mode: makes models that were put there since known to the index. Never throws. */
  async lookAround(): Promise<void> {
    const { directory, mode, host } = this.#options;
    if (mode !== 'explicit') return;
    for (const folder of await scanRepository(directory).catch(() => [])) host.announce(folder.name);
  }

  /** @throws HeadraceError: wrong mode, no such model, or the load failed. */
  async load(name: string, overrideJson: string | undefined): Promise<void> {
    const folder = await this.#folder(name, 'load');
    if (folder === undefined)
      throw HeadraceError.of('MODEL_NOT_FOUND', `model ${JSON.stringify(name.slice(0, 80))} is not in the repository`, {
        field: 'model_name',
      });
    await this.#options.host.apply(folder, overrideJson);
    const problems = this.#options.host.find(name)?.problems ?? [];
    if (problems.length > 0)
      throw HeadraceError.of('MODEL_LOAD_FAILED', `failed to load model ${JSON.stringify(name)}: ${problems.join('; ')}`, {
        field: 'model_name',
      });
  }

  /** Resolves when what was in flight is answered. @throws HeadraceError */
  async unload(name: string): Promise<void> {
    await this.#folder(name, 'unload');
    const { host } = this.#options;
    if (host.find(name) === undefined)
      throw HeadraceError.of('MODEL_NOT_FOUND', `model ${JSON.stringify(name.slice(0, 80))} is not found`, { field: 'model_name' });
    await host.unload(name);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #folder(name: string, verb: string): Promise<ModelFolder | undefined> {
    const { mode, directory } = this.#options;
    if (mode !== 'explicit') {
      throw HeadraceError.of(
        'REPOSITORY_CONTROL',
        `${verb} is not allowed: the server runs with --model-control-mode ${mode}, expected explicit`,
      );
    }
    // A name is one folder of the repository, never a way out of it.
    if (name === '' || name.startsWith('.') || /[/\\\0]/.test(name)) {
      throw HeadraceError.of('MODEL_NOT_FOUND', `model_name: expected the name of a folder, got ${JSON.stringify(name.slice(0, 80))}`, {
        field: 'model_name',
      });
    }
    return scanModel(name, join(directory, name));
  }

  async #apply(folder: ModelFolder): Promise<void> {
    this.#applied.set(folder.name, printOf(folder));
    await this.#options.host.apply(folder);
  }

  #pollLater(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.setTimer(() => {
      void this.poll()
        .catch((error: unknown) =>
          this.#options.logger.error({ reason: describeError(error) }, 'the model repository cannot be read; what is loaded goes on'),
        )
        .finally(() => this.#pollLater());
    }, this.#options.pollMs);
  }

  /** One look: loads what changed and held still since the look before, unloads what is gone. */
  async poll(): Promise<void> {
    const { directory, host } = this.#options;
    // A share that is unmounted for a moment reads as an error or as gone; neither may unload every model.
    await access(directory);
    const folders = await scanRepository(directory);
    const prints = new Map(folders.map((folder) => [folder.name, printOf(folder)]));
    const changed = folders.filter(({ name }) => this.#seen.get(name) === prints.get(name) && this.#applied.get(name) !== prints.get(name));
    const gone = [...this.#applied.keys()].filter((name) => !prints.has(name) && !this.#seen.has(name));
    this.#seen = prints;
    for (const name of gone) this.#applied.delete(name);
    await Promise.all([...changed.map((folder) => this.#apply(folder)), ...gone.map((name) => host.remove(name))]);
  }
}

function printOf(folder: ModelFolder): string {
  return [folder.settingsPrint, ...folder.versions.map(({ version, print }) => `${version}=${print}`)].join('|');
}
