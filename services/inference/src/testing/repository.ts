import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A model repository in a folder of its own, removed by `remove`. */
export class TestRepository {
  readonly path = mkdtempSync(join(tmpdir(), 'headrace-models-'));

  /** Copies `graph` in as <model>/<version>/model.onnx, through a rename so that no look sees half a file. */
  add(model: string, version: number, graph: string): this {
    const folder = join(this.path, model, String(version));
    mkdirSync(folder, { recursive: true });
    cpSync(graph, join(folder, 'model.onnx'));
    return this;
  }

  /** Writes any file below the repository. */
  write(path: string, content: string | Buffer): this {
    mkdirSync(dirname(join(this.path, path)), { recursive: true });
    writeFileSync(join(this.path, path), content);
    return this;
  }

  delete(path: string): void {
    rmSync(join(this.path, path), { recursive: true, force: true });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
