import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const skipped = new Set(['node_modules', 'dist', '.git', '.cache', '.venv']);

/**
 * The digest of every file below a folder named gen.
 * @param {string} root
 * @returns {Map<string, string>} By path relative to the root.
 */
export function generatedFiles(root) {
  /** @type {Map<string, string>} */
  const found = new Map();
  walk(root, false);
  return found;

  /**
   * @param {string} folder
   * @param {boolean} generated
   */
  function walk(folder, generated) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !skipped.has(entry.name)) walk(path, generated || entry.name === 'gen');
      else if (entry.isFile() && generated) found.set(relative(root, path), createHash('sha256').update(readFileSync(path)).digest('hex'));
    }
  }
}

/**
 * Paths that were added, removed or changed, each with which.
 * @param {ReadonlyMap<string, string>} before
 * @param {ReadonlyMap<string, string>} after
 * @returns {string[]}
 */
export function changedFiles(before, after) {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    if (before.get(path) === after.get(path)) return [];
    if (!before.has(path)) return [`${path} (new)`];
    return [after.has(path) ? `${path} (changed)` : `${path} (gone)`];
  });
}
