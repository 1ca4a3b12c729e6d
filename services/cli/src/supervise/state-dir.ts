import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Claim } from './state-claim.js';
import { claim, removeUnclaimed, stateDirPrefix } from './state-claim.js';

/**
 * A private directory (mode 0700) for what one run of the platform keeps on disk; removed with everything in it at exit,
 * or, after a kill -9, by the next run.
 */
export class StateDir {
  readonly path: string;
  readonly #claim: Claim;
  #writes = 0;

  private constructor(path: string, claimed: Claim) {
    this.path = path;
    this.#claim = claimed;
  }

  /** Makes one, and removes those that runs left behind which are dead. */
  static async open(parent: string = tmpdir()): Promise<StateDir> {
    await removeUnclaimed(parent);
    // mkdtemp makes it 0700 already; an odd umask cannot widen it, and this says so.
    const path = mkdtempSync(join(parent, stateDirPrefix));
    chmodSync(path, 0o700);
    return new StateDir(path, await claim(path));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Readers see the old text or the new one, never a part: written beside it, then renamed over it. */
  write(name: string, text: string): string {
    const target = this.file(name);
    const temporary = this.file(`.${name}.${(this.#writes += 1)}`);
    writeFileSync(temporary, text, { mode: 0o600, flush: true });
    renameSync(temporary, target);
    return target;
  }

  remove(): void {
    this.#claim.release();
    rmSync(this.path, { recursive: true, force: true });
  }
}
