import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A private directory (mode 0700) for what one run of the platform keeps on disk; removed with everything in it at exit. */
export class StateDir {
  readonly path: string;
  #writes = 0;

  constructor(parent: string = tmpdir()) {
    // mkdtemp makes it 0700 already; a odd umask cannot widen it, and this says so.
    this.path = mkdtempSync(join(parent, 'headrace-'));
    chmodSync(this.path, 0o700);
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
    rmSync(this.path, { recursive: true, force: true });
  }
}
